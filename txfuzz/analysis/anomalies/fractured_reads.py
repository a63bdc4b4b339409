"""Fractured reads: a transaction saw only part of what another one wrote.

Defined in Bailis and others, "Scalable Atomic Visibility with RAMP Transactions" (SIGMOD 2014). Elle
has no such anomaly: only `internal` and `future-read` distinguish its read-atomic from read-committed.
Models that prohibit G-single-item thereby prohibit every fractured read, so it is only looked for where a
model (read-atomic, causal-cerone, …) has no other anomaly that reveals it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from txfuzz.analysis.anomalies.facts import Detected, Fact, FracturedRead, detected
from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.list_versions import VersionOrder
from txfuzz.analysis.dependencies.register_versions import VersionGraph, number
from txfuzz.history.arrays import ranges
from txfuzz.history.model import FAIL, NIL, OK, Ints

FRACTURED_READ = "fractured-read"


def looked_for(model: str) -> bool:
    """Whether the model prohibits fractured reads, but not the cycle that each of them implies."""
    return FRACTURED_READ in prohibited(model) and "G-single-item" not in prohibited(model)


def fractured_reads(columns: Columns, versions: VersionOrder | VersionGraph, most: int) -> Iterator[Detected]:
    """Committed transactions that read what another one wrote to a key, and an earlier version of another
    key that it also wrote."""
    history = columns.history
    seen, lacking, writes = _candidates(columns)
    apart = history.mop_key[seen] != history.mop_key[lacking]
    seen, lacking, writes = seen[apart], lacking[apart], writes[apart]
    elements = history.mop_value[writes]
    if isinstance(versions, VersionGraph):
        halved = _lacks_register(columns, versions, lacking, elements)
    else:
        halved = _lacks_list(columns, lacking, elements)
    seen, lacking, writes = seen[halved], lacking[halved], writes[halved]
    # one for each reader and writer
    _, first = np.unique(
        columns.txn[seen].astype(np.int64) * len(history) + columns.txn[writes], return_index=True
    )

    def fact(hit: int) -> Fact:
        mops = int(seen[hit]), int(lacking[hit]), int(writes[hit])
        return FracturedRead((int(columns.txn[mops[0]]), int(columns.txn[mops[2]])), *mops)

    yield from detected(FRACTURED_READ, first, fact, most)


def _candidates(columns: Columns) -> tuple[Ints, Ints, Ints]:
    """For each transaction that read from another one: that read, a read of a key that the other one wrote,
    and the other one's last write of that key."""
    history = columns.history
    reads = np.flatnonzero(columns.is_read & (columns.type == OK) & (history.mop_value >= NIL))
    saw = reads[columns.saw[reads] >= 0]
    writer = columns.writer[columns.saw[saw]]
    known = (writer >= 0) & (columns.type[writer] != FAIL) & (columns.txn[writer] != columns.txn[saw])
    saw, source = saw[known], columns.txn[writer[known]].astype(np.int64)

    writes = np.flatnonzero(~columns.is_read & ~columns.written_over)
    which, written = _joined(source, columns.txn[writes].astype(np.int64))
    written = writes[written]
    keys = len(history.keys)
    wanted = columns.txn[saw[which]].astype(np.int64) * keys + history.mop_key[written]
    have = columns.txn[reads].astype(np.int64) * keys + history.mop_key[reads]
    by_have = np.argsort(have, kind="stable")
    at, read = _joined(wanted, have[by_have])
    return saw[which[at]], reads[by_have[read]], written[at]


def _joined(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """The indices of all equal pairs; `right` is sorted."""
    first, last = (np.searchsorted(right, left, side) for side in ("left", "right"))
    count = last - first
    return np.repeat(np.arange(len(left)), count), ranges(first, count)


def _lacks_list(columns: Columns, reads: Ints, elements: Ints) -> Flags:
    """For each read, whether the list that it saw lacks the corresponding element."""
    history = columns.history
    row = history.mop_value[reads]
    nothing: Flags = row == NIL
    if not len(history.read_length):
        return nothing
    row = np.where(nothing, 0, row)
    lacks: Flags = nothing | (columns.place[elements] >= history.read_length[row])
    for at in np.flatnonzero(~nothing & ~history.read_trunk[row]).tolist():
        lacks[at] = elements[at] not in history.odd_reads[int(row[at])]
    return lacks


def _lacks_register(columns: Columns, graph: VersionGraph, reads: Ints, elements: Ints) -> Flags:
    """For each read, whether it saw a version known to precede the corresponding element.

    What a transaction reads after writing the key itself says nothing about others.
    """
    history = columns.history
    size = len(history.element_key) + len(history.keys)
    version = number(columns, columns.saw[reads], history.mop_key[reads])
    facts = graph.source * size + graph.target
    earlier = np.isin(version * size + elements, facts)
    found: Flags = earlier & (columns.previous[reads] < 0)
    return found
