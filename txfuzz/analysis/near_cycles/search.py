"""Near-cycles: paths of dependencies that one more edge would close into a forbidden cycle.

Under snapshot isolation every cycle holds two consecutive rw edges between concurrent transactions
(Fekete, Liarokapis, O'Neil, O'Neil, Shasha, "Making Snapshot Isolation Serializable", 2005). One
such edge is common, and harmless as long as nothing leads back. If two
transactions overlapped and the first read what the second overwrote, the question is whether the second
could have read a key that the first could have written: that edge would make a write skew. The same
holds, with other kinds of edges, for lost updates and read skew at weaker levels.

A near-cycle is within reach when
- its path has at most three dependencies, between committed transactions;
- its ends overlapped in time, and no dependency leads from its last transaction to its first;
- the ends can meet on the key of the missing edge. One of them touched it as that edge needs it,
  and the other's template can (some transaction of the same template was seen to do so). If
  both touched it, the first transaction directly preceded the last one, so that the edge only needs
  another timing;
- the step that is to act on the key is free: no edge of the path depends on it, nor on a step tied to
  it, that is, one that used the same key in all transactions of the template (`ref`);
- the path remains once the missing edge exists. An additional read changes nothing; an earlier or later
  read must not be the one that makes the path's edge at that end; an additional write is on another key
  than the path. The exceptions are the shapes of a lost update, where a single edge of the path is on
  the same key. In all other cases a source that reads the key does not also write it (that would be a
  lost update, whatever the path);
- the closed cycle is of a type that the expected model forbids.

Only logical keys that are integers count. Process and real-time order are not considered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from txfuzz.analysis.checker.consistency import canonical, friendly, implies, ruled_out
from txfuzz.analysis.checker.cycle_types import type_of
from txfuzz.analysis.dependencies.edges import KINDS, Dependencies
from txfuzz.analysis.dependencies.key_pressure import Pressure, pressure
from txfuzz.analysis.dependencies.metrics import spans, stretches
from txfuzz.analysis.near_cycles.candidates import Candidates, candidates, closable, nearest
from txfuzz.analysis.near_cycles.missing_edges import FIRST, LAST, PossibleEdges, accesses, possible_edges
from txfuzz.analysis.near_cycles.paths import Links, Paths, links, open_paths, overlap
from txfuzz.analysis.near_cycles.template_footprints import template_footprints
from txfuzz.analysis.result import MissingEdge
from txfuzz.history.arrays import distinct
from txfuzz.history.model import OK, Ints

MOST_TRANSACTIONS = 40_000  # longer histories are searched in stretches
LONGEST = 3  # dependencies on a path: with the missing edge, a cycle of four transactions (a long fork)


@dataclass(frozen=True)
class LeftOut:
    """What the search did not cover.

    transactions: how many, of how many. paths: how many, by length. versions: how many had so many
    readers that their anti-dependencies were left out.
    """

    transactions: int = 0
    of_transactions: int = 0
    paths: Mapping[int, int] = field(default_factory=dict)
    versions: int = 0


@dataclass(frozen=True)
class NearCycleFact:
    """One near-cycle. rows: the transactions on its path, in order. path: each edge as its kind and the two
    micro-operations that make it. The rest is as in NearCycle."""

    rows: tuple[int, ...]
    path: tuple[tuple[int, int, int], ...]
    missing: MissingEdge
    anomaly: str
    breaks: str
    score: float
    score_parts: Mapping[str, float]


@dataclass(frozen=True)
class FoundNearCycles:
    """nearest: nearest first. counted: the examined paths with overlapping ends that an edge of some kind
    would close into a forbidden cycle, within reach or not."""

    nearest: tuple[NearCycleFact, ...]
    counted: int
    left_out: LeftOut = LeftOut()


def find_near_cycles(
    dependencies: Dependencies,
    expect: str,
    *,
    limit: int = 12,
    pressed: Pressure | None = None,
) -> FoundNearCycles:
    """The near-cycles of a history with regard to a model (by any of its names).

    pressed: of the same dependencies.
    """
    search = _Search(dependencies, canonical(expect), pressed or pressure(dependencies))
    paths_of = list(open_paths(dependencies, search.links, LONGEST))
    possible = search.possible_edges(paths_of)
    found = [(paths, search.candidates(paths, possible)) for paths in paths_of]
    left_out = LeftOut(
        search.left_out,
        len(search.history) if search.left_out else 0,
        {length: paths.left_out for length, paths in enumerate(paths_of, 1) if paths.left_out},
        len(dependencies.bicliques),
    )
    return FoundNearCycles(
        tuple(search.fact(*found[at], possible, which) for at, which in nearest(found, possible, limit)),
        sum(search.count(paths) for paths in paths_of),
        left_out,
    )


class _Search:
    """One history, with what the search needs repeatedly."""

    def __init__(self, dependencies: Dependencies, model: str, pressed: Pressure) -> None:
        self.dependencies, self.model, self.keys = dependencies, model, pressed.keys
        self.history = dependencies.history
        self.start, self.end = spans(self.history)
        looked_at = stretches(self.history, MOST_TRANSACTIONS)
        self.left_out = int((~looked_at).sum())
        taken = looked_at & (self.history.type == OK)
        self.links: Links = links(dependencies, pressed.keys, taken)
        self.accesses = accesses(dependencies.columns, pressed.keys, taken)
        self.footprints = template_footprints(dependencies.columns, pressed.keys, taken)
        step = self.history.mop_step
        self.source_tie = self.footprints.ties_of(self.links.source, step[self.links.source_mop])
        self.target_tie = self.footprints.ties_of(self.links.target, step[self.links.target_mop])
        concurrent = pressed.concurrent_edges
        self.pressure = concurrent / max(int(concurrent.max(initial=0)), 1)

    def ends(self, paths: Paths) -> Ints:
        return paths.rows[:, 0] * self.links.nodes + paths.rows[:, -1]

    def possible_edges(self, paths_of: list[Paths]) -> PossibleEdges:
        """The possible missing edges of all pairs of ends, numbered as in `pairs`."""
        self.pairs = distinct(np.concatenate([self.ends(paths) for paths in paths_of]))
        first, last = np.divmod(self.pairs, self.links.nodes)
        steps = self.history.mop_step
        return possible_edges(first, last, self.links, self.accesses, self.footprints, self.keys, steps)

    def count(self, paths: Paths) -> int:
        rows = paths.rows[closable(self.links, paths, self.model)]
        if rows.shape[1] > 2:  # all are distinct
            return len(rows)
        return len(distinct(rows[:, 0] * self.links.nodes + rows[:, 1]))

    def candidates(self, paths: Paths, possible: PossibleEdges) -> Candidates:
        first, last = paths.rows[:, 0], paths.rows[:, -1]
        either = np.maximum(self.end[first], self.end[last]) - np.minimum(self.start[first], self.start[last])
        share = overlap(self.start, self.end, first, last) / np.maximum(either, 1)
        ends = np.searchsorted(self.pairs, self.ends(paths))
        bound = self.source_tie[paths.links[:, 0]], self.target_tie[paths.links[:, -1]]
        return candidates(self.links, paths, ends, bound, possible, self.model, share, self.pressure)

    def fact(self, paths: Paths, found: Candidates, possible: PossibleEdges, which: int) -> NearCycleFact:
        links, path, edge = self.links, int(found.path[which]), int(found.edge[which])
        rows, on = paths.rows[path].tolist(), paths.links[path].tolist()
        edges = tuple(
            (int(links.kind[link]), int(links.source_mop[link]), int(links.target_mop[link])) for link in on
        )
        anomaly = type_of([*(kind for kind, _, _ in edges), int(possible.kind[edge])])
        return NearCycleFact(
            tuple(rows),
            edges,
            self.missing(rows, possible, edge, int(found.step[which])),
            anomaly,
            weakest_broken(anomaly, self.model),
            float(found.score[which].round(4)),
            {name: round(float(part[which]), 4) for name, part in found.parts.items()},
        )

    def missing(self, rows: list[int], possible: PossibleEdges, edge: int, moved: int) -> MissingEdge:
        """moved: the step of the end that has to act on another key."""
        source, target, moves = rows[-1], rows[0], int(possible.moves[edge])

        def template(row: int) -> str | None:
            number = int(self.history.template[row])
            return None if number < 0 else self.history.templates[number]

        def step(number: int) -> int | None:
            return None if number < 0 else number

        return MissingEdge(
            KINDS[int(possible.kind[edge])],
            source,
            target,
            int(self.keys.names[int(possible.group[edge])]),
            template(source),
            step(moved if moves == LAST else int(possible.source_step[edge])),
            template(target),
            step(moved if moves == FIRST else int(possible.target_step[edge])),
        )


def weakest_broken(anomaly: str, expect: str) -> str:
    """The weakest model that the anomaly rules out, among those that the expected one implies."""
    weakest, _ = ruled_out([anomaly])
    return next((model for model in weakest if implies(expect, model)), friendly(expect))
