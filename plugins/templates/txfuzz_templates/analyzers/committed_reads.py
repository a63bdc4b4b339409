"""What all three analyzers ask of a history: who writes what they judge, and who saw it when."""

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
_PIECE = 1 << 21  # (read, element) pairs that are looked at in one go


def judged_writes(
    columns: Columns, names: Sequence[str], nothing: str, *, lists_only: str = ""
) -> Ints | Part:
    """The writes of the transactions of these names, as micro-operations; or the answer that ends it.

    nothing: what there are 0 of, where nobody wrote. lists_only: what cannot be judged on registers.
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
    """What committed transactions read of some keys.

    Per read, in the order of (key, beginning): mop; key; txn; began, ended: positions of its
    transaction in the history, -1 where the file does not say.
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
        """Its reads, by their beginning."""
        return np.arange(*np.searchsorted(self.key, [key, key + 1]))

    def has(self, reads: Ints, elements: Ints) -> Flags:
        """For each read whether it saw the element that stands beside it."""
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
        """All (read, element) in pieces, reads in order, each pair once."""
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
        """(read, element) where a list has the element more than once; one read for each."""
        found: dict[int, int] = {}
        for number, value in enumerate(self._values.tolist()):
            elements, times = np.unique(_elements(self.history, value), return_counts=True)
            for element in elements[times > 1].tolist():
                found.setdefault(element, int(np.flatnonzero(self._row == number)[0]))
        return tuple((read, element) for element, read in found.items())

    @cached_property
    def _values(self) -> Ints:
        """The different things that were read, as values of micro-operations."""
        return np.unique(self.history.mop_value[self.mop])

    @cached_property
    def _row(self) -> Ints:
        """Which of them each read saw."""
        return np.searchsorted(self._values, self.history.mop_value[self.mop])

    @cached_property
    def _distinct(self) -> tuple[Ints, Ints]:
        """Their elements, each once: offsets, and all of them flat."""
        seen = [np.unique(_elements(self.history, value)) for value in self._values.tolist()]
        offsets = np.cumsum([0, *(len(each) for each in seen)])
        return offsets, np.concatenate([np.zeros(0, np.int64), *seen])

    @cached_property
    def _place(self) -> Ints:
        """Where each element first stands in the trunk of its key; beyond all lists where it does not."""
        history = self.history
        place = np.full(len(history.element_key), np.iinfo(np.int64).max)
        lengths = np.diff(history.trunks)
        inside = np.arange(len(history.trunk_elements)) - np.repeat(history.trunks[:-1], lengths)
        np.minimum.at(place, history.trunk_elements, inside)
        return place


def committed_reads(columns: Columns, keys: Ints) -> CommittedReads:
    """The reads of committed transactions on these keys."""
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
