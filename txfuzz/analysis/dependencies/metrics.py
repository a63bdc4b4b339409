"""How densely transactions depend on each other: the measures of contention.

In list-append nearly every operation has some dependency, if only on a much earlier writer. A fuzzer
wants contention, so dependencies between transactions that overlapped in time are counted separately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.edges import Dependencies
from txfuzz.history.arrays import AnyInts, among, distinct, ranges
from txfuzz.history.model import FINAL_READ, OK, UNKNOWN, History, Ints

UNFOLDED = 4_000_000  # anti-dependencies of bicliques that are multiplied out for counting
MOST_MEETINGS = 2_000_000  # meetings on a key that are examined; more are sampled
MOST_TRANSACTIONS = 200_000  # whose meetings are examined
STRETCH = 2_000  # consecutive transactions


@dataclass(frozen=True)
class Metrics:
    """The fields of AnalysisResult of the same names, and what they leave out.

    left_out_versions: how many versions had so many readers that their anti-dependencies were not counted.
    sampled_pairs: how many pairs the estimated dependency density is based on; None if it is exact.
    """

    edge_counts: Mapping[str, int]
    edges_per_txn: float
    concurrent_edges_per_txn: float
    dependency_density: float
    graph_density: float
    left_out_versions: int = 0
    sampled_pairs: int | None = None


def spans(history: History) -> tuple[Ints, Ints]:
    """First and last position of each transaction.

    One without an invocation is a point; one without a completion never ends.
    """
    end = np.where(history.complete_at < 0, np.iinfo(np.int64).max, history.complete_at)
    return np.where(history.invoke_at < 0, history.complete_at, history.invoke_at), end


def asked_for(history: History) -> Flags:
    """(transactions) all but the final reads, which a run adds itself and which depend on everything."""
    added = [at for at, name in enumerate(history.templates) if name == FINAL_READ]
    flags: Flags = ~np.isin(history.template, added)
    return flags


def overlapped(history: History, rows: AnyInts, others: AnyInts) -> Flags:
    """Which of these pairs of transactions overlapped in time."""
    start, end = spans(history)
    both: Flags = (start[rows] < end[others]) & (start[others] < end[rows])
    return both


def stretches(history: History, most: int) -> Flags:
    """(transactions) about this many at most, in stretches evenly spread over a longer history."""
    stretch = np.arange(len(history)) // STRETCH
    every = max(1, -(-len(history) // max(most, 1)))
    chosen: Flags = stretch % every == 0
    return chosen


def metrics(dependencies: Dependencies) -> Metrics:
    history = dependencies.history
    wide = dependencies.unfolded(UNFOLDED) if len(dependencies.bicliques) else dependencies
    nodes = max(len(history), 1)
    source, target = np.divmod(distinct(wide.source.astype(np.int64) * nodes + wide.target), nodes)
    committed = int((history.type == OK).sum())
    taking_part = int(dependencies.columns.takes_part.sum())
    concurrent = int(overlapped(history, source, target).sum())
    meetings, sampled = _meetings(dependencies.columns)
    joined = among(np.sort(np.minimum(source, target) * nodes + np.maximum(source, target)), meetings)
    return Metrics(
        dependencies.counts(),
        _ratio(len(source), committed),
        _ratio(concurrent, committed),
        _ratio(int(joined.sum()), len(meetings)),
        _ratio(len(source), taking_part * (taking_part - 1)),
        len(wide.bicliques),
        len(meetings) if sampled else None,
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _meetings(columns: Columns) -> tuple[Ints, bool]:
    """Pairs of committed transactions that met: overlapped, and touched a key that one of them wrote.

    As smaller row × transactions + larger row, each once; and whether this is a sample.
    """
    history = columns.history
    nodes, keys = max(len(history), 1), max(len(history.keys), 1)
    looked_at = stretches(history, MOST_TRANSACTIONS)
    taken = looked_at[columns.txn] & (columns.type == OK)
    mops = np.flatnonzero(taken & ((history.mop_value != UNKNOWN) | ~columns.is_read))
    place = columns.txn[mops].astype(np.int64) * keys + history.mop_key[mops]
    touches, first = np.unique(place, return_inverse=True)
    wrote = np.zeros(len(touches), np.bool_)
    wrote[first[~columns.is_read[mops]]] = True
    row, key = np.divmod(touches, keys)

    start, end = spans(history)
    width = int(history.complete_at.max(initial=0)) + 2
    begin = key * width + start[row]
    by_begin = np.argsort(begin, kind="stable")
    row, wrote, begin = row[by_begin], wrote[by_begin], begin[by_begin]
    until = np.searchsorted(begin, key[by_begin] * width + end[row])
    here = np.arange(len(row))
    counts = np.maximum(until - here - 1, 0)
    every = max(1, -(-int(counts.sum()) // MOST_MEETINGS))
    here, counts = here[::every], counts[::every]
    one = np.repeat(here, counts)
    other = ranges(here + 1, counts)
    met = wrote[one] | wrote[other]
    one, other = row[one[met]], row[other[met]]
    return distinct(np.minimum(one, other) * nodes + np.maximum(one, other)), every > 1 or not looked_at.all()
