"""Process order and real-time order between transactions.

Real-time order (Herlihy & Wing 1990): a before b if a completed before b was invoked. Only committed
transactions precede others, because it is unknown when the rest took effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.dependencies.columns import Flags
from txfuzz.history.arrays import ranges
from txfuzz.history.model import OK, History, Ints


def process_edges(history: History) -> tuple[Ints, Ints]:
    """Source and target rows: consecutive committed transactions of one process."""
    ok = np.flatnonzero(history.type == OK)
    ok = ok[np.lexsort((history.complete_at[ok], history.process[ok]))]
    same = history.process[ok[:-1]] == history.process[ok[1:]]
    return ok[:-1][same], ok[1:][same]


@dataclass(frozen=True, eq=False)
class Barriers:
    """Real-time order in linear space: a chain of nodes between completions and invocations.

    Transaction entry_rows[i] leads to barrier entries[i]; barrier j leads to barrier j + 1;
    barrier exits[i] leads to transaction exit_rows[i]. There is a path from a to b through the chain if
    and only if a completed before b was invoked.
    """

    count: int
    entry_rows: Ints
    entries: Ints
    exit_rows: Ints
    exits: Ints


def realtime_barriers(history: History) -> Barriers:
    """The barrier chain over all transactions; neighbouring completions share a barrier."""
    ok = np.flatnonzero((history.type == OK) & (history.complete_at >= 0))
    invoked = np.flatnonzero(history.invoke_at >= 0)
    invocations = np.sort(history.invoke_at[invoked])
    # completions with the same number of invocations before them cannot be told apart by order
    later = np.searchsorted(invocations, history.complete_at[ok])
    groups, entries = np.unique(later, return_inverse=True)
    exits = np.searchsorted(groups, np.searchsorted(invocations, history.invoke_at[invoked]), "right") - 1
    after = exits >= 0
    return Barriers(len(groups), ok, entries.astype(np.int64), invoked[after], exits[after])


def realtime_edges(history: History, rows: Ints | None = None) -> tuple[Ints, Ints]:
    """The transitive reduction of real-time order, as source and target rows.

    Reduced over the whole history; with `rows`, only the edges between those. Each transaction has at most
    as many edges as there were concurrent clients.
    """
    every = np.arange(len(history))
    source = every[(history.type == OK) & (history.complete_at >= 0)]
    target = every[history.invoke_at >= 0] if rows is None else rows[history.invoke_at[rows] >= 0]
    zero = np.zeros(len(history), np.int64)
    left, right = _reduction(history.invoke_at, history.complete_at, zero, source, target)
    if rows is not None:
        wanted = np.zeros(len(history), np.bool_)
        wanted[rows] = True
        left, right = left[wanted[left]], right[wanted[left]]
    return left, right


def _reduction(
    invoke_at: Ints, complete_at: Ints, lane: Ints, source: Ints, target: Ints
) -> tuple[Ints, Ints]:
    """Edges a → b of the reduction: no c of the same lane lies wholly between a and b.

    That is: a completed after the latest invocation of all that completed before b was invoked.
    All arrays are by item; `source` and `target` choose items. Lanes are ordered independently.
    """
    width = int(max(complete_at.max(initial=0), invoke_at.max(initial=0))) + 2
    start = lane * width
    source = source[np.argsort(start[source] + complete_at[source], kind="stable")]
    completed = start[source] + complete_at[source]
    latest = np.maximum.accumulate(start[source] + invoke_at[source])
    before = np.searchsorted(completed, start[target] + invoke_at[target])
    floor = np.where(before > 0, np.append(latest, 0)[before - 1], 0)
    after = np.searchsorted(completed, np.maximum(floor, start[target] - 1), "right")
    counts = np.maximum(before - after, 0)
    return source[ranges(after, counts)], np.repeat(target, counts)


def realtime_edges_within(history: History, rows: Ints, lanes: Ints, can_precede: Flags) -> tuple[Ints, Ints]:
    """The reduction among items, lane by lane (for instance, among the transactions that touch a key).

    rows: the transaction of each item; lanes: its lane. Returns item numbers.
    """
    items = np.arange(len(rows))
    invoke_at, complete_at = history.invoke_at[rows], history.complete_at[rows]
    target = items[invoke_at >= 0]
    return _reduction(invoke_at, complete_at, lanes, items[can_precede & (complete_at >= 0)], target)
