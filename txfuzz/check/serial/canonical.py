"""Outcomes in a form in which two are equal exactly where nobody could tell them apart.

Rows without an order are sorted, columns that a clock or chance fills are left out, and generated
identifiers (sequences, AUTO_INCREMENT, uuid defaults) count up to renaming: two outcomes are the same if
some one-to-one renaming of the new identifiers turns one into the other. Finding a canonical renaming is
graph canonisation in the small; it is done as there, by refining colours until they stay, and by trying
each member of the first class that is left undecided (McKay 1981).
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, cast

from txfuzz.check.serial.outcome import Ending, ProgramOutcome
from txfuzz.database.scenario import Cell, Rows

_MOST_LEAVES = 5_000  # renamings that are tried where rows are alike; never met but by contrivance

Canonical = Hashable
# Where something is in a value: keys, and None for any element of a list
Path = tuple[str | None, ...]


class TooManyAlike(Exception):
    """So many new identifiers are alike in every respect that comparing them would take too long."""


@dataclass(frozen=True)
class Masks:
    """What of an outcome is no evidence.

    ignored: "table.column" of columns that are left out: filled by a clock or by chance, or named by the
        user. generated: "table.column" of columns that hold generated identifiers, or refer to such →
        the name of the column whose identifiers they are. known: by that name, the identifiers that were
        there before the first transaction; those keep their values.
    """

    ignored: frozenset[str] = frozenset()
    generated: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, frozenset[Cell]] = field(default_factory=dict)
    values: frozenset[tuple[str, Path]] = frozenset()


class _Identifier(NamedTuple):
    column: str
    value: str


_Item = str | _Identifier


class _Row(NamedTuple):
    place: tuple[str, ...]  # which statement or table, and which row of it where rows have an order
    items: tuple[_Item, ...]


def canonical(outcome: ProgramOutcome, masks: Masks) -> Canonical:
    """The outcome of the transactions that committed, and the rows left. Raises TooManyAlike.

    Aborted transactions are left out: what they saw binds nobody, and what they did is undone.
    """
    facts = list(_facts(outcome, masks))
    identifiers = sorted({item for row in facts for item in row.items if isinstance(item, _Identifier)})
    if not identifiers:
        return tuple(sorted((row.place, cast("tuple[str, ...]", row.items)) for row in facts))
    colours = dict.fromkeys(identifiers, 0)
    leaves = [0]
    return _smallest(facts, _refined(facts, colours), leaves)


def plain_cell(cell: Cell) -> str:
    """A cell as text that differs where the values differ: by type, and by value rather than by form."""
    if isinstance(cell, bool) or cell is None:
        return repr(cell)
    if isinstance(cell, int | float | Decimal):
        number = Decimal(str(cell)) if isinstance(cell, float) else Decimal(cell)
        return f"n:{number.normalize()}" if number.is_finite() else f"n:{cell}"
    if isinstance(cell, str):
        return f"s:{cell}"
    if isinstance(cell, bytes | bytearray | memoryview):
        return f"b:{bytes(cell).hex()}"
    if isinstance(cell, datetime.datetime) and cell.tzinfo is not None:
        return f"t:{cell.astimezone(datetime.UTC).isoformat()}"
    if isinstance(cell, list | tuple):
        return f"[{','.join(repr(plain_cell(each)) for each in cell)}]"
    if isinstance(cell, set | frozenset):
        return f"{{{','.join(sorted(repr(plain_cell(each)) for each in cell))}}}"
    if isinstance(cell, Mapping):
        pairs = sorted((plain_cell(key), plain_cell(value)) for key, value in cell.items())
        return f"{{{','.join(f'{key!r}:{value!r}' for key, value in pairs)}}}"
    return f"{type(cell).__name__}:{cell}"


def _facts(outcome: ProgramOutcome, masks: Masks) -> Iterator[_Row]:
    for label, each in outcome.transactions.items():
        if each.ending is not Ending.COMMITTED:
            continue
        yield _Row(("committed", label), ())  # its value is compared by txfuzz.check.serial.value
        for statement in each.statements:
            place = ("statement", label, f"{statement.step:06}")
            counted = "" if statement.rows is not None else str(statement.changed)
            yield _Row((*place, "-"), (counted, statement.code))
            if statement.rows is not None:
                yield from _rows(place, statement.rows, None, masks)
    for table, rows in outcome.tables.items():
        yield from _rows(("table", table), rows, table, masks)


def _rows(place: tuple[str, ...], rows: Rows, table: str | None, masks: Masks) -> Iterator[_Row]:
    origins = [
        f"{table}.{name}" if table is not None else rows.origin(number)
        for number, name in enumerate(rows.columns)
    ]
    for number, row in enumerate(rows.rows):
        items = tuple(
            _item(cell, origin, masks)
            for cell, origin in zip(row, origins, strict=True)
            if origin not in masks.ignored
        )
        yield _Row((*place, f"{number:06}" if rows.ordered else "row"), items)


def _item(cell: Cell, origin: str | None, masks: Masks) -> _Item:
    column = masks.generated.get(origin or "")
    if column is None or cell is None or cell in masks.known.get(column, frozenset()):
        return plain_cell(cell)
    return _Identifier(column, plain_cell(cell))


def _refined(facts: list[_Row], colours: dict[_Identifier, int]) -> dict[_Identifier, int]:
    """Colours by where an identifier occurs and in which company, until no class falls apart any more.

    They are ranks of what is seen, not of the identifiers' own values, and so the same for two outcomes
    that differ by a renaming only.
    """
    while True:
        seen: dict[_Identifier, list[tuple[tuple[str, ...], tuple[str, ...], int]]] = defaultdict(list)
        for row in facts:
            shown = _shown(row, colours)
            for number, item in enumerate(row.items):
                if isinstance(item, _Identifier):
                    seen[item].append((row.place, shown, number))
        signs = {each: (each.column, colours[each], tuple(sorted(seen[each]))) for each in colours}
        ranks = {sign: rank for rank, sign in enumerate(sorted(set(signs.values())))}
        if len(ranks) == len(set(colours.values())) or not colours:
            return {each: ranks[signs[each]] for each in colours}
        colours = {each: ranks[signs[each]] for each in colours}


def _smallest(facts: list[_Row], colours: dict[_Identifier, int], leaves: list[int]) -> Canonical:
    classes: dict[int, list[_Identifier]] = defaultdict(list)
    for each, colour in colours.items():
        classes[colour].append(each)
    tied = next((classes[colour] for colour in sorted(classes) if len(classes[colour]) > 1), None)
    if tied is None:
        leaves[0] += 1
        if leaves[0] > _MOST_LEAVES:
            raise TooManyAlike
        return tuple(sorted((row.place, _shown(row, colours)) for row in facts))
    results = []
    for chosen in tied:
        apart = {each: 2 * colour + 1 for each, colour in colours.items()} | {chosen: 2 * colours[chosen]}
        results.append(_smallest(facts, _refined(facts, apart), leaves))
    return min(results)  # type: ignore[type-var]  # tuples of texts


def _shown(row: _Row, colours: Mapping[_Identifier, int]) -> tuple[str, ...]:
    return tuple(
        f"#{item.column}:{colours[item]:06}" if isinstance(item, _Identifier) else item for item in row.items
    )
