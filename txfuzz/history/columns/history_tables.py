"""Makes a History from growing columns: brings everything into one order, and numbers elements and reads.

Everything is linear (except for a sort if values are sparse) and vectorised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from txfuzz.common.kind import Kind
from txfuzz.history.arrays import ranges
from txfuzz.history.columns.growing import NO_PROCESS, GrowingColumns
from txfuzz.history.columns.interning import (
    FIRST_NAMED,
    KIND_BITS,
    LARGEST_PROCESS,
    READ_ELEMENT,
    READ_LIST,
    READ_NIL,
    READ_ODD,
    READ_UNKNOWN,
    WROTE,
    WROTE_APPEND,
    Codes,
    Keys,
    Lists,
    Processes,
)
from txfuzz.history.columns.read_table import ReadTable, read_table
from txfuzz.history.model import APPEND, NIL, READ, UNKNOWN, WRITE, History, Ints, SmallInts

# The model's function for each stored one.
_FUNCTION = np.full(8, READ, np.int8)
_FUNCTION[[WROTE_APPEND, WROTE]] = APPEND, WRITE

# Elements are numbered with a table over the range of every key's values, unless that is more than this many
# times as long as the list of them; then by sorting.
_SPREAD = 4


class Values(Sequence[Any]):
    """The values of elements, stored as codes to save memory."""

    def __init__(self, codes: Ints, meaning: Codes) -> None:
        self._codes = codes
        self._meaning = meaning

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self._meaning.value(code) for code in self._codes[at].tolist()]
        return self._meaning.value(int(self._codes[at]))

    def __len__(self) -> int:
        return len(self._codes)

    def __repr__(self) -> str:
        return f"<{len(self)} values>"


class _Mops(NamedTuple):
    """Micro-operations in the order of transactions. stored: the kind, without the key."""

    offsets: Ints
    stored: SmallInts
    key: Ints
    value: Ints
    step: Ints

    def has(self, *stored: int) -> npt.NDArray[np.bool_]:
        wanted = np.zeros(1 << KIND_BITS, np.bool_)
        wanted[list(stored)] = True
        return wanted[self.stored]


class _Elements(NamedTuple):
    """The distinct pairs of key and code, sorted."""

    key: Ints
    code: Ints


def history_of(
    kind: Kind | None,
    templates: Sequence[str],
    keys: Keys,
    codes: Codes,
    lists: Lists,
    columns: GrowingColumns,
    processes: Processes,
) -> History:
    """The History of these flushed columns; the caller adds the remaining fields."""
    at_row = columns.take("row")

    def completed(name: str) -> Ints:
        return _by_row(columns.take(name), at_row)

    mops, old_keys, new_key = _in_one_order(columns, at_row, len(keys.values))
    values = [keys.values[key] for key in old_keys]
    is_list, is_odd = mops.has(READ_LIST), mops.has(READ_ODD)
    table = read_table(
        texts=[keys.states[key].text for key in old_keys],
        odd=[(int(new_key[key]), text, then) for key, text, then in lists.odd],
        key=mops.key[is_list],
        length=mops.value[is_list],
    )
    invoked_else = [
        (row, int(new_key[code >> KIND_BITS]), value)
        for row, wrote in columns.invoked_else.items()
        for code, value in wrote
    ]
    value, elements, of_lists, duplicates = _number_elements(mops, table, invoked_else, len(values))
    value[is_list] = table.main_row
    value[is_odd] = table.odd_row[mops.value[is_odd]]
    trunks = np.concatenate([[0], np.cumsum(table.trunk_length)]).astype(np.int64)
    process, process_names = _processes(columns.take("process"), processes)
    return History(
        kind=kind,
        type=completed("type").astype(np.int8),
        process=process,
        process_names=process_names,
        invoke_at=columns.take("invoke_at"),
        complete_at=completed("complete_at"),
        invoke_index=columns.take("invoke_index"),
        complete_index=completed("complete_index"),
        invoke_time=columns.take("invoke_time"),
        complete_time=completed("complete_time"),
        template=columns.take("template"),
        mops=mops.offsets,
        mop_f=_FUNCTION[mops.stored],
        mop_key=mops.key,
        mop_value=value,
        mop_step=mops.step,
        nil_literal=mops.has(READ_NIL) & (kind is not Kind.RW_REGISTER),
        templates=list(templates),
        keys=values,
        logical=[
            keys.logical.get(old, key if type(key) is int else None)
            for old, key in zip(old_keys, values, strict=True)
        ],
        element_key=elements.key,
        element_value=Values(elements.code, codes),
        read_key=table.row_key,
        read_length=table.row_length,
        read_trunk=table.row_on_trunk,
        odd_reads={
            row: of_lists[table.row_start[row] :][: table.row_length[row]]
            for row in np.flatnonzero(~table.row_on_trunk).tolist()
        },
        trunk_elements=of_lists[ranges(table.trunk_start, table.trunk_length)],
        trunks=trunks,
        duplicate_writes=duplicates,
    )


def _by_row(column: Ints, at_row: Ints) -> Ints:
    ordered = np.empty_like(column)
    ordered[at_row] = column
    return ordered


def _in_one_order(columns: GrowingColumns, at_row: Ints, all_keys: int) -> tuple[_Mops, list[int], Ints]:
    """Micro-operations by row, keys numbered as they appear there: old keys by new, new by old."""
    in_storage = columns.take("count")
    count = _by_row(in_storage, at_row)
    gather = ranges(_by_row(np.cumsum(in_storage) - in_storage, at_row), count)
    key = columns.take("codes")[gather]
    stored = (key & ((1 << KIND_BITS) - 1)).astype(np.int8)
    key >>= KIND_BITS
    value = columns.take("values")[gather]
    step = columns.take("step")[gather]
    first = np.full(all_keys, len(key), np.int64)
    first[key[::-1]] = np.arange(len(key), dtype=np.int64)[::-1]  # the last of several assignments wins
    old_keys = np.argsort(first, kind="stable")[: int((first < len(key)).sum())].tolist()
    named = {code >> KIND_BITS for wrote in columns.invoked_else.values() for code, _ in wrote}
    old_keys += sorted(named.difference(old_keys))
    new_key = np.full(all_keys, -1, np.int64)
    new_key[old_keys] = np.arange(len(old_keys))
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return _Mops(offsets, stored, new_key[key], value, step), old_keys, new_key


def _number_elements(
    mops: _Mops, table: ReadTable, invoked_else: Sequence[tuple[int, int, int]], keys: int
) -> tuple[Ints, _Elements, Ints, list[tuple[int, int, int]]]:
    """The column of values, the elements, the lists of `table` as elements, duplicate writes."""
    has_element = mops.has(WROTE_APPEND, WROTE, READ_ELEMENT)
    other = np.array(invoked_else, np.int64).reshape(-1, 3)
    ids, elements = number_pairs(
        np.concatenate([mops.key[has_element], table.key, other[:, 1]]),
        np.concatenate([mops.value[has_element], table.codes, other[:, 2]]),
        keys,
    )
    of_mops, of_lists, of_other = np.split(ids, np.cumsum([int(has_element.sum()), len(table.codes)]))
    value = np.where(mops.has(READ_UNKNOWN), UNKNOWN, NIL).astype(np.int64)
    value[has_element] = of_mops
    wrote = mops.has(WROTE_APPEND, WROTE)
    row = np.repeat(np.arange(len(mops.offsets) - 1), np.diff(mops.offsets))[wrote]
    counts = ~np.isin(row, other[:, 0])
    duplicates = _duplicates(
        np.concatenate([row[counts], other[:, 0]]), np.concatenate([value[wrote][counts], of_other])
    )
    return value, elements, of_lists, duplicates


def number_pairs(key: Ints, code: Ints, keys: int) -> tuple[Ints, _Elements]:
    """The number of each pair among the distinct ones, by key and code; and those."""
    low = np.full(keys, np.iinfo(np.int64).max)
    high = np.full(keys, np.iinfo(np.int64).min)
    np.minimum.at(low, key, code)
    np.maximum.at(high, key, code)
    # Codes lie up to 2 ** 63 apart: too far for a difference with a sign, and for an exact float.
    width = np.where(high >= low, high.view(np.uint64) - low.view(np.uint64) + np.uint64(1), np.uint64(0))
    if width.sum(dtype=np.float64) <= _SPREAD * len(key) + 1024:
        size = width.astype(np.int64)
        slot = (np.cumsum(size) - size)[key] + (code - low[key])
        used = np.zeros(int(size.sum()), np.bool_)
        used[slot] = True
        ids = (np.cumsum(used) - 1)[slot]
    else:
        order = np.lexsort((code, key))
        by_key, by_code = key[order], code[order]
        is_new = np.ones(len(order), np.bool_)
        is_new[1:] = (by_key[1:] != by_key[:-1]) | (by_code[1:] != by_code[:-1])
        ids = np.empty(len(order), np.int64)
        ids[order] = np.cumsum(is_new) - 1
    distinct = int(ids.max(initial=-1)) + 1
    elements = _Elements(np.empty(distinct, np.int64), np.empty(distinct, np.int64))
    elements.key[ids] = key
    elements.code[ids] = code
    return ids, elements


def _duplicates(row: Ints, element: Ints) -> list[tuple[int, int, int]]:
    """(element, row that wrote it first, row that wrote it again)."""
    again = np.flatnonzero(np.bincount(element)[element] > 1) if len(element) else element
    order = again[np.lexsort((row[again], element[again]))]
    row, element = row[order], element[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = element[1:] != element[:-1]
    first_row = (
        row[np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))] if len(order) else row
    )
    pairs = zip(element.tolist(), first_row.tolist(), row.tolist(), is_first.tolist(), strict=True)
    return [(at, first, second) for at, first, second, begins in pairs if not begins]


def _processes(process: Ints, processes: Processes) -> tuple[Ints, dict[int, Any]]:
    """Process numbers, and number → name. Missing processes get an unused negative number, names get numbers
    after all others."""
    missing = process == NO_PROCESS
    named = (process < -LARGEST_PROCESS) & ~missing
    numbers = process[~named & ~missing]
    first = int(numbers.max(initial=-1)) + 1
    process[named] += -FIRST_NAMED  # in two steps: together they may be too large for a number
    process[named] += first
    process[missing] = min(0, int(numbers.min(initial=0))) - 1
    return process, dict(enumerate(processes.names, first))
