"""Which of many edges a path closes into a cycle: exact, for all of them together."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.budget import Budget
from txfuzz.analysis.columns import Flags
from txfuzz.analysis.components import AnyInts, components
from txfuzz.history.model import Ints

# Goals are followed in blocks of this many bits a node; with a million nodes a block needs 250 MB.
_BLOCK_BITS = 2048


def closed_by_path(
    group: Ints, source: Ints, target: Ints, tails: Ints, heads: Ints, budget: Budget
) -> tuple[Flags, Flags]:
    """For each edge tails[i] → heads[i]: does a path of source → target edges lead back?

    group: for each node the number of the group that no edge leaves. Returns (closed, decided);
    what the budget left open is not closed and not decided.
    """
    labels, _ = components(len(group), source, target)
    cross = labels[source] != labels[target]
    rank = _topological(int(labels.max(initial=-1)) + 1, labels[source[cross]], labels[target[cross]])[labels]
    goal, start = rank[tails], rank[heads]
    closed: Flags = goal == start
    decided = np.ones(len(tails), np.bool_)
    open_ = np.flatnonzero(start < goal)
    if not len(open_):
        return closed, decided
    goals, which = np.unique(group[tails[open_]] * (int(rank.max()) + 1) + goal[open_], return_inverse=True)
    of_group = np.concatenate([[0], np.cumsum(np.bincount(goals // (int(rank.max()) + 1)))])
    bit = which - of_group[group[tails[open_]]]

    by_rank = np.flatnonzero(cross)[np.argsort(-rank[source[cross]], kind="stable")]
    for low in range(0, int(bit.max()) + 1, _BLOCK_BITS):
        chosen = (bit >= low) & (bit < low + _BLOCK_BITS)
        asked = open_[chosen]
        if budget.spent():
            decided[asked] = False
            continue
        busy = np.zeros(int(group.max()) + 1, np.bool_)
        busy[group[tails[asked]]] = True
        edges = by_rank[busy[group[source[by_rank]]]]
        reached = _reach(rank[source[edges]], rank[target[edges]], goal[asked], bit[chosen] - low)
        closed[asked] = [
            bool(reached.get(at, 0) >> shift & 1)
            for at, shift in zip(start[asked].tolist(), (bit[chosen] - low).tolist(), strict=True)
        ]
    return closed, decided


def _reach(first: Ints, second: Ints, goals: Ints, bits: Ints) -> dict[int, int]:
    """For each node the goals that it reaches, as bits. Edges come with their sources' rank falling."""
    reached = {goal: 1 << bit for goal, bit in zip(goals.tolist(), bits.tolist(), strict=True)}
    get = reached.get
    for left, right in zip(first.tolist(), second.tolist(), strict=True):
        beyond = get(right)
        if beyond:
            reached[left] = get(left, 0) | beyond
    return reached


def _topological(nodes: int, source: AnyInts, target: AnyInts) -> Ints:
    """A rank for each node of an acyclic graph such that every edge goes up.

    scipy numbers components in such an order, one way or the other; should that ever change,
    the ranks are worked out here.
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
