"""A matrix as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from txfuzz.analysis.checker.consistency import friendly
from txfuzz.common.sentences import counted
from txfuzz.compare.matrix.cell import Outcome
from txfuzz.compare.matrix.table import LEGEND, MatrixTable, TableCell, place_of, remark_of


def matrix_markdown(table: MatrixTable, remarks: Sequence[str] = ()) -> str:
    """The table, its legend, and what the marks do not say."""
    return "\n".join([*table_lines(table), "", legend(table), *_below(table, remarks)]) + "\n"


def table_lines(table: MatrixTable) -> Iterator[str]:
    yield _row(["database", "level", "promises", *table.columns])
    yield f"|{'---|' * (len(table.columns) + 3)}"
    for row in table.rows:
        yield _row([row.server, row.level, friendly(row.promised), *(_cell(each) for each in row.cells)])


def _cell(cell: TableCell) -> str:
    return f"{cell.mark} {cell.some}".strip() if cell.mark else ""


def legend(table: MatrixTable) -> str:
    """Of the marks that are in the table."""
    used = {cell.mark for row in table.rows for cell in row.cells}
    meant = "; ".join(f"{mark} {text}" for mark, text in LEGEND if mark in used)
    some = any(cell.some for row in table.rows for cell in row.cells)
    more = " Of several questions of one column it says how many found something." if some else ""
    return f"{meant[:1].upper()}{meant[1:]}.{more}" if meant else "No cell was asked yet."


def summary(table: MatrixTable) -> str:
    """One sentence about the whole."""
    broken = table.count(Outcome.BROKEN)
    asked = counted(table.judged, "cell")
    if broken:
        return f"Of {asked}, {broken:,} broke the promise of {'its' if broken == 1 else 'their'} level."
    if not table.judged:
        return "No cell could be judged."
    return f"Of {asked}, none broke the promise of its level."


def _below(table: MatrixTable, remarks: Sequence[str]) -> Iterator[str]:
    yield ""
    yield summary(table)
    for each in (*table.remarks, *remarks):
        yield f"\n{each}"
    for title, outcome in (
        ("Promises that were broken", Outcome.BROKEN),
        ("What could not be judged", Outcome.UNKNOWN),
    ):
        lines = [f"- {place_of(each)}: {remark_of(each)}." for each in table.cells if each.outcome is outcome]
        if lines:
            yield f"\n{title}:\n"
            yield from lines
    if table.steps:
        yield "\nnext: each of these shows its cell again, with its story and its SQL\n"
        for step in table.steps:
            yield f"    {step.command}"
    for remark in dict.fromkeys(step.remark for step in table.steps if step.remark):
        yield f"\n{remark}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
