"""Anomalies within one transaction: reads that contradict its own earlier reads and writes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from txfuzz.analysis.anomalies.facts import Detected, Fact, FutureRead, InternalRead, detected
from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.common.kind import Kind
from txfuzz.history.model import NIL, OK, UNKNOWN, History, Ints


def internal_violations(columns: Columns, most: int) -> Iterator[Detected]:
    """internal (Cerone, Bernardi, Gotsman 2015, axiom INT), committed transactions only.

    After a read the key holds what was read; after a write, that plus the write. A list not yet read
    has an unknown beginning. nil and the empty list differ here, as in Elle.
    """
    history = columns.history
    reads = np.flatnonzero(columns.is_read & (columns.type == OK) & (columns.previous >= 0))
    reads = reads[history.mop_value[reads] != UNKNOWN]
    wrong = (
        _register_wrong(columns, reads) if history.kind is Kind.RW_REGISTER else _list_wrong(columns, reads)
    )
    mops = reads[wrong]
    _, first = np.unique(columns.txn[mops], return_index=True)

    def fact(read: int) -> Fact:
        return InternalRead((int(columns.txn[read]),), read, int(columns.previous[read]))

    yield from detected("internal", mops[first], fact, most)


def _register_wrong(columns: Columns, reads: Ints) -> Flags:
    value = columns.history.mop_value
    before = value[columns.previous[reads]]
    wrong: Flags = (before != value[reads]) & (before != UNKNOWN)
    return wrong


def _list_wrong(columns: Columns, reads: Ints) -> Flags:
    """Walks back from each read over the preceding appends to the read before them, if any.

    Lists on the trunk of their key are compared by length; the others element by element.
    """
    history = columns.history
    value = history.mop_value[reads]
    odd_row = np.append(~history.read_trunk, False)
    length = np.where(value >= 0, np.append(history.read_length, 0)[value], 0)
    start = history.trunks[history.mop_key[reads]]
    wrong = np.zeros(len(reads), np.bool_)
    slow = odd_row[value] & (value >= 0)
    at, back = columns.previous[reads], 0
    open_ = np.flatnonzero(~slow)
    while len(open_):
        before = at[open_]
        is_read = columns.is_read[before]
        reached, read = open_[is_read], before[is_read]
        base = history.mop_value[read]
        row = np.maximum(base, NIL)
        slow[reached] |= odd_row[row]
        base_length = np.where(row >= 0, np.append(history.read_length, 0)[row], 0)
        wrong[reached] |= (length[reached] - back != base_length) & (base != UNKNOWN)
        if back == 0:  # read after read: nil is not []
            literal = history.nil_literal[reads[reached]] != history.nil_literal[read]
            wrong[reached] |= literal & (value[reached] == NIL) & (base == NIL)
        open_, before = open_[~is_read], before[~is_read]
        back += 1
        short = length[open_] < back
        wrong[open_[short]] = True
        open_, before = open_[~short], before[~short]
        seen = history.trunk_elements[start[open_] + length[open_] - back]
        wrong[open_] |= seen != history.mop_value[before]
        at[open_] = columns.previous[before]
        open_ = open_[at[open_] >= 0]
    for place in np.flatnonzero(slow).tolist():
        wrong[place] = _odd_wrong(columns, int(reads[place]))
    return wrong


def _odd_wrong(columns: Columns, read: int) -> bool:
    history = columns.history
    seen = _elements(history, read)
    before = int(columns.previous[read])
    while before >= 0 and not columns.is_read[before]:
        if not seen or seen.pop() != history.mop_value[before]:
            return True
        before = int(columns.previous[before])
    return before >= 0 and history.mop_value[before] != UNKNOWN and seen != _elements(history, before)


def _elements(history: History, read: int) -> list[int]:
    row = int(history.mop_value[read])
    return [] if row < 0 else [int(element) for element in history.read_elements(row)]


def future_reads(columns: Columns, most: int) -> Iterator[Detected]:
    """A committed transaction reads, in a list, an element that it appends only later."""
    history = columns.history
    appends = np.flatnonzero(~columns.is_read & (columns.type == OK) & (columns.previous >= 0))
    at = columns.previous[appends].astype(np.int64)
    hits: list[tuple[int, int]] = []
    while len(appends):
        value = history.mop_value[at]
        read = np.flatnonzero(columns.is_read[at] & (value >= 0))
        trunk = history.read_trunk[value[read]]
        element = history.mop_value[appends[read]]
        sees = trunk & (columns.place[element] < history.read_length[value[read]])
        for each in np.flatnonzero(~trunk).tolist():
            sees[each] = bool((history.odd_reads[int(value[read[each]])] == element[each]).any())
        hits += zip(at[read[sees]].tolist(), appends[read[sees]].tolist(), strict=True)
        at = columns.previous[at].astype(np.int64)
        appends, at = appends[at >= 0], at[at >= 0]
    hits.sort()
    first = {int(columns.txn[read]): (read, append) for read, append in reversed(hits)}
    mops = sorted(first.values())

    def fact(hit: int) -> Fact:
        read, append = mops[hit]
        return FutureRead((int(columns.txn[read]),), read, int(history.mop_value[append]))

    yield from detected("future-read", np.arange(len(mops)), fact, most)
