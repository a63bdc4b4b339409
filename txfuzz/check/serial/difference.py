"""Where an outcome differs from what a serial order gives: statement by statement, then table by table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from txfuzz.check.serial.canonical import Masks, plain_cell
from txfuzz.check.serial.outcome import Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.serial.value import alike, compared, new_identifiers
from txfuzz.database.scenario import Cell, Rows

NEW = "a new identifier"


@dataclass(frozen=True, slots=True)
class StatementPlace:
    """The statement of a step, numbered from 0, of the transaction with this label."""

    transaction: str
    step: int

    def __str__(self) -> str:
        return f"step {self.step + 1} of {self.transaction}"


@dataclass(frozen=True, slots=True)
class TablePlace:
    table: str

    def __str__(self) -> str:
        return f"table {self.table}"


@dataclass(frozen=True, slots=True)
class EndingPlace:
    transaction: str

    def __str__(self) -> str:
        return f"the end of {self.transaction}"


@dataclass(frozen=True, slots=True)
class ValuePlace:
    transaction: str

    def __str__(self) -> str:
        return f"what {self.transaction} returned"


Place = StatementPlace | TablePlace | EndingPlace | ValuePlace
# What stands at a place: rows, a number of changed rows, a code, how a transaction ended, a value, or nothing
Seen = Rows | int | str | Ending | Cell | None


@dataclass(frozen=True, slots=True)
class Difference:
    """seen: in the outcome that is judged. expected: in the serial order. For rows: only those that the
    other one lacks."""

    place: Place
    seen: Seen
    expected: Seen


def differences(
    outcome: ProgramOutcome, serial: ProgramOutcome, order: Sequence[str], masks: Masks
) -> tuple[Difference, ...]:
    """All of them, in the order in which the transactions of `order` meet them.

    Generated identifiers count as alike here, so that a difference in company (see canonical) shows none.
    """
    return tuple(_differences(outcome, serial, order, masks))


def _differences(
    outcome: ProgramOutcome, serial: ProgramOutcome, order: Sequence[str], masks: Masks
) -> Iterator[Difference]:
    new = new_identifiers(outcome, masks) | new_identifiers(serial, masks)
    for label in order:
        one, other = outcome.transactions[label], serial.transactions[label]
        expected = {each.step: each for each in other.statements}
        seen = {each.step: each for each in one.statements}
        for step in sorted({*seen, *expected}):
            yield from _of_statements(StatementPlace(label, step), seen.get(step), expected.get(step), masks)
        if other.ending is not Ending.COMMITTED:
            yield Difference(EndingPlace(label), one.ending, other.code or other.ending)
        elif not alike(compared(label, one.value, masks), compared(label, other.value, masks), new):
            yield Difference(ValuePlace(label), one.value, other.value)
    for table in sorted({*outcome.tables, *serial.tables}):
        found = _of_rows(outcome.tables.get(table), serial.tables.get(table), table, masks)
        if found is not None:
            yield Difference(TablePlace(table), *found)


def _of_statements(
    place: StatementPlace, seen: StatementOutcome | None, expected: StatementOutcome | None, masks: Masks
) -> Iterator[Difference]:
    if seen is None or expected is None:
        yield Difference(place, _brief(seen), _brief(expected))
    elif seen.code != expected.code:
        yield Difference(place, seen.code or _brief(seen), expected.code or _brief(expected))
    elif seen.rows is not None and expected.rows is not None:
        found = _of_rows(seen.rows, expected.rows, None, masks)
        if found is not None:
            yield Difference(place, *found)
    elif seen.changed != expected.changed:
        yield Difference(place, seen.changed, expected.changed)


def _brief(statement: StatementOutcome | None) -> Seen:
    if statement is None:
        return None
    return statement.code or (statement.changed if statement.rows is None else statement.rows)


def _of_rows(
    seen: Rows | None, expected: Rows | None, table: str | None, masks: Masks
) -> tuple[Rows, Rows] | None:
    """The rows of each that the other lacks; None where there are none and the order is the same."""
    one, other = seen or Rows((), ()), expected or Rows((), ())
    ours, theirs = _comparable(one, table, masks), _comparable(other, table, masks)
    if one.ordered and ours != theirs and Counter(ours) == Counter(theirs):
        return one, other
    if Counter(ours) == Counter(theirs):
        return None
    return _lacking(_evidence(one, table, masks), ours, theirs), _lacking(
        _evidence(other, table, masks), theirs, ours
    )


def _comparable(rows: Rows, table: str | None, masks: Masks) -> list[tuple[str, ...]]:
    return [tuple(_cells(rows, row, table, masks)) for row in rows.rows]


def _cells(rows: Rows, row: tuple[Cell, ...], table: str | None, masks: Masks) -> Iterator[str]:
    for number, cell in enumerate(row):
        origin = _place(rows, number, table)
        if origin in masks.ignored:
            continue
        column = masks.generated.get(origin or "")
        new = column is not None and cell is not None and cell not in masks.known.get(column, frozenset())
        yield NEW if new else plain_cell(cell)


def _evidence(rows: Rows, table: str | None, masks: Masks) -> Rows:
    """Without the columns that are left out, unless there are no others."""
    kept = [number for number in range(len(rows.columns)) if _place(rows, number, table) not in masks.ignored]
    if not kept or len(kept) == len(rows.columns):
        return rows
    return Rows(
        tuple(rows.columns[number] for number in kept),
        tuple(tuple(row[number] for number in kept) for row in rows.rows),
        rows.ordered,
        tuple(rows.origins[number] for number in kept) if rows.origins else rows.origins,
    )


def _place(rows: Rows, number: int, table: str | None) -> str | None:
    return f"{table}.{rows.columns[number]}" if table is not None else rows.origin(number)


def _lacking(rows: Rows, ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]]) -> Rows:
    left = Counter(theirs)
    kept = []
    for row, shown in zip(rows.rows, ours, strict=True):
        if left[shown] > 0:
            left[shown] -= 1
        else:
            kept.append(row)
    return Rows(rows.columns, tuple(kept), rows.ordered, rows.origins)
