"""Updates that were lost, or built on what a failed transaction wrote (Kingsbury & Alvaro 2020)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from txfuzz.analysis.anomalies.facts import Detected, DirtyUpdate, Fact, LostUpdate, detected
from txfuzz.analysis.dependencies.columns import Columns
from txfuzz.analysis.dependencies.list_versions import VersionOrder
from txfuzz.history.model import FAIL, INFO, NIL, OK, UNKNOWN

_SHOWN = 8  # updaters of one version that are shown


def lost_updates(columns: Columns, most: int) -> Iterator[Detected]:
    """Several committed transactions read the same version of a key, then each wrote the key.

    Only the first read of the key counts, in a transaction that writes it afterwards.
    """
    history = columns.history
    writes = np.flatnonzero(~columns.is_read & (columns.type == OK) & (columns.previous >= 0))
    first_read = np.full(len(writes), -1, np.int64)
    at = columns.previous[writes].astype(np.int64)
    open_ = np.arange(len(writes))
    while len(open_):
        read = columns.is_read[at[open_]]
        first_read[open_[read]] = at[open_[read]]
        at[open_] = columns.previous[at[open_]]
        open_ = open_[at[open_] >= 0]
    reads = np.unique(first_read[first_read >= 0])
    reads = reads[history.mop_value[reads] != UNKNOWN]
    value = history.mop_value[reads]
    same = np.where(value == NIL, -1 - history.mop_key[reads], value)
    _, group, sizes = np.unique(same, return_inverse=True, return_counts=True)
    by_group = np.argsort(group, kind="stable")
    ends = np.cumsum(sizes)
    hits = np.flatnonzero(sizes > 1)

    def fact(hit: int) -> Fact:
        mops = reads[by_group[ends[hit] - sizes[hit] : ends[hit]]]
        rows = tuple(columns.txn[mops].tolist())
        return LostUpdate(rows[:_SHOWN], int(mops[0]), rows)

    yield from detected("lost-update", hits, fact, most)


def dirty_updates(columns: Columns, order: VersionOrder, most: int) -> Iterator[Detected]:
    """Elements of failed transactions that a committed one built on.

    Only transactions of unknown outcome are between the two in the version order.
    """
    history = columns.history
    writer = columns.writer[order.elements]
    kind = np.where(writer >= 0, np.append(columns.type, OK)[writer], -1)
    firm = np.flatnonzero(kind != INFO)
    before, after = firm[:-1], firm[1:]
    key = history.element_key[order.elements]
    hits = np.flatnonzero(
        (kind[before] == FAIL) & (kind[after] == OK) & (key[before] == key[after]) & (len(firm) > 1)
    )

    def fact(hit: int) -> Fact:
        places = np.arange(before[hit], after[hit] + 1)
        rows = columns.txn[writer[places]].tolist()
        return DirtyUpdate(tuple(rows), tuple(order.elements[places].tolist()))

    yield from detected("dirty-update", hits, fact, most)
