"""The directory of a matrix: its plan, a line for each cell that is done, and the table as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.campaign.directory.run_records import MATRIX, MATRIX_PLAN, RunKind
from txfuzz.campaign.directory.runs import resumed_otherwise
from txfuzz.campaign.directory.values import read_back
from txfuzz.common.json_text import json_text
from txfuzz.common.secrets import without_password
from txfuzz.common.version import __version__
from txfuzz.compare.matrix.bisect import Bisection
from txfuzz.compare.matrix.cell import Key, MatrixCell
from txfuzz.compare.matrix.difference import Change
from txfuzz.compare.matrix.page import matrix_page
from txfuzz.compare.matrix.plan import MatrixPlan
from txfuzz.compare.matrix.reader import digest_of
from txfuzz.compare.matrix.table import MatrixTable
from txfuzz.compare.matrix.text import matrix_markdown
from txfuzz.compare.record_lines import records_in
from txfuzz.errors import UsageError

PLAN, CELLS = MATRIX_PLAN, "cells.jsonl"
JSON, MARKDOWN, HTML = MATRIX, "matrix.md", "matrix.html"


@dataclass(frozen=True)
class MatrixFile:
    """matrix.json. left: cells that were not reached."""

    name: str
    txfuzz: str
    cells: tuple[MatrixCell, ...]
    left: int = 0
    remarks: tuple[str, ...] = ()


class MatrixRecord:
    """Adds each cell as soon as it is done, so that being killed loses only the one under way."""

    def __init__(self, directory: Path, plan: MatrixPlan, cells: dict[Key, MatrixCell]) -> None:
        self.directory, self.plan, self.cells = directory, plan, cells

    @classmethod
    def begin(cls, directory: Path, plan: MatrixPlan) -> MatrixRecord:
        """UsageError if there is one already."""
        if (directory / PLAN).exists():
            raise UsageError(f"{directory} holds a matrix already: continue it with --resume {directory}")
        with writing(directory):
            directory.mkdir(parents=True, exist_ok=True)
        write_json(directory / PLAN, as_json(plan))
        return cls(directory, plan, {})

    @classmethod
    def resume(cls, directory: Path) -> MatrixRecord:
        """The one in this directory. UsageError if there is none, or a URL was not kept."""
        try:
            plan = read_back(directory / PLAN, MatrixPlan)
        except FileNotFoundError:
            why = (
                resumed_otherwise(directory, RunKind.MATRIX)
                or f"{directory}: no matrix to resume (no {PLAN})"
            )
            raise UsageError(why) from None
        for each in plan.databases:
            if (each.url is not None and without_password(each.url) != each.url) or each.url == _WITHHELD:
                raise UsageError(
                    f"{directory}: the URL of {each.name} had a password and was not kept: ask anew, with "
                    "the URL in an environment variable, as in `url: $MY_DATABASE`"
                )
        for question in plan.questions:
            if digest_of(question.path) != question.digest:
                raise UsageError(
                    f"{question.path} is another one than {directory} began with: ask anew, without --resume"
                )
        return cls(directory, plan, cells_in(directory / CELLS))

    def add(self, cell: MatrixCell) -> None:
        self.cells[cell.key] = cell
        path = self.directory / CELLS
        with writing(path), open(path, "a", encoding="utf-8") as file:
            file.write(f"{json_text(as_json(cell))}\n")

    def write(self, table: MatrixTable, left: int, remarks: Sequence[str]) -> None:
        """matrix.json, matrix.md and matrix.html, of the cells that there are, and the files that the
        commands of broken ones name."""
        data = MatrixFile(self.plan.name, __version__, table.cells, left, tuple(remarks))
        write_json(self.directory / JSON, as_json(data))
        write_text(self.directory / MARKDOWN, matrix_markdown(table, remarks))
        write_text(self.directory / HTML, matrix_page(table, left, remarks))
        for path, text in (each.copy for each in table.steps if each.copy is not None):
            with writing(Path(path)):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_text(Path(path), text)


_WITHHELD = "withheld"


def as_json(value: Any) -> Any:
    """A plan, a cell or a file as plain data, without passwords."""
    if isinstance(value, MatrixPlan):
        value = replace(
            value,
            databases=tuple(
                each
                if each.url is None or without_password(each.url) == each.url
                else replace(each, url=_WITHHELD)
                for each in value.databases
            ),
        )
    return _plain(asdict(value))


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _plain(each) for name, each in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(each) for each in data]
    return getattr(data, "value", data)


def read_matrix_file(path: Path) -> MatrixFile:
    """A matrix.json, or the one in a directory. UsageError where there is none."""
    place = path / JSON if path.is_dir() else path
    try:
        return read_back(place, MatrixFile)
    except FileNotFoundError:
        raise UsageError(
            f"{place}: there is no such file; expected the {JSON} of an earlier matrix"
        ) from None


def cells_in(path: Path) -> dict[Key, MatrixCell]:
    """The cells that are done."""
    return {cell.key: cell for cell in records_in(path, MatrixCell, "a cell")}


def report_data(
    table: MatrixTable, left: int, found: Sequence[Change] | None, bisection: Bisection | None
) -> dict[str, Any]:
    """For --json: matrix.json, and what changed and where a finding changes, if that was asked."""
    data: dict[str, Any] = as_json(MatrixFile(table.name, __version__, table.cells, left))
    if found is not None:
        data["changes"] = [
            {"before": each.before and as_json(each.before), "after": each.after and as_json(each.after)}
            for each in found
        ]
    if bisection is not None:
        data["bisect"] = as_json(bisection)
    return data
