"""Whether the same transactions give the same when nothing else runs; if not, where, and what mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from txfuzz.check.serial.canonical import Masks, canonical, plain_cell
from txfuzz.check.serial.difference import Difference, StatementPlace, TablePlace, differences
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.check.serial.value import values_alike
from txfuzz.common.sentences import listed
from txfuzz.database.scenario import Rows


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
    where = _where(found[0]) if found else "an outcome"
    return (
        f"{where} differs from one run to the next though nothing else runs: a clock, chance or an order "
        f"that the statement does not fix{_advice(found)}"
    )


def unordered(one: ProgramOutcome, other: ProgramOutcome, order: Sequence[str], masks: Masks) -> str:
    """Why runs that are not alike differ in nothing but how the rows were stored before them."""
    found = differences(one, other, order, masks)
    where = _where(found[0]) if found else "an outcome"
    step = next((each.place for each in found if isinstance(each.place, StatementPlace)), None)
    return (
        f"{where} depends on the order in which rows happen to be stored, which concurrency changes: "
        f"give {step if step is not None else 'the statement that reads them'} an ORDER BY"
    )


def _where(difference: Difference) -> str:
    columns = _columns(difference)
    if not columns:
        return str(difference.place)
    return f"{listed(columns)} in {difference.place}"


def _advice(found: Sequence[Difference]) -> str:
    """Columns to ignore, where a few of them make all the difference."""
    places: list[str] = []
    for each in found:
        columns = _columns(each)
        if not columns:
            return ""
        if isinstance(each.place, TablePlace):
            places += [f"{each.place.table}.{column}" for column in columns]
        elif isinstance(each.seen, Rows):
            origins = [each.seen.origin(each.seen.columns.index(column)) for column in columns]
            if None in origins:
                return ""
            places += [origin for origin in origins if origin is not None]
    if not places:
        return ""
    return f"; if that is meant, say ignore: [{', '.join(dict.fromkeys(places))}]"


def _columns(difference: Difference) -> tuple[str, ...]:
    """Those whose values differ, where every row has a partner that is alike in all others."""
    seen, expected = difference.seen, difference.expected
    if not (isinstance(seen, Rows) and isinstance(expected, Rows)) or len(seen.rows) != len(expected.rows):
        return ()
    differing = tuple(
        name for number, name in enumerate(seen.columns) if _values(seen, number) != _values(expected, number)
    )
    return differing if len(differing) < max(len(seen.columns), 2) else ()


def _values(rows: Rows, column: int) -> Counter[str]:
    return Counter(plain_cell(row[column]) for row in rows.rows)
