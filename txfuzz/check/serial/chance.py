"""What clocks and chance do in code itself: a time, a uuid or a token that is another one in each run.

Columns that the database fills so are known from the schema. Those that code fills show only where two runs
of the same transactions in the same order differ in nothing else.
"""

from __future__ import annotations

import datetime
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from txfuzz.check.serial.canonical import Masks, Path, plain_cell
from txfuzz.check.serial.outcome import ProgramOutcome
from txfuzz.check.serial.value import CodeValue, new_identifiers
from txfuzz.database.scenario import Cell, Rows

# Not whole or decimal numbers: amounts and counters are what is to be checked
_KINDS = datetime.date, datetime.time, datetime.timedelta, uuid.UUID, str, bytes, float


def without_chance(one: ProgramOutcome, other: ProgramOutcome, masks: Masks) -> Masks | None:
    """Masks that leave out, too, what differs between these runs of code; None where that is nothing that a
    clock or chance is likely to have filled, or no code was run. It has to be seen whether they suffice.
    """
    pairs = [(label, one.transactions[label].value, other.transactions[label].value)
             for label in one.transactions.keys() & other.transactions.keys()]  # fmt: skip
    if not any(isinstance(value, CodeValue) for _, value, _ in pairs):
        return None
    columns = {
        f"{table}.{column}"
        for table in one.tables.keys() & other.tables.keys()
        for column in _columns(table, one.tables[table], other.tables[table], masks)
    }
    new = new_identifiers(one, masks) | new_identifiers(other, masks)
    values = {
        (label, path)
        for label, first, second in pairs
        if isinstance(first, CodeValue) and isinstance(second, CodeValue)
        for path in _paths(first.returned, second.returned, new)
    }
    if columns <= masks.ignored and values <= masks.values:
        return None
    return replace(masks, ignored=masks.ignored | columns, values=masks.values | values)


def _columns(table: str, one: Rows, other: Rows, masks: Masks) -> Iterator[str]:
    if len(one.rows) != len(other.rows) or one.columns != other.columns:
        return
    for number, column in enumerate(one.columns):
        place = f"{table}.{column}"
        if place in masks.ignored or place in masks.generated:
            continue
        cells = [[row[number] for row in rows.rows] for rows in (one, other)]
        counted = [Counter(map(plain_cell, each)) for each in cells]
        left = [counted[0] - counted[1], counted[1] - counted[0]]
        differing = [
            cell for each, more in zip(cells, left, strict=True) for cell in each if more[plain_cell(cell)]
        ]
        if differing and all(isinstance(cell, _KINDS) for cell in differing):
            yield column


def _paths(one: Cell, other: Cell, new: frozenset[str], path: Path = ()) -> Iterator[Path]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.keys() == other.keys():
            for key in one:
                yield from _paths(one[key], other[key], new, (*path, key))
        elif len(one) == len(other):
            yield path
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for first, second in zip(one, other, strict=True):
            yield from _paths(first, second, new, (*path, None))
    elif type(one) is type(other) and isinstance(one, _KINDS):
        shown = plain_cell(one), plain_cell(other)
        if shown[0] != shown[1] and not new.intersection(shown):
            yield path
