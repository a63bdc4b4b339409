"""The cells of a matrix as a table: a row for each level of each version, a column for each anomaly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.common.sentences import listed
from txfuzz.compare.matrix.cell import MatrixCell, Outcome, worst
from txfuzz.compare.matrix.next_steps import NextStep
from txfuzz.compare.matrix.plan import MatrixPlan
from txfuzz.compare.matrix.rows import MatrixRow

MARKS: Mapping[Outcome, str] = {
    Outcome.NONE: "✓",
    Outcome.ALLOWED: "—",
    Outcome.BROKEN: "✗",
    Outcome.UNKNOWN: "?",
    Outcome.NOT_OFFERED: "·",
}
PART = "(✓)"  # nothing found, but not everything was run
UNSAID = "(—)"  # found, and whether the level promises to prevent it is not known
LEGEND = (
    ("✓", "not found, in everything that there is to run"),
    (PART, "not found in what was run"),
    ("—", "found; the level does not promise to prevent it"),
    (UNSAID, "found; whether the level promises to prevent it cannot be said"),
    ("✗", "found, though the level promises to prevent it"),
    ("?", "could not be judged"),
    ("·", "not offered"),
)
NOT_YET = ""


@dataclass(frozen=True)
class TableCell:
    """One column of a row. cells: one for each question of the column; empty if none was asked yet."""

    cells: tuple[MatrixCell, ...]
    missing: int = 0

    @property
    def outcome(self) -> Outcome | None:
        return worst(each.outcome for each in self.cells) if self.cells else None

    @property
    def mark(self) -> str:
        outcome = self.outcome
        if outcome is None or (self.missing and outcome not in (Outcome.ALLOWED, Outcome.BROKEN)):
            return NOT_YET
        if outcome is Outcome.NONE and not all(
            each.whole for each in self.cells if each.outcome is not Outcome.NOT_OFFERED
        ):
            return PART
        if outcome is Outcome.ALLOWED and all(
            each.unsaid for each in self.cells if each.outcome is Outcome.ALLOWED
        ):
            return UNSAID
        return MARKS[outcome]

    @property
    def some(self) -> str:
        """ "1 of 3" where only some of several questions found something; else empty."""
        shown = sum(bool(each.shows) for each in self.cells)
        return f"{shown} of {len(self.cells)}" if 0 < shown < len(self.cells) else ""


@dataclass(frozen=True)
class TableRow:
    """server: product and version. level: as the database calls it. promised: the model that it promises."""

    server: str
    level: str
    promised: str
    cells: tuple[TableCell, ...]


@dataclass(frozen=True)
class MatrixTable:
    name: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    cells: tuple[MatrixCell, ...]
    remarks: tuple[str, ...] = ()
    steps: tuple[NextStep, ...] = ()

    def count(self, outcome: Outcome) -> int:
        return sum(each.outcome is outcome for each in self.cells)

    @property
    def judged(self) -> int:
        return sum(each.judged for each in self.cells)


def table_of(
    plan: MatrixPlan, rows: Sequence[MatrixRow], known: Mapping[tuple[str, str, str, str], MatrixCell]
) -> MatrixTable:
    """Levels that a database does not have get no row, but a sentence."""
    columns = {each.heading: [one.name for one in plan.questions if one.heading == each.heading]
               for each in plan.questions}  # fmt: skip
    apart = _several(rows)
    shown: list[TableRow] = []
    ordered: list[MatrixCell] = []
    lacking: dict[str, list[str]] = {}
    for row in rows:
        title = _title_of(row, known.values(), apart)
        for level, promised in row.levels.items():
            cells = []
            for asked in columns.values():
                keys = [(row.database, row.version, level, name) for name in asked]
                there = tuple(known[key] for key in keys if key in known)
                cells.append(TableCell(there, len(asked) - len(there)))
                ordered += there
            if promised is None:
                lacking.setdefault(title, []).append(level)
            else:
                shown.append(TableRow(title, level, promised, tuple(cells)))
    remarks = [f"{title} has no {listed(levels, 'or')}." for title, levels in lacking.items()]
    return MatrixTable(plan.name, plan.about, tuple(columns), tuple(shown), tuple(ordered), tuple(remarks))


def _several(rows: Iterable[MatrixRow]) -> frozenset[str]:
    """Adapters that are in the table under more than one name, so that rows have to tell them apart."""
    names: dict[str, set[str]] = {}
    for each in rows:
        names.setdefault(each.adapter, set()).add(each.database)
    return frozenset(adapter for adapter, found in names.items() if len(found) > 1)


def _title_of(row: MatrixRow, cells: Iterable[MatrixCell], apart: frozenset[str]) -> str:
    """As the server calls itself, if it was reached."""
    mine = (each.server for each in cells if (each.database, each.version) == (row.database, row.version))
    told = next(filter(None, mine), f"{row.adapter} {row.version}".strip())
    named = row.database != row.adapter and (row.adapter in apart or row.url is not None)
    return f"{told}, {row.database}" if named else told


def mark_of(cell: MatrixCell) -> str:
    return TableCell((cell,)).mark


def place_of(cell: MatrixCell) -> str:
    return f"{cell.server or cell.database}, {cell.level}, {cell.question}"


def remark_of(cell: MatrixCell) -> str:
    """What a cell came to, in a clause: "lost-update in 70 schedules, which the level allows"."""
    ran = " and ".join(
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((cell.schedules, "schedule"), (cell.transactions, "transaction"))
        if count
    )
    ran = f" in {ran}" if ran else ""
    tail = f" ({cell.why})" if cell.why else ""
    match cell.outcome:
        case Outcome.NONE:
            return f"nothing found{ran}{tail}"
        case Outcome.ALLOWED if cell.unsaid:
            return (
                f"{', '.join(cell.found)}{ran}; whether {_promise(cell)} forbids it cannot be said, "
                f"since the question names no anomaly{tail}"
            )
        case Outcome.ALLOWED:
            return f"{', '.join(cell.found)}{ran}, which {_promise(cell)} does not forbid{tail}"
        case Outcome.BROKEN:
            what = "it" if set(cell.broken) in (set(), set(cell.found)) else listed(cell.broken)
            return f"{', '.join(cell.found)}{ran}, though {_promise(cell)} forbids {what}{tail}"
        case Outcome.UNKNOWN:
            return f"unknown{ran}: {cell.why or 'no reason was given'}"
        case Outcome.NOT_OFFERED:
            return f"not offered: {cell.why}"


def _promise(cell: MatrixCell) -> str:
    return model_text(cell.promised) if cell.promised else "the level"
