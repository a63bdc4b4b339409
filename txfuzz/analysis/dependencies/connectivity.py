"""Reachability in a graph: strongly connected components, paths that close a cycle.

Exact, and for all nodes or edges at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from txfuzz.analysis.dependencies.columns import Flags, Rows
from txfuzz.history.arrays import AnyInts
from txfuzz.history.model import Ints

# Goals are tracked in blocks of this many bits per node.
_BLOCK_BITS = 2048


def prepare() -> None:
    """Import slow libraries early, so that the first analysis need not wait for them."""
    import scipy.sparse
    import scipy.sparse.csgraph  # noqa: F401


def components(nodes: int, source: AnyInts, target: AnyInts) -> tuple[Rows, Ints]:
    """The component of each node, and the number of nodes in each component. By scipy."""
    if not nodes:
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    if not len(source):
        return np.arange(nodes, dtype=np.int32), np.ones(nodes, np.int64)
    from scipy.sparse import coo_array, csr_array  # slow to import
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(source))  # of the type that csgraph uses internally, which avoids a copy
    # csgraph may loop forever over a duplicate edge; conversion from COO removes those
    rises = np.diff(source)
    if np.all((rises > 0) | ((rises == 0) & (np.diff(target) > 0))):
        starts = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=nodes))])
        graph = csr_array((ones, target, starts), shape=(nodes, nodes))
    else:
        graph = coo_array((ones, (source, target)), shape=(nodes, nodes)).tocsr()
    _, labels = connected_components(graph, directed=True, connection="strong")
    return labels, np.bincount(labels)


def closed_by_path(
    group: Ints, source: AnyInts, target: AnyInts, tails: AnyInts, heads: AnyInts, spent: Callable[[], bool]
) -> tuple[Flags, Ints]:
    """For each edge tails[i] → heads[i]: does a path of source → target edges lead back?

    group: the number of each node's group; no edge leaves a group. In a large group not all edges are
    checked once one is found closed; in a group with none all are. Returns the closed edges, and the
    groups with none that were not fully searched before the time was `spent`.
    """
    labels, _ = components(len(group), source, target)
    cross = np.flatnonzero(labels[source] != labels[target])
    rank = _topological(int(labels.max(initial=-1)) + 1, labels[source[cross]], labels[target[cross]])[labels]
    goal, start, own = rank[tails], rank[heads], group[tails]
    closed: Flags = goal == start
    done = np.zeros(int(group.max(initial=-1)) + 1, np.bool_)
    done[own[closed]] = True
    open_ = np.flatnonzero(start < goal)
    bit = _numbered(own[open_], goal[open_])
    cross = cross[np.lexsort((-rank[source[cross]], group[source[cross]]))]
    from_, to = rank[source[cross]], rank[target[cross]]
    ends = np.searchsorted(group[source[cross]], np.arange(len(done) + 1))

    def ask(asked: Ints, bits: Ints, edges: slice) -> None:
        window = _between(from_[edges], to[edges], int(start[asked].min()), int(goal[asked].max()))
        reached = _reach(from_[edges][window], to[edges][window], goal[asked], bits)
        closed[asked] = [
            bool(reached.get(at, 0) >> shift & 1)
            for at, shift in zip(start[asked].tolist(), bits.tolist(), strict=True)
        ]
        done[own[asked[closed[asked]]]] = True

    few = np.flatnonzero(bit < _BLOCK_BITS)
    if len(few):
        ask(open_[few], bit[few], slice(0, len(cross)))
    many = np.flatnonzero(bit >= _BLOCK_BITS)
    many = many[np.lexsort((bit[many], own[open_[many]]))]
    block = own[open_[many]] * (int(bit.max(initial=0)) // _BLOCK_BITS + 1) + bit[many] // _BLOCK_BITS
    undecided = set()
    for part in np.split(many, np.flatnonzero(np.diff(block)) + 1) if len(many) else ():
        number = int(own[open_[part[0]]])
        if spent():
            undecided.add(number)
        elif not done[number]:
            ask(open_[part], bit[part] % _BLOCK_BITS, slice(int(ends[number]), int(ends[number + 1])))
    return closed, np.array([number for number in sorted(undecided) if not done[number]], np.int64)


def _between(from_: Ints, to: Ints, first: int, last: int) -> Ints:
    """The indices of the edges that may lie on a path from rank `first` up to rank `last`."""
    if len(from_) and from_[0] >= from_[-1] and np.all(from_[:-1] >= from_[1:]):  # a single group
        low, high = np.searchsorted(-from_, [-last, -first + 1])
        return np.arange(low, high)[to[low:high] <= last]
    return np.flatnonzero((from_ >= first) & (to <= last))


def _numbered(group: Ints, goal: Ints) -> Ints:
    """For each goal its number among the distinct goals of its group."""
    if not len(goal):
        return goal
    width = int(goal.max()) + 1
    goals, which = np.unique(group * width + goal, return_inverse=True)
    first = np.searchsorted(goals, np.arange(int(group.max()) + 1) * width)
    numbers: Ints = which - first[group]
    return numbers


def _reach(first: Ints, second: Ints, goals: Ints, bits: Ints) -> dict[int, int]:
    """For each node the goals that it reaches, as bits. Edges are ordered by falling rank of their source."""
    reached = {goal: 1 << bit for goal, bit in zip(goals.tolist(), bits.tolist(), strict=True)}
    get = reached.get
    for left, right in zip(first.tolist(), second.tolist(), strict=True):
        beyond = get(right)
        if beyond:
            reached[left] = get(left, 0) | beyond
    return reached


def _topological(nodes: int, source: AnyInts, target: AnyInts) -> Ints:
    """A rank for each node of an acyclic graph such that every edge goes up.

    scipy numbers components in such an order, in one direction or the other; should that ever change,
    the ranks are computed here.
    """
    ranks = np.arange(nodes, dtype=np.int64)
    if np.all(source < target):
        return ranks
    if np.all(source > target):
        return ranks[::-1].copy()
    follows: dict[int, list[int]] = {}
    for left, right in zip(source.tolist(), target.tolist(), strict=True):
        follows.setdefault(left, []).append(right)
    missing = np.bincount(target, minlength=nodes)
    ready = np.flatnonzero(missing == 0).tolist()
    for rank, node in enumerate(ready):  # grows while it is walked
        ranks[node] = rank
        for other in follows.get(node, ()):
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return ranks
