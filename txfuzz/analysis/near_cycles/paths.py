"""Paths of dependencies whose ends overlapped in time, from which near-cycles are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from txfuzz.analysis.dependencies.columns import Flags, Rows
from txfuzz.analysis.dependencies.edges import EXPLAINED_BY, Dependencies
from txfuzz.analysis.dependencies.key_pressure import LogicalKeys
from txfuzz.analysis.dependencies.metrics import spans
from txfuzz.common.kind import Kind
from txfuzz.history.arrays import AnyInts, places, ranges
from txfuzz.history.model import Ints, SmallInts

MOST_PATHS = 200_000  # examined, of each length


@dataclass(frozen=True, eq=False)
class Links:
    """The dependencies between transactions, each (source, target, kind, key) once.

    Ordered by source, target and precedence of the kind. key: physical; group: the number of its logical
    key. rank: of the kind in that precedence. source_mop, target_mop: the
    micro-operations that make it.
    """

    nodes: int
    source: Rows
    target: Rows
    kind: SmallInts
    key: Ints
    group: Ints
    rank: Ints
    source_mop: Rows
    target_mop: Rows

    def __len__(self) -> int:
        return len(self.source)

    @cached_property
    def code(self) -> Ints:
        """(links) source and target in one number, rising."""
        return self.source.astype(np.int64) * self.nodes + self.target

    @cached_property
    def first(self) -> Ints:
        """(pairs) the link that explains each pair of transactions."""
        return np.flatnonzero(np.diff(self.code, prepend=-1))

    @cached_property
    def pair(self) -> Ints:
        """(links) the pair that each link belongs to."""
        return np.repeat(np.arange(len(self.first)), np.diff(np.append(self.first, len(self))))

    @cached_property
    def offsets(self) -> Ints:
        """(transactions + 1) where the pairs of each source start."""
        return np.searchsorted(self.source[self.first], np.arange(self.nodes + 1))

    def pair_of(self, source: AnyInts, target: AnyInts) -> Ints:
        """The pair of these two transactions, -1 if no dependency leads from one to the other."""
        code = source.astype(np.int64) * self.nodes + target
        return places(self.code[self.first], code)


def links(dependencies: Dependencies, keys: LogicalKeys, taken: Flags) -> Links:
    """The links between the transactions in `taken`."""
    history = dependencies.history
    order = EXPLAINED_BY[history.kind or Kind.LIST_APPEND]
    rank_of = np.argsort(np.array(order))
    kept = np.flatnonzero(taken[dependencies.source] & taken[dependencies.target])
    source, target = dependencies.source[kept], dependencies.target[kept]
    kind, key = dependencies.kind[kept], dependencies.key[kept]
    rank = rank_of[kind]
    nodes, width = max(len(history), 1), max(len(history.keys), 1)
    pair = source.astype(np.int64) * nodes + target
    sort = np.lexsort((rank * width + key, pair))
    pair, within = pair[sort], (rank * width + key)[sort]
    once = sort[(np.diff(pair, prepend=-1) != 0) | (np.diff(within, prepend=-1) != 0)]
    return Links(
        nodes,
        source[once],
        target[once],
        kind[once],
        key[once],
        keys.of[key[once]],
        rank[once],
        dependencies.source_mop[kept][once],
        dependencies.target_mop[kept][once],
    )


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of one length (number of links). links: (paths, length). rows: (paths, length + 1).

    left_out: how many continuations were not followed.
    """

    rows: Ints
    links: Ints
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: Ints | Flags) -> Paths:
        return Paths(self.rows[which], self.links[which], self.left_out)


def overlap(start: Ints, end: Ints, rows: AnyInts, others: AnyInts) -> Ints:
    """How many positions of the history two transactions share; not positive if they do not overlap."""
    return np.minimum(end[rows], end[others]) - np.maximum(start[rows], start[others])


def open_paths(dependencies: Dependencies, found: Links, longest: int) -> Iterator[Paths]:
    """The paths of one link, of two, … whose ends overlapped and that no dependency closes yet.

    With one link: one path per link, so that two transactions may have several. With more: successive
    transactions are joined by the link that explains the pair.
    """
    start, end = spans(dependencies.history)

    def reachable(paths: Paths) -> Paths:
        first, last = paths.rows[:, 0], paths.rows[:, -1]
        near = overlap(start, end, first, last) > 0
        near[near] = found.pair_of(last[near], first[near]) < 0
        return paths[near]

    single = np.arange(len(found))[:, None]
    yield reachable(Paths(np.stack([found.source, found.target], 1).astype(np.int64), single))
    horizon = _horizons(found, start, longest - 1)
    paths = Paths(
        np.stack([found.source, found.target], 1)[found.first].astype(np.int64), found.first[:, None]
    )
    for length in range(2, longest + 1):
        # Only paths that can still reach an end which overlaps with their start.
        paths = paths[horizon[longest - length + 1][paths.rows[:, -1]] < end[paths.rows[:, 0]]]
        paths = _continued(found, paths)
        ends = paths[horizon[0][paths.rows[:, -1]] < end[paths.rows[:, 0]]]
        yield reachable(ends)


def _horizons(found: Links, start: Ints, steps: int) -> list[Ints]:
    """For 0, 1, … steps: the earliest start of a transaction at most that many links away."""
    horizons = [start]
    some = np.flatnonzero(np.diff(found.offsets))
    target = found.target[found.first]
    for _ in range(steps):
        nearest = horizons[-1].copy()
        if len(some):
            ahead = np.minimum.reduceat(horizons[-1][target], found.offsets[some])
            nearest[some] = np.minimum(nearest[some], ahead)
        horizons.append(nearest)
    return horizons


def _continued(found: Links, paths: Paths) -> Paths:
    """Every path extended by every link; evenly thinned out if there are too many."""
    last = paths.rows[:, -1]
    degree = found.offsets[last + 1] - found.offsets[last]
    total = int(degree.sum())
    every = max(1, -(-total // MOST_PATHS))
    which = np.flatnonzero(degree)[::every]
    degree = degree[which]
    at = np.repeat(which, degree)
    link = found.first[ranges(found.offsets[last[which]], degree)]
    target = found.target[link].astype(np.int64)
    rows, on = paths.rows[at], paths.links[at]
    fresh = np.all(rows != target[:, None], axis=1)
    return Paths(
        np.concatenate([rows, target[:, None]], 1)[fresh],
        np.concatenate([on, link[:, None]], 1)[fresh],
        paths.left_out + total - len(at),
    )
