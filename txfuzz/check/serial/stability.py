"""Whether the same transactions give the same when nothing else runs; if not, where, and what mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from txfuzz.check.serial.canonical import Masks, canonical, plain_cell
from txfuzz.check.serial.difference import Difference, StatementPlace, TablePlace, differences
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.check.serial.value import values_alike
from txfuzz.common.sentences import listed
from txfuzz.database.scenario import Rows

# Why two runs of an order that are not alike differ: the run that is in doubt, the other one, the order
Reason = Callable[[ProgramOutcome, ProgramOutcome, Sequence[str], Masks], str]


def alike(one: ProgramOutcome, other: ProgramOutcome, masks: Masks) -> bool:
    """Could nobody tell them apart, and has each transaction ended alike?"""
    ended = [[(each.ending, each.code) for each in run.transactions.values()] for run in (one, other)]
    return (
        ended[0] == ended[1]
        and canonical(one, masks) == canonical(other, masks)
        and values_alike(one, other, masks)
    )


def unsteady(one: ProgramOutcome, other: ProgramOutcome, order: Sequence[str], masks: Masks) -> str:
    """Why two runs of the same order, which are not alike, can differ."""
    found = differences(one, other, order, masks)
    return (
        f"{_where(found, masks)} differs from one run to the next though nothing else runs: a clock, chance "
        f"or an order that the statement does not fix{_advice(found, masks)}"
    )


def unordered(one: ProgramOutcome, other: ProgramOutcome, order: Sequence[str], masks: Masks) -> str:
    """Why runs that are not alike differ in nothing but how the rows were stored before them."""
    found = differences(one, other, order, masks)
    step = next((each.place for each in found if isinstance(each.place, StatementPlace)), None)
    return (
        f"{_where(found, masks)} depends on the order in which rows happen to be stored, which concurrency "
        f"changes: give {step if step is not None else 'the statement that reads them'} an ORDER BY"
    )


def numbered(one: ProgramOutcome, other: ProgramOutcome, order: Sequence[str], masks: Masks) -> str:
    """Why runs that are not alike differ in nothing but the numbers that sequences gave out."""
    found = differences(one, other, order, masks)
    return (
        f"{_where(found, masks)} depends on the numbers that sequences give out, which a rollback does not "
        f"take back and no order of transactions settles{_advice(found, masks)}"
    )


def differing_columns(
    one: ProgramOutcome, other: ProgramOutcome, order: Sequence[str], masks: Masks
) -> frozenset[str]:
    """ "table.column" of what differs between two runs, as far as one can tell by columns."""
    return frozenset(
        place for each in differences(one, other, order, masks) for place in _places(each, masks) or ()
    )


def _where(found: Sequence[Difference], masks: Masks) -> str:
    if not found:
        return "an outcome"
    columns = _columns(found[0], masks)
    return f"{listed(columns)} in {found[0].place}" if columns else str(found[0].place)


def _advice(found: Sequence[Difference], masks: Masks) -> str:
    """Columns to ignore, where a few of them make all the difference."""
    found_in = [_places(each, masks) for each in found]
    places = dict.fromkeys(place for each in found_in for place in each or ())
    if not places or None in found_in:
        return ""
    return f"; if that is meant, say ignore: [{', '.join(places)}]"


def _places(difference: Difference, masks: Masks) -> tuple[str, ...] | None:
    """The columns that make the difference, None where they cannot be told."""
    columns = _columns(difference, masks)
    if not columns:
        return None
    if isinstance(difference.place, TablePlace):
        return tuple(f"{difference.place.table}.{column}" for column in columns)
    seen = difference.seen
    assert isinstance(seen, Rows)
    origins = tuple(seen.origin(seen.columns.index(column)) for column in columns)
    return None if None in origins else tuple(origin for origin in origins if origin is not None)


def _columns(difference: Difference, masks: Masks) -> tuple[str, ...]:
    """Those whose values differ, where every row has a partner that is alike in all others."""
    seen, expected = difference.seen, difference.expected
    if not (isinstance(seen, Rows) and isinstance(expected, Rows)) or len(seen.rows) != len(expected.rows):
        return ()
    table = f"{difference.place.table}." if isinstance(difference.place, TablePlace) else None
    differing = tuple(
        name
        for number, name in enumerate(seen.columns)
        if (seen.origin(number) if table is None else table + name) not in {*masks.ignored, *masks.generated}
        and _values(seen, number) != _values(expected, number)
    )
    return differing if len(differing) < max(len(seen.columns), 2) else ()


def _values(rows: Rows, column: int) -> Counter[str]:
    return Counter(plain_cell(row[column]) for row in rows.rows)
