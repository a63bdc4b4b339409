"""Which types of cycles the components hold, and the shortest cycles of each type.

Whether a component has a cycle of a type is decided for all components at once, by nested component
searches: ww alone for G0, with wr for G1c, a path without rw that closes an rw edge for G-single, the
product with "the last edge was rw" for G-nonadjacent; the rest is G2-item. Then the same with order
edges. As in Elle, a component with one type is not searched for the types that this is an instance of.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.checker.consistency import generalisations
from txfuzz.analysis.checker.cycle_types import CYCLE_TYPES, CycleType, bits_of, type_of
from txfuzz.analysis.checker.paths import Adjacency, path, shortest_cycle, simple_cycles, spaced_path
from txfuzz.analysis.checker.scc_graph import ONWARD, SccGraph
from txfuzz.analysis.dependencies.columns import Flags
from txfuzz.analysis.dependencies.connectivity import closed_by_path, components
from txfuzz.analysis.dependencies.edges import RW, WR
from txfuzz.history.model import Ints


class Budget:
    """A time limit that starts at creation. seconds: None for no limit."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def spent(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline


@dataclass(frozen=True)
class FoundCycle:
    """A cycle of transactions: rows of the History in order, and the kind of edge after each."""

    type: str
    rows: tuple[int, ...]
    kinds: tuple[int, ...]


@dataclass(frozen=True)
class CycleFindings:
    """cycles: by type, shortest first, at most a few. held_by: by type, how many components have
    one. undecided: by type, how many components the budget left undecided."""

    cycles: dict[str, tuple[FoundCycle, ...]]
    held_by: dict[str, int]
    undecided: dict[str, int]


def find_cycles(graph: SccGraph, broken: dict[str, Flags], budget: Budget, most: int) -> CycleFindings:
    """Search all components for all types. broken: see cycle_exists. most: cycles shown per type."""
    search = _Search(graph, broken, budget, most)
    for cycle_type in CYCLE_TYPES:
        if cycle_type.order in (None, graph.order):
            search.look_for(cycle_type)
    return search.findings()


class _Search:
    def __init__(self, graph: SccGraph, broken: dict[str, Flags], budget: Budget, most: int) -> None:
        self.graph, self.broken, self.budget, self.most = graph, broken, budget, most
        self.found: dict[str, Flags] = {}
        self.open: dict[str, Flags] = {}
        self.cycles: dict[str, tuple[FoundCycle, ...]] = {}
        self.adjacency = Adjacency(graph)
        self.with_hubs = np.zeros(len(graph), np.bool_)
        self.with_hubs[graph.component[len(graph.rows) :]] = True

    def findings(self) -> CycleFindings:
        held = {name: int(flags.sum()) for name, flags in self.found.items() if flags.any()}
        left_open = {name: int(flags.sum()) for name, flags in self.open.items() if flags.any()}
        return CycleFindings({name: self.cycles.get(name, ()) for name in held}, held, left_open)

    def look_for(self, wanted: CycleType) -> None:
        active = self.broken[wanted.broken_by].copy()
        for name, flags in self.found.items():
            if wanted.name in generalisations(name):
                active &= ~flags
        if not active.any():
            return
        starts = self.starts(wanted, active)
        holds = np.zeros(len(self.graph), np.bool_)
        holds[self.graph.pair_component[starts]] = True
        shown: list[FoundCycle] = []
        for component in np.flatnonzero(holds).tolist():
            certain = self.certain(wanted, component)
            if certain and len(shown) >= self.most:
                continue
            cycle = self.shortest(wanted, component, starts)
            if cycle is not None:
                shown.append(cycle)
            elif not certain:
                holds[component] = False
                if self.with_hubs[component] or wanted.family != "G-nonadjacent-item":
                    self.leave_open(wanted, np.array([component]))
        if holds.any():
            self.found[wanted.name] = holds
            shown.sort(key=lambda cycle: len(cycle.rows))
            self.cycles[wanted.name] = tuple(shown[: self.most])

    def certain(self, wanted: CycleType, component: int) -> bool:
        """Does a closed walk of this type in this component imply a simple cycle of the type?

        Not with hubs, where an edge may count as rw although another kind explains it. Otherwise yes,
        except for a walk without adjacent rw edges that visits a node twice: cutting out the loop may
        make two rw edges adjacent. If there are no cycles without rw edges (and, at this point of the
        search, none with one), there is no such loop.
        """
        if self.with_hubs[component] or any(flags[component] for flags in self.open.values()):
            return False
        if wanted.family != "G-nonadjacent-item":
            return True
        prefix = wanted.broken_by.replace("PL-SI", "PL-2").replace("snapshot-isolation", "PL-2")
        return not self.broken[prefix][component]

    def starts(self, wanted: CycleType, active: Flags) -> Ints:
        """Pairs such that every cycle of this type in the active components contains one."""
        graph = self.graph
        of_rest = (wanted.rest >> graph.kind & 1).astype(np.bool_)
        within = active[graph.pair_component]
        if wanted.family in ("G0", "G1c"):
            inside = self.inside(within & of_rest)
            special = self.starting(wanted)
            return inside if special is None else self.of_kind(inside, special)
        rw = np.flatnonzero(within & (graph.kind == RW))
        if wanted.family == "G2-item":
            inside = self.inside(within & (of_rest | (graph.kind == RW) | (graph.kind == ONWARD)))
            return self.of_kind(inside, RW)
        if wanted.family == "G-nonadjacent-item":
            return self.spaced(np.flatnonzero(within & of_rest), rw)
        rest = np.flatnonzero(within & (of_rest | (graph.kind == ONWARD)))
        closed, undecided = closed_by_path(
            graph.component,
            graph.source[rest],
            graph.target[rest],
            graph.source[rw],
            graph.target[rw],
            self.budget.spent,
        )
        if len(undecided):
            self.leave_open(wanted, undecided)
        return rw[closed]

    @staticmethod
    def starting(wanted: CycleType) -> int | None:
        """The kind of pair from which a search for the type starts; None for any."""
        if wanted.family == "G0":
            return wanted.order
        return WR if wanted.family == "G1c" else RW

    def of_kind(self, pairs: Ints, kind: int) -> Ints:
        return np.compress(self.graph.kind[pairs] == kind, pairs)

    def leave_open(self, wanted: CycleType, components: Ints) -> None:
        self.open.setdefault(wanted.name, np.zeros(len(self.graph), np.bool_))[components] = True

    def inside(self, chosen: Flags) -> Ints:
        """The chosen pairs that lie on a cycle of chosen pairs."""
        graph = self.graph
        pairs = np.flatnonzero(chosen)
        labels, _ = components(graph.nodes, graph.source[pairs], graph.target[pairs])
        return np.compress(labels[graph.source[pairs]] == labels[graph.target[pairs]], pairs)

    def spaced(self, rest: Ints, rw: Ints) -> Ints:
        """The rw pairs that lie on a closed walk without two adjacent rw pairs."""
        graph, nodes = self.graph, self.graph.nodes
        source, target = graph.source, graph.target
        onward = np.flatnonzero(graph.kind == ONWARD)
        labels, _ = components(
            2 * nodes,
            np.concatenate([source[rest], source[rest] + nodes, source[rw], source[onward] + nodes]),
            np.concatenate([target[rest], target[rest], target[rw] + nodes, target[onward] + nodes]),
        )
        return np.compress(labels[source[rw]] == labels[target[rw] + nodes], rw)

    def shortest(self, wanted: CycleType, component: int, starts: Ints) -> FoundCycle | None:
        graph = self.graph
        adjacency = self.adjacency
        adjacency.steps = 0
        starts = starts[graph.pair_component[starts] == component]
        pairs = list(zip(graph.source[starts].tolist(), graph.target[starts].tolist(), strict=True))
        allowed = wanted.rest | bits_of(ONWARD) | (bits_of(RW) if wanted.family == "G2-item" else 0)

        def back(start: int, goal: int, longest: int) -> list[int] | None:
            if wanted.family == "G-nonadjacent-item":
                return spaced_path(adjacency, start, goal, wanted.rest, longest)
            return path(adjacency, start, goal, allowed, longest)

        def kinds(nodes: Sequence[int]) -> tuple[int, ...]:
            return adjacency.kinds(adjacency.transactions(nodes), wanted.rest, self.starting(wanted))

        def fits(nodes: Sequence[int]) -> bool:
            return type_of(kinds(nodes)) == wanted.name

        nodes = shortest_cycle(adjacency, pairs, back, fits, self.budget.spent)
        if nodes is None and wanted.family == "G-nonadjacent-item":
            nodes = self.simple(wanted, component, pairs, fits)
        if nodes is None:
            return None
        closing, *others = kinds(nodes)  # the edge that closes the cycle comes last
        nodes = [*adjacency.transactions(nodes[1:]), nodes[0]]
        rows = tuple(int(row) for row in graph.rows[nodes])
        return FoundCycle(wanted.name, rows, (*others, closing))

    def simple(
        self,
        wanted: CycleType,
        component: int,
        pairs: list[tuple[int, int]],
        fits: Callable[[Sequence[int]], bool],
    ) -> list[int] | None:
        """Any simple cycle of the type, by exhaustive search; None if there is none or time ran out."""
        for nodes in self.all_simple(self.adjacency, pairs, wanted):
            if nodes is not None and fits(nodes):
                return nodes
            if nodes is None and self.budget.spent():
                self.leave_open(wanted, np.array([component]))
                return None
        return None

    @staticmethod
    def all_simple(
        adjacency: Adjacency, pairs: list[tuple[int, int]], wanted: CycleType
    ) -> Iterator[list[int] | None]:
        for tail, head in pairs:
            yield from simple_cycles(adjacency, tail, head, wanted.rest)
