"""What the analyzers need from a history: the writes that they judge, and who read them when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from txfuzz.plugin_api import (
    NIL,
    OK,
    Columns,
    History,
    Ints,
    Kind,
    Part,
    Verdict,
    VersionOptions,
    unjudged_reason,
)

Flags = npt.NDArray[np.bool_]

EVERY = "*"  # every transaction, whatever its name
_PIECE = 1 << 21  # (read, element) pairs processed at once


def judged_writes(
    columns: Columns, names: Sequence[str], nothing: str, *, lists_only: str = ""
) -> Ints | Part:
    """The writes (micro-operations) of the transactions with these names; a Part if none can be judged.

    nothing: the count reported as 0 without writes. lists_only: what cannot be judged on registers.
    """
    history = columns.history
    if reason := unjudged_reason(columns, VersionOptions()):
        return Part(Verdict.UNKNOWN, reason)
    if EVERY in names:
        chosen = np.ones(len(history), np.bool_)
    else:
        numbers = [at for at, name in enumerate(history.templates) if name in names]
        chosen = np.isin(history.template, numbers)
    writes = np.flatnonzero(~columns.is_read & chosen[columns.txn])
    if not len(writes):
        return Part(data={nothing: 0})
    if lists_only and history.kind is Kind.RW_REGISTER:
        return Part(Verdict.UNKNOWN, f"{lists_only} is judged on lists, not on registers")
    return writes


@dataclass(frozen=True, eq=False)
class CommittedReads:
    """Committed reads of some keys.

    Per read, ordered by (key, began): mop; key; txn; began, ended: positions of its
    transaction in the history, -1 if unknown.
    """

    history: History
    mop: Ints
    key: Ints
    txn: Ints
    began: Ints
    ended: Ints

    def __len__(self) -> int:
        return len(self.mop)

    def of_key(self, key: int) -> Ints:
        """The reads of a key, by `began`."""
        return np.arange(*np.searchsorted(self.key, [key, key + 1]))

    def has(self, reads: Ints, elements: Ints) -> Flags:
        """For each read whether it saw the element at the same index."""
        history = self.history
        row = history.mop_value[self.mop[reads]]
        if history.kind is Kind.RW_REGISTER:
            same: Flags = np.equal(row, elements)
            return same
        own: Flags = (row != NIL) & (history.element_key[elements] == self.key[reads])
        row = np.where(own, row, 0)
        if not len(history.read_length):
            return own
        found: Flags = own & (self._place[elements] < history.read_length[row])
        for at in np.flatnonzero(own & ~history.read_trunk[row]).tolist():
            found[at] = elements[at] in history.odd_reads[int(row[at])]
        return found

    def pairs(self) -> Iterator[tuple[Ints, Ints]]:
        """All distinct (read, element) pairs in pieces, reads in order."""
        offsets, flat = self._distinct
        size = np.diff(offsets)[self._row]
        ends = np.cumsum(size)
        start = 0
        while start < len(self):
            before = int(ends[start - 1]) if start else 0
            stop = max(int(np.searchsorted(ends, before + _PIECE, side="right")), start + 1)
            count = size[start:stop]
            inside = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
            yield (
                np.repeat(np.arange(start, stop), count),
                flat[np.repeat(offsets[self._row[start:stop]], count) + inside],
            )
            start = stop

    @cached_property
    def twice(self) -> tuple[tuple[int, int], ...]:
        """(read, element) where a list contains the element more than once; one read per element."""
        found: dict[int, int] = {}
        for number, value in enumerate(self._values.tolist()):
            elements, times = np.unique(_elements(self.history, value), return_counts=True)
            for element in elements[times > 1].tolist():
                found.setdefault(element, int(np.flatnonzero(self._row == number)[0]))
        return tuple((read, element) for element, read in found.items())

    @cached_property
    def _values(self) -> Ints:
        """The distinct values that were read, as micro-operation values."""
        return np.unique(self.history.mop_value[self.mop])

    @cached_property
    def _row(self) -> Ints:
        """The index in `_values` for each read."""
        return np.searchsorted(self._values, self.history.mop_value[self.mop])

    @cached_property
    def _distinct(self) -> tuple[Ints, Ints]:
        """The distinct elements of each of `_values`: offsets, and flat array."""
        seen = [np.unique(_elements(self.history, value)) for value in self._values.tolist()]
        offsets = np.cumsum([0, *(len(each) for each in seen)])
        return offsets, np.concatenate([np.zeros(0, np.int64), *seen])

    @cached_property
    def _place(self) -> Ints:
        """The first position of each element in its key's trunk; maximal if absent."""
        history = self.history
        place = np.full(len(history.element_key), np.iinfo(np.int64).max)
        lengths = np.diff(history.trunks)
        inside = np.arange(len(history.trunk_elements)) - np.repeat(history.trunks[:-1], lengths)
        np.minimum.at(place, history.trunk_elements, inside)
        return place


def committed_reads(columns: Columns, keys: Ints) -> CommittedReads:
    """Committed transactions' reads of these keys."""
    history = columns.history
    chosen = np.zeros(len(history.keys), np.bool_)
    chosen[keys] = True
    mops = np.flatnonzero(
        columns.is_read & (columns.type == OK) & (history.mop_value >= NIL) & chosen[history.mop_key]
    )
    txn = columns.txn[mops].astype(np.int64)
    order = np.lexsort((mops, history.invoke_at[txn], history.mop_key[mops]))
    mops, txn = mops[order], txn[order]
    return CommittedReads(
        history, mops, history.mop_key[mops], txn, history.invoke_at[txn], history.complete_at[txn]
    )


def _elements(history: History, value: int) -> Ints:
    if value == NIL:
        return np.zeros(0, np.int64)
    if history.kind is Kind.RW_REGISTER:
        return np.array([value], np.int64)
    return history.read_elements(value)
