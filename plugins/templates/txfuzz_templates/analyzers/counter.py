"""counter-bounds: a counter shows at least what was acknowledged and at most what was attempted.

Jepsen's counter checker, on lists whose length is the count: a read lies between the increments
acknowledged before its transaction began and those attempted before it ended. Increments with unknown
outcome count only for the upper bound, failed ones for neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from txfuzz.plugin_api import (
    FAIL,
    OK,
    Anomaly,
    Calls,
    Columns,
    History,
    Ints,
    Part,
    Verdict,
    columns_of,
    key_text,
    option,
)

from ..calls.counter import ABOVE, BELOW, DEFINITIONS, is_counter, judge_counter
from .anomalies import (
    ALWAYS,
    after,
    against_option,
    counted,
    forbids,
    forbids_stale_reads,
    shown_option,
    view,
)
from .committed_reads import CommittedReads, Flags, committed_reads, judged_writes


@dataclass(frozen=True)
class CounterBounds:
    """Counters include every acknowledged increment. The fields are options."""

    name: ClassVar[str] = "counter-bounds"
    about: ClassVar[str] = "whether counters lie between the acknowledged and the attempted increments"
    models: ClassVar[tuple[str, ...]] = ("counter",)

    increments: tuple[str, ...] = option(
        ("counter-increment",),
        "transactions that append to counters; `*` for all",
    )
    against: str = against_option()
    shown: int = shown_option()

    def analyze(self, history: History, expect: str) -> Part:
        columns = columns_of(history)
        writes = judged_writes(columns, self.increments, "counters", lists_only="a counter")
        if isinstance(writes, Part):
            return writes
        counters = np.unique(history.mop_key[writes])
        observed = committed_reads(columns, counters)
        bounds = _bounds(columns, observed)
        low, high = bounds.count < bounds.least, bounds.count > bounds.most
        lost = low & bounds.last
        always = self.against == ALWAYS
        counting = {
            BELOW: low if always or forbids_stale_reads(expect) else lost & forbids(expect, "lost-update"),
            ABOVE: high & (always or forbids(expect, "G1a")),
        }
        data = {
            "counters": len(counters),
            "reads": len(observed),
            "below": int(low.sum()),
            "above": int(high.sum()),
            "lost": int((bounds.least - bounds.count)[lost].sum()),
            "contradicts": any(bool(found.any()) for found in counting.values()),
        }
        if data["contradicts"]:
            anomalies = tuple(
                _anomaly(columns, observed, bounds, type, read)
                for type, found in counting.items()
                for read in np.flatnonzero(found)[: self.shown].tolist()
            )
            outside = sum(int(found.sum()) for found in counting.values())
            reason = f"{counted(outside, 'read')} of {len(observed):,} outside the bounds of a counter"
            return Part(Verdict.INVALID, reason, anomalies, data)
        if not len(observed):
            return Part(Verdict.UNKNOWN, "no read of a counter is known to have committed", data=data)
        return Part(data=data)

    def judge(self, calls: Calls, model: str) -> Part:
        """A history of Jepsen's counter: numbers are added, and the sum is read."""
        return judge_counter(calls, self.shown)

    def likely(self, calls: Calls) -> tuple[str, ...]:
        return self.models if is_counter(calls) else ()


@dataclass(frozen=True, eq=False)
class _Bounds:
    """For each read: the count, its bounds, and whether it is the last read of its counter,
    begun after the last acknowledgement."""

    count: Ints
    least: Ints
    most: Ints
    last: Flags


def _bounds(columns: Columns, observed: CommittedReads) -> _Bounds:
    history = columns.history
    appends = np.flatnonzero(~columns.is_read)
    done = appends[columns.type[appends] == OK]
    asked = appends[columns.type[appends] != FAIL]
    row = history.mop_value[observed.mop]
    count = np.where(row >= 0, history.read_length[np.maximum(row, 0)] if len(history.read_length) else 0, 0)
    least = _earlier(columns, done, history.complete_at, observed.key, observed.began)
    most = _earlier(columns, asked, history.invoke_at, observed.key, observed.ended)
    before, afterwards = _own(columns, appends, observed)
    last = np.append(observed.key[1:] != observed.key[:-1], True)[: len(observed)]
    finished = np.full(len(history.keys), -1, np.int64)
    np.maximum.at(finished, history.mop_key[done], history.complete_at[columns.txn[done]])
    return _Bounds(count, least + before, most - afterwards, last & (observed.began > finished[observed.key]))


def _earlier(columns: Columns, mops: Ints, at: Ints, keys: Ints, before: Ints) -> Ints:
    """For each key, how many of these appends to it come before the given position."""
    history = columns.history
    span = int(max(history.complete_at.max(initial=0), history.invoke_at.max(initial=0))) + 3
    places = np.sort(history.mop_key[mops] * span + at[columns.txn[mops]] + 1)
    first = np.searchsorted(places, keys * span)
    found: Ints = np.maximum(np.searchsorted(places, keys * span + before + 1) - first, 0)
    return found


def _own(columns: Columns, appends: Ints, observed: CommittedReads) -> tuple[Ints, Ints]:
    """For each read, the appends to its counter by its own transaction, before and after it."""
    history = columns.history
    keys, mops = len(history.keys), len(history.mop_f) + 1
    places = np.sort(
        (columns.txn[appends].astype(np.int64) * keys + history.mop_key[appends]) * mops + appends
    )
    group = (observed.txn * keys + observed.key) * mops
    start, here, end = (np.searchsorted(places, group + at) for at in (0, observed.mop, mops))
    return here - start, end - here


def _anomaly(columns: Columns, observed: CommittedReads, bounds: _Bounds, type: str, read: int) -> Anomaly:
    history = columns.history
    key, txn = int(observed.key[read]), int(observed.txn[read])
    count, least, most = (int(each[read]) for each in (bounds.count, bounds.least, bounds.most))
    shows = f"T1 read {count} from counter {key_text(history, key)}"
    if type == BELOW:
        rows, told = _missed(columns, observed, read)
        said = f"{shows}, although {counted(least, 'increment')} had been acknowledged before it began.{told}"
    else:
        rows = []
        said = (
            f"{shows}, although no more than {counted(most, 'increment')} had been attempted before it ended."
        )
    record = {"key": history.keys[key], "count": count, "least": least, "most": most}
    views = tuple(view(history, row, {key}) for row in (txn, *rows))
    return Anomaly(type, views, said, DEFINITIONS[type], record=record)


def _missed(columns: Columns, observed: CommittedReads, read: int) -> tuple[list[int], str]:
    """The last acknowledged increment that a low read misses, and a sentence about it."""
    history = columns.history
    key, began = observed.key[read], observed.began[read]
    done = ~columns.is_read & (history.mop_key == key) & (columns.type == OK)
    mops = np.flatnonzero(done & (history.complete_at[columns.txn] < began))
    mops = mops[~observed.has(np.full(len(mops), read), history.mop_value[mops])]
    if not len(mops):  # some elements are duplicated, others missing
        return [], ""
    mop = int(mops[np.argmax(history.complete_at[columns.txn[mops]])])
    row = int(columns.txn[mop])
    when = after(history, row, int(observed.txn[read]))
    return [row], f" T2 was one of them; T1 began {when} and does not have its increment."
