"""Near-cycles: paths of dependencies that one more edge would close into a forbidden cycle.

Under snapshot isolation every cycle holds two consecutive rw edges between concurrent transactions
(Fekete, Liarokapis, O'Neil, O'Neil, Shasha, "Making Snapshot Isolation Serializable", 2005). One
such edge is common, and harmless as long as nothing leads back. So of two transactions that
overlapped, the first of which read what the second overwrote, the question is whether the second
one could have read a key that the first one could have written: that edge would make a write skew.
The same goes, with other kinds of edges, for lost updates and read skew at weaker levels.

A near-cycle is within reach when
- its path has at most three dependencies, between committed transactions;
- its ends overlapped in time, and no dependency leads from its last transaction to its first;
- the ends can meet on the key of the missing edge. One of them touched it as that edge needs it,
  and the other's template can (some transaction of the same template was seen to do so). Where
  both touched it, the first transaction came directly before the last one, so that another timing
  is all that the edge needs;
- the step that is to act on the key is a free one: no edge of the path hangs on it, nor on a step
  that is tied to it, that is, was on the same key in all transactions of the template (`ref`);
- the path stands once the missing edge is there. One more read changes nothing; a read that comes
  earlier or later must not be the one that makes the path's edge at its end; a write that comes in
  addition is on another key than the path. The exception are the shapes of a lost update, where a
  single edge of the path is on the same key. Beside those a source that reads the key does not
  write it, too (that would be a lost update, whatever the path);
- the closed cycle is of a type that the expected model forbids.

Only logical keys that are whole numbers count. Order between transactions that is not by
dependencies (process, real time) takes no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.checker.consistency import canonical, friendly, implies, ruled_out
from txfuzz.analysis.checker.cycle_types import type_of
from txfuzz.analysis.checker.explain import dependency_edge
from txfuzz.analysis.contention.key_pressure import Pressure, pressure
from txfuzz.analysis.contention.metrics import STRETCH, distinct, spans, stretches
from txfuzz.analysis.dependencies.edges import KINDS, Dependencies
from txfuzz.analysis.describe import mop_of_step, transaction_view
from txfuzz.analysis.near_cycles.candidates import Candidates, candidates, closable, nearest
from txfuzz.analysis.near_cycles.missing_edges import FIRST, LAST, Meetings, meetings, touches
from txfuzz.analysis.near_cycles.paths import MOST_PATHS, Links, Paths, links, open_paths, overlap
from txfuzz.analysis.near_cycles.template_footprints import reach
from txfuzz.analysis.result import MissingEdge, NearCycle
from txfuzz.history.model import OK, Ints

MOST_TRANSACTIONS = 40_000  # longer histories are searched in stretches
LONGEST = 3  # dependencies on a path: with the missing edge, a cycle of four transactions (a long fork)


@dataclass(frozen=True)
class NearCycles:
    """shown: nearest first. counted: the paths that were looked at whose ends overlapped and that
    an edge of some kind would close into a forbidden cycle, within reach or not."""

    shown: tuple[NearCycle, ...]
    counted: int
    truncated: tuple[str, ...] = ()


def near_cycles(
    dependencies: Dependencies,
    expect: str,
    *,
    limit: int = 12,
    pressed: Pressure | None = None,
) -> NearCycles:
    """The near-cycles of a history, held against a model by any of its names.

    pressed: of the same dependencies.
    """
    search = _Search(dependencies, canonical(expect), pressed or pressure(dependencies))
    found: list[tuple[Paths, Candidates]] = []
    counted, truncated = 0, []
    if search.left_out:
        truncated.append(
            f"near-cycles: looked for in stretches of {STRETCH} transactions each, {search.left_out} of "
            f"{len(search.history)} transactions were left out"
        )
    paths_of = list(open_paths(dependencies, search.links, LONGEST))
    ways = search.ways(paths_of)
    for length, paths in enumerate(paths_of, 1):
        counted += search.count(paths)
        found.append((paths, search.candidates(paths, ways)))
        if paths.left_out:
            truncated.append(
                f"near-cycles: of the paths of {length} dependencies about {MOST_PATHS} were looked at, "
                f"{paths.left_out} were not"
            )
    if len(dependencies.fans):
        truncated.append(
            f"near-cycles: the anti-dependencies around {len(dependencies.fans)} versions that very many "
            "transactions read took no part"
        )
    shown = [search.shown(*found[at], ways, which) for at, which in nearest(found, ways, limit)]
    return NearCycles(tuple(shown), counted, tuple(truncated))


class _Search:
    """One history with what is asked of it again and again."""

    def __init__(self, dependencies: Dependencies, model: str, pressed: Pressure) -> None:
        self.dependencies, self.model, self.keys = dependencies, model, pressed.keys
        self.history = dependencies.history
        self.start, self.end = spans(self.history)
        looked_at = stretches(self.history, MOST_TRANSACTIONS)
        self.left_out = int((~looked_at).sum())
        taken = looked_at & (self.history.type == OK)
        self.links: Links = links(dependencies, pressed.keys, taken)
        self.touches = touches(dependencies.columns, pressed.keys, taken)
        self.reach = reach(dependencies.columns, pressed.keys, taken)
        step = self.history.mop_step
        self.source_tie = self.reach.ties_of(self.links.source, step[self.links.source_mop])
        self.target_tie = self.reach.ties_of(self.links.target, step[self.links.target_mop])
        concurrent = pressed.concurrent_edges
        self.pressure = concurrent / max(int(concurrent.max(initial=0)), 1)

    def ends(self, paths: Paths) -> Ints:
        return paths.rows[:, 0] * self.links.nodes + paths.rows[:, -1]

    def ways(self, paths_of: list[Paths]) -> Meetings:
        """The ways to meet of all pairs of ends; they are numbered by `pairs`."""
        self.pairs = distinct(np.concatenate([self.ends(paths) for paths in paths_of]))
        first, last = np.divmod(self.pairs, self.links.nodes)
        steps = self.history.mop_step
        return meetings(first, last, self.links, self.touches, self.reach, self.keys, steps)

    def count(self, paths: Paths) -> int:
        rows = paths.rows[closable(self.links, paths, self.model)]
        if rows.shape[1] > 2:  # each stands there once
            return len(rows)
        return len(distinct(rows[:, 0] * self.links.nodes + rows[:, 1]))

    def candidates(self, paths: Paths, ways: Meetings) -> Candidates:
        first, last = paths.rows[:, 0], paths.rows[:, -1]
        either = np.maximum(self.end[first], self.end[last]) - np.minimum(self.start[first], self.start[last])
        share = overlap(self.start, self.end, first, last) / np.maximum(either, 1)
        ends = np.searchsorted(self.pairs, self.ends(paths))
        bound = self.source_tie[paths.links[:, 0]], self.target_tie[paths.links[:, -1]]
        return candidates(self.links, paths, ends, bound, ways, self.model, share, self.pressure)

    def shown(self, paths: Paths, found: Candidates, ways: Meetings, which: int) -> NearCycle:
        path, way = int(found.path[which]), int(found.way[which])
        rows, on = paths.rows[path].tolist(), paths.links[path].tolist()
        edges = tuple(
            dependency_edge(
                self.dependencies,
                int(self.links.kind[link]),
                int(self.links.source_mop[link]),
                int(self.links.target_mop[link]),
                f"T{at}",
                f"T{at + 1}",
            )
            for at, link in enumerate(on, 1)
        )
        anomaly = type_of([*(int(self.links.kind[link]) for link in on), int(ways.kind[way])])
        parts = {name: round(float(part[which]), 4) for name, part in found.parts.items()}
        return NearCycle(
            float(found.score[which].round(4)),
            edges,
            self.missing(rows, ways, way, int(found.step[which])),
            anomaly,
            weakest_broken(anomaly, self.model),
            tuple(transaction_view(self.history, row) for row in rows),
            parts,
        )

    def missing(self, rows: list[int], ways: Meetings, way: int, moved: int) -> MissingEdge:
        """moved: the step of the end that has to act on another key."""
        source, target, moves = rows[-1], rows[0], int(ways.moves[way])

        def template(row: int) -> str | None:
            number = int(self.history.template[row])
            return None if number < 0 else self.history.templates[number]

        def step(number: int) -> int | None:
            return None if number < 0 else number

        kind = KINDS[int(ways.kind[way])]
        source_step = step(moved if moves == LAST else int(ways.source_step[way]))
        target_step = step(moved if moves == FIRST else int(ways.target_step[way]))
        return MissingEdge(
            kind,
            source,
            target,
            int(self.keys.names[int(ways.group[way])]),
            template(source),
            source_step,
            template(target),
            target_step,
            mop_of_step(self.history, source, source_step, kind == "rw"),
            mop_of_step(self.history, target, target_step, kind == "wr"),
        )


def weakest_broken(anomaly: str, expect: str) -> str:
    """The weakest model that the anomaly rules out, of those that the expected one implies."""
    weakest, _ = ruled_out([anomaly])
    return next((model for model in weakest if implies(expect, model)), friendly(expect))
