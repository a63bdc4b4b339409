"""Derived columns of a history's micro-operations, each computed once and used throughout the analysis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from txfuzz.analysis.dependencies.version_order_ties import with_elles_choice
from txfuzz.common.kind import Kind
from txfuzz.history.arrays import ranges
from txfuzz.history.model import FAIL, INFO, OK, READ, UNKNOWN, History, Ints

Rows: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]

NOTHING = -1
_LAGS = 16  # transactions up to this length are scanned by shifting; longer ones are sorted


@dataclass(frozen=True, eq=False)
class Columns:
    """Derived columns of one History; m micro-operations, e elements, n transactions."""

    history: History

    @cached_property
    def txn(self) -> Rows:
        """(m) the transaction of each micro-operation."""
        lengths = np.diff(self.history.mops)
        return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)

    @cached_property
    def type(self) -> npt.NDArray[np.int8]:
        """(m) OK, FAIL or INFO: the type of its transaction."""
        return self.history.type[self.txn]

    @cached_property
    def is_read(self) -> Flags:
        """(m) whether it is a read; otherwise it is a write."""
        read: Flags = self.history.mop_f == READ
        return read

    @cached_property
    def saw(self) -> Ints:
        """(m) the version that a read saw: the last element read, or NIL; UNKNOWN for the rest."""
        history = self.history
        saw = np.where(self.is_read, history.mop_value, UNKNOWN)
        if history.kind is Kind.RW_REGISTER:
            return saw
        last = np.zeros(len(history.read_key), np.int64)
        trunk = np.flatnonzero(history.read_trunk)
        starts = history.trunks[history.read_key[trunk]]
        last[trunk] = history.trunk_elements[starts + history.read_length[trunk] - 1]
        for row, elements in history.odd_reads.items():
            last[row] = elements[-1]
        some = np.flatnonzero(saw >= 0)
        saw[some] = last[saw[some]]
        return saw

    @cached_property
    def place(self) -> Ints:
        """(e) the first index of each element in the longest read of its key; a huge number if absent."""
        history = self.history
        place = np.full(len(history.element_key), np.iinfo(np.int64).max)
        # of several assignments the last one stays
        place[history.trunk_elements[::-1]] = ranges(0, np.diff(history.trunks))[::-1]
        return place

    @cached_property
    def writer(self) -> Rows:
        """(e) the micro-operation that wrote each element, in any transaction; NOTHING if none did.

        Of several writers, those that did not fail take precedence.
        """
        writer = np.full(len(self.history.element_key), NOTHING, np.int32)
        for failed in (True, False):
            mops = np.flatnonzero(~self.is_read & ((self.type == FAIL) == failed))
            writer[self.history.mop_value[mops]] = mops
        return writer

    @cached_property
    def effective_writer(self) -> Rows:
        """(e + 1) as `writer`, for transactions that take part; the last entry, for NIL, is NOTHING."""
        effective = np.append(self.writer, np.int32(NOTHING))
        written = np.flatnonzero(effective >= 0)
        out = ~self.takes_part[self.txn[effective[written]]]
        effective[written[out]] = NOTHING
        return effective

    @cached_property
    def observed(self) -> Flags:
        """(e) whether an ok or info transaction (lists) or an ok transaction (registers) read it."""
        history = self.history
        seen = np.zeros(len(history.element_key), np.bool_)
        if history.kind is Kind.RW_REGISTER:
            saw = self.saw[self.type == OK]
            seen[saw[saw >= 0]] = True
            return seen
        seen[history.trunk_elements] = True
        for elements in history.odd_reads.values():
            seen[elements] = True
        return seen

    @cached_property
    def takes_part(self) -> Flags:
        """(n) the transactions in the dependency graph.

        Those that committed, and some of unknown outcome: for lists all that have a completion, as in
        Elle; for registers (where Elle leaves them out) those whose write was read, which proves that
        they took effect. The same proof admits an invocation without a completion.
        """
        history = self.history
        part = history.type == OK
        info = history.type == INFO
        if history.kind is not Kind.RW_REGISTER:
            part = part | (info & (history.complete_at >= 0))
        writer = self.writer[self.observed]
        seen = np.zeros(len(history), np.bool_)
        seen[self.txn[writer[writer >= 0]]] = True
        taking: Flags = part | (info & seen)
        return taking

    @cached_property
    def previous(self) -> Rows:
        """(m) the previous micro-operation on the same key in the same transaction, or NOTHING."""
        return previous_equal(self.txn, self.history.mop_key)

    @cached_property
    def first(self) -> Rows:
        """(m) the first micro-operation on the same key in the same transaction."""
        first = np.where(self.previous < 0, np.arange(len(self.previous), dtype=np.int32), self.previous)
        while True:
            further = first[first]
            if np.array_equal(further, first):
                return first
            first = further

    @cached_property
    def written_over(self) -> Flags:
        """(m) whether it is a write that the same transaction follows with another one to the same key."""
        over = np.zeros(len(self.previous), np.bool_)
        before = self.previous[~self.is_read]
        before = before[before >= 0]
        while len(before):
            read = self.is_read[before]
            over[before[~read]] = True
            before = self.previous[before[read]]
            before = before[before >= 0]
        return over


def columns_of(history: History) -> Columns:
    """The columns of a history, with the version orders that the checker uses."""
    return Columns(with_elles_choice(history))


def previous_equal(group: Rows, label: Ints) -> Rows:
    """For each position the nearest earlier one with the same label in the same group, or -1.

    Groups are contiguous. Short ones are scanned by shifting the columns.
    """
    found = np.full(len(group), NOTHING, np.int32)
    open_ = np.arange(1, len(group), dtype=np.int32)
    for lag in range(1, _LAGS + 1):
        open_ = open_[open_ >= lag]
        open_ = open_[group[open_] == group[open_ - lag]]
        same = label[open_] == label[open_ - lag]
        found[open_[same]] = open_[same] - lag
        open_ = open_[~same]
        if not len(open_):
            return found
    long = np.flatnonzero(np.isin(group, group[open_]))
    by_label = long[np.lexsort((long, label[long], group[long]))]
    left, right = by_label[:-1], by_label[1:]
    same = (group[left] == group[right]) & (label[left] == label[right])
    found[right[same]] = left[same]
    return found


def first_of_equal(group: Rows, label: Ints) -> Flags:
    """True at the first position of each distinct (group, label); groups are contiguous."""
    first: Flags = previous_equal(group, label) == NOTHING
    return first
