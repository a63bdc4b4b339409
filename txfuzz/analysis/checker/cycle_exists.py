"""Models that are broken because some cycle exists, whatever its type (Elle's `…-cycle-exists`)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.analysis.checker.cycle_search import FoundCycle
from txfuzz.analysis.checker.cycle_types import CYCLE_EXISTS, CycleExists, bits_of
from txfuzz.analysis.checker.paths import Adjacency, path, shortest_cycle, spaced_path
from txfuzz.analysis.checker.scc_graph import ONWARD, SccGraph
from txfuzz.analysis.dependencies.columns import Flags
from txfuzz.analysis.dependencies.connectivity import components
from txfuzz.analysis.dependencies.edges import RW

_ANTI = bits_of(RW, ONWARD)


def broken_by_cycles(graph: SccGraph) -> dict[str, Flags]:
    """By anomaly name, the components whose projection to its edges has a cycle.

    Those with many kinds of edges are examined first: if there is none, no subset has one.
    """
    present = int(np.bitwise_or.reduce(graph.bits, initial=0))
    broken: dict[str, Flags] = {}
    by_edges = sorted(CYCLE_EXISTS, key=lambda spec: (-(spec.edges & present).bit_count(), spec.spaced))
    for spec in by_edges:
        done = [other for other in by_edges if other.name in broken]
        same = next((other for other in done if _same(spec, other, present)), None)
        if same is not None:
            broken[spec.name] = broken[same.name]
        elif any(_part(spec, other, present) and not broken[other.name].any() for other in done):
            broken[spec.name] = np.zeros(len(graph), np.bool_)
        else:
            broken[spec.name] = _holding(graph, spec, present)
    return {spec.name: broken[spec.name] for spec in CYCLE_EXISTS}


def _part(spec: CycleExists, other: CycleExists, present: int) -> bool:
    """Is every cycle of the one also a cycle of the other?"""
    return (spec.spaced or not other.spaced) and not spec.edges & present & ~other.edges


def _same(spec: CycleExists, other: CycleExists, present: int) -> bool:
    return other.spaced == spec.spaced and other.edges & present == spec.edges & present


def _holding(graph: SccGraph, spec: CycleExists, present: int) -> Flags:
    if not spec.spaced and spec.edges & present == present:
        return np.ones(len(graph), np.bool_)  # by definition of a component
    nodes = graph.nodes
    if spec.spaced:  # nodes in two copies: reached by an rw edge, reached by another
        onward = np.flatnonzero(graph.bits & bits_of(ONWARD))
        rest = np.flatnonzero(graph.bits & (spec.edges & ~_ANTI))
        rw = np.flatnonzero(graph.bits & bits_of(RW))
        source, target = graph.source, graph.target
        labels, sizes = components(
            2 * nodes,
            np.concatenate([source[rest], source[rest] + nodes, source[rw] + nodes, source[onward]]),
            np.concatenate([target[rest] + nodes, target[rest] + nodes, target[rw], target[onward]]),
        )
    else:
        chosen = np.flatnonzero(graph.bits & spec.edges)
        labels, sizes = components(nodes, graph.source[chosen], graph.target[chosen])
    holding = np.zeros(len(graph), np.bool_)
    holding[graph.component[np.flatnonzero(sizes[labels] > 1) % max(nodes, 1)]] = True
    own = (graph.source == graph.target) & ((graph.bits & spec.edges) != 0)
    holding[graph.pair_component[own]] = True
    return holding


def weakest_broken(broken: dict[str, Flags]) -> dict[str, Flags]:
    """For each component only those that no earlier one entails, as Elle records them."""
    kept = {name: flags.copy() for name, flags in broken.items()}
    for at, spec in enumerate(CYCLE_EXISTS):
        for earlier in CYCLE_EXISTS[:at]:
            if earlier.name in prohibited(spec.model):
                kept[spec.name] &= ~broken[earlier.name]
    return kept


def not_redundant(names: Iterable[str], others: Iterable[str]) -> list[str]:
    """The `…-cycle-exists` anomalies whose model the others do not already rule out."""
    found = {*names}
    every = {*others, *found}
    return [
        spec.name
        for spec in CYCLE_EXISTS
        if spec.name in found and not (every - {spec.name}) & prohibited(spec.model)
    ]


def show_broken(graph: SccGraph, name: str, components: Flags) -> FoundCycle:
    """A short cycle that breaks the model of a `…-cycle-exists` anomaly."""
    spec = next(spec for spec in CYCLE_EXISTS if spec.name == name)
    component = int(np.flatnonzero(components)[0])
    adjacency = Adjacency(graph, spec.edges)
    rest = spec.edges & ~_ANTI
    starting = bits_of(RW) if spec.spaced else spec.edges & ~bits_of(ONWARD)
    starts = [
        (node, other)
        for node in np.flatnonzero(graph.component == component).tolist()
        for other, kind in adjacency.successors(node)
        if starting >> kind & 1
    ]
    adjacency.steps = 0

    def back(start: int, goal: int, longest: int) -> list[int] | None:
        if spec.spaced:
            return spaced_path(adjacency, start, goal, rest, longest)
        return path(adjacency, start, goal, spec.edges, longest)

    nodes = shortest_cycle(adjacency, starts, back, lambda nodes: True)
    if nodes is None:  # a closed walk that visits a transaction twice
        walks = ((tail, back(head, tail, 1 << 60)) for tail, head in starts)
        nodes = next([tail, *walk[:-1]] for tail, walk in walks if walk)
    nodes = adjacency.transactions(nodes)
    kinds = adjacency.kinds(nodes)
    return FoundCycle(name, tuple(int(row) for row in graph.rows[nodes]), kinds)
