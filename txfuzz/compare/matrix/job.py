"""The cells of a matrix as slices of work that know nothing of each other (see campaign.workers.contract)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from txfuzz.campaign.setup.resolve import adapter_of, resolved_url
from txfuzz.campaign.workers.carried import CarriedFile, carried, placed
from txfuzz.common.secrets import SecretText
from txfuzz.compare.matrix.cell import MatrixCell, Outcome
from txfuzz.compare.matrix.cells.history_cell import ask_hunt, ask_workload
from txfuzz.compare.matrix.cells.measured import Measured, Place, not_offered, unknown
from txfuzz.compare.matrix.cells.scenario_cell import ask_scenario
from txfuzz.compare.matrix.plan import Asks, Question
from txfuzz.compare.matrix.rows import MatrixRow
from txfuzz.database.api import Adapter, Database, SessionError
from txfuzz.database.isolation_levels import open_database
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import DatabaseSpec

_CLIENTS = 64  # that a server has room for
_ASK: dict[Asks, Callable[[Question, Place, str], Measured]] = {
    Asks.SCENARIO: ask_scenario,
    Asks.WORKLOAD: ask_workload,
    Asks.HUNT: ask_hunt,
}


@dataclass(frozen=True)
class CellSlice:
    """One cell: a question at a level of a row, whose URL needs no variable of the environment."""

    row: MatrixRow
    level: str
    question: Question


@dataclass(frozen=True)
class CellNews:
    """cell: None while it is being asked."""

    cell: MatrixCell | None = None


@dataclass(frozen=True)
class MatrixJob:
    """A Job of CellSlice → CellNews. asked: the files of its questions."""

    seed: int = 0
    asked: tuple[CarriedFile, ...] = ()
    plugin_files: tuple[CarriedFile, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[MatrixWorker]:
        with ExitStack() as resources:
            plugins = resources.enter_context(placed(self.plugin_files))
            files = resources.enter_context(placed(self.asked))
            here = {str(each.path): file for each, file in zip(self.asked, files, strict=True)}
            yield MatrixWorker(self.seed, load_plugins(files=plugins), plugins, here, resources)


def matrix_job(seed: int, questions: Sequence[Question], plugin_files: Sequence[Path]) -> MatrixJob:
    """UsageError for a file that cannot be read."""
    paths = dict.fromkeys(Path(each.path) for each in questions if each.path)
    return MatrixJob(seed, carried(list(paths)), carried(plugin_files))


class MatrixWorker:
    """A Worker. The database of a row stays open until a slice of another row comes."""

    def __init__(
        self,
        seed: int,
        registry: Registry,
        plugin_files: tuple[Path, ...],
        here: Mapping[str, Path],
        resources: ExitStack,
    ) -> None:
        """here: where the files of the questions are, by the paths that the questions have."""
        self._seed, self._registry, self._plugin_files, self._here = seed, registry, plugin_files, here
        self._row: MatrixRow | None = None
        self._open = resources.enter_context(ExitStack())
        self._database: Database | None = None
        self._failed = ""  # why the row's database cannot be opened
        self._server = ""

    def run(self, asked: CellSlice, tell: Callable[[CellNews], bool]) -> None:
        row, level, began = asked.row, asked.level, time.monotonic()
        stopped = False

        def goes_on() -> bool:
            nonlocal stopped
            stopped = stopped or not tell(CellNews())
            return not stopped

        def cell(measured: Measured) -> MatrixCell:
            return MatrixCell(
                row.database,
                row.version,
                level,
                asked.question.name,
                measured.outcome,
                self._server,
                row.levels.get(level) or "",
                measured.found,
                measured.broken,
                measured.transactions,
                measured.schedules,
                measured.whole,
                _clause(measured.why),
                round(time.monotonic() - began, 3),
                measured.unsaid,
            )

        measured = self._measured(asked, goes_on)
        if not stopped or measured.found:  # what was cut off and found nothing has nothing to say
            tell(CellNews(cell(measured)))

    def _measured(self, asked: CellSlice, goes_on: Callable[[], bool]) -> Measured:
        if asked.row != self._row:
            self._close()
            self._row, self._failed, self._server = asked.row, "", ""
        if asked.row.levels.get(asked.level) is None:
            return not_offered("it has no such level")
        adapter, url = self._adapter(asked.row)
        database = self._opened(adapter, url)
        if database is None:
            return unknown(self._failed)
        place = Place(
            asked.row,
            adapter,
            database,
            self._registry,
            self._seed,
            url,
            self._plugin_files,
            goes_on,
        )
        question = asked.question
        if question.path:
            question = replace(question, path=str(self._here[str(Path(question.path).absolute())]))
        try:
            return _ASK[question.asks](question, place, asked.level)
        except DatabaseUnavailable as error:
            self._close()
            return unknown(str(error))
        except SessionError as error:
            if error.lost:
                self._close()
            return unknown(f"{error.message} ({error.code})")
        except UsageError as error:  # it fits the others, perhaps
            return unknown(str(error))

    def _adapter(self, row: MatrixRow) -> tuple[Adapter, SecretText | None]:
        url = row.url
        adapter = adapter_of(DatabaseSpec(row.adapter, options=row.options), self._registry, "the matrix")
        return adapter, None if url is None else SecretText(url)

    def _opened(self, adapter: Adapter, url: SecretText | None) -> Database | None:
        """The row's database; None if it cannot be opened, which is tried once."""
        if self._database is None and not self._failed:
            try:
                self._database = self._open.enter_context(open_database(adapter, url, _CLIENTS))
                self._server = server_of(self._database)
            except DatabaseUnavailable as error:
                self._failed = str(error)
        return self._database

    def _close(self) -> None:
        self._database = None
        self._open.close()


def server_of(database: Database) -> str:
    """Product and version, "SQLite 3.40.1", without what distributions add."""
    told = database.describe()
    version = re.split(r"[ (+~-]", str(told.get("version", "")))[0]
    return f"{told.get('product', '')} {version}".strip()


def _clause(why: str) -> str:
    return " ".join(why.split()).rstrip(".")


@dataclass
class MatrixSlices:
    """Slices of the cells that are still to be asked. goes_on: whether there is time for more; add: takes a
    cell in; on_lost: is told of each worker that was lost, in a sentence."""

    waiting: Sequence[CellSlice]
    add: Callable[[MatrixCell], None]
    goes_on: Callable[[], bool]
    on_lost: Callable[[str], None] = lambda sentence: None
    _next: int = 0
    _again: list[CellSlice] = field(default_factory=list)
    _lost: list[CellSlice] = field(default_factory=list)

    def take(self) -> CellSlice | None:
        if not self.goes_on():
            return None
        if self._again:
            return self._again.pop()
        if self._next == len(self.waiting):
            return None
        self._next += 1
        return self.waiting[self._next - 1]

    def told(self, asked: CellSlice, news: CellNews) -> None:
        if news.cell is not None:
            self.add(news.cell)

    def ended(self, asked: CellSlice) -> None:
        pass

    def lost(self, asked: CellSlice, why: str) -> None:
        """A cell that has cost two workers would end the third one, too."""
        if asked not in self._lost:
            self._lost.append(asked)
            self._again.append(asked)
            self.on_lost(f"{why}; another one asks its cell again")
            return
        self.on_lost(f"{why}; its cell is left unknown")
        row = asked.row
        where = (row.database, row.version, asked.level, asked.question.name)
        self.add(MatrixCell(*where, Outcome.UNKNOWN, why=_clause(why)))

    def enough(self) -> bool:
        return not self.goes_on()


def slices_of(rows: Sequence[MatrixRow], questions: Sequence[Question]) -> list[CellSlice]:
    """Every cell, row by row, so that each server is started once. UsageError for a URL that is empty."""
    return [slice_of(row, level, question) for row in rows for level in row.levels for question in questions]


def slice_of(row: MatrixRow, level: str, question: Question) -> CellSlice:
    """A worker on another machine has other variables."""
    url = None if row.url is None else resolved_url(row.url)
    return CellSlice(replace(row, url=url), level, question)
