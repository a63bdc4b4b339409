"""Shortest cycles in a component, by breadth-first search."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from txfuzz.analysis.checker.scc_graph import ONWARD, SccGraph
from txfuzz.analysis.dependencies.edges import RW

# Once a cycle is known, the search for a shorter one may visit this many further edges.
_PATIENCE = 300_000


@dataclass
class Adjacency:
    """The pairs of the components as a graph for traversal.

    Each pair is an edge of its kind or, if `only` gives kinds as bits, one edge for each of those kinds
    that joins it. steps: edges visited so far.
    """

    graph: SccGraph
    only: int | None = None
    steps: int = 0
    _known: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def successors(self, node: int) -> list[tuple[int, int]]:
        """The nodes that edges from this one lead to, and their kinds."""
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = self._look_up(node)
        self.steps += len(known)
        return known

    def _look_up(self, node: int) -> list[tuple[int, int]]:
        graph = self.graph
        pairs = slice(int(graph.pair_offsets[node]), int(graph.pair_offsets[node + 1]))
        targets = graph.target[pairs].tolist()
        if self.only is None:
            return list(zip(targets, graph.kind[pairs].tolist(), strict=True))
        bits = (graph.bits[pairs] & self.only).tolist()
        return [
            (other, kind)
            for other, each in zip(targets, bits, strict=True)
            for kind in range(8)
            if each >> kind & 1
        ]

    def transactions(self, nodes: Sequence[int]) -> list[int]:
        """The nodes that are transactions, not hubs."""
        return [node for node in nodes if node < len(self.graph.rows)]

    def kinds(self, nodes: Sequence[int], rest: int = ~0, first: int | None = None) -> tuple[int, ...]:
        """The kinds of the edges of a cycle of transactions, in order.

        first: the kind of the first edge, if it has one of that kind. Of several kinds those in the bits
        `rest` come first and rw last; nodes that no pair joins are joined by a hub.
        """
        following = [*nodes[1:], nodes[0]]
        found: list[int] = []
        for here, there in zip(nodes, following, strict=True):
            joining = [kind for other, kind in self.successors(here) if other == there]
            if not found and first in joining:
                joining = [first]
            found.append(min(joining, key=lambda kind: (not rest >> kind & 1, kind == RW, kind), default=RW))
        return tuple(found)


def path(adjacency: Adjacency, start: int, goal: int, allowed: int, longest: int) -> list[int] | None:
    """The shortest path of at most `longest` edges whose kinds are in the bits `allowed`."""
    if start == goal:
        return [start]
    before = {start: start}
    frontier = [start]
    for _ in range(longest):
        following = []
        for node in frontier:
            for other, kind in adjacency.successors(node):
                if allowed >> kind & 1 and other not in before:
                    before[other] = node
                    if other == goal:
                        return _walk_back(before, start, goal)
                    following.append(other)
        if not following:
            return None
        frontier = following
    return None


def _walk_back(before: dict[int, int], start: int, goal: int) -> list[int]:
    walk = [goal]
    while walk[-1] != start:
        walk.append(before[walk[-1]])
    return walk[::-1]


def spaced_path(adjacency: Adjacency, start: int, goal: int, rest: int, longest: int) -> list[int] | None:
    """The shortest walk whose rw edges each follow another edge and that ends with another edge.

    It starts after an rw edge, and with that edge makes a closed walk without two adjacent rw edges. The
    walk may visit a node twice.
    """
    origin = (start, True)
    before = {origin: origin}
    frontier = deque([(origin, 0)])
    while frontier:
        state, length = frontier.popleft()
        if length == longest:
            return None
        node, after_rw = state
        for other, kind in adjacency.successors(node):
            if not (rest >> kind & 1 or kind == ONWARD or (kind == RW and not after_rw)):
                continue
            following = (other, kind in (RW, ONWARD))
            if following in before:
                continue
            before[following] = state
            if following == (goal, False):
                walk = [following]
                while walk[-1] != origin:
                    walk.append(before[walk[-1]])
                return [at for at, _ in walk[::-1]]
            frontier.append((following, length + 1))
    return None


Finder = Callable[[int, int, int], list[int] | None]


def shortest_cycle(
    adjacency: Adjacency,
    starts: Iterable[tuple[int, int]],
    find: Finder,
    accept: Callable[[list[int]], bool],
    hurry: Callable[[], bool] = lambda: False,
) -> list[int] | None:
    """The shortest cycle tail → head → … that `accept` accepts, over all starting edges.

    find(head, tail, longest) returns a path back. The search for a shorter cycle stops after a fixed
    number of steps; that for a first one only if `hurry` says so after as many. Hubs count as nodes.
    """
    best: list[int] | None = None
    for tail, head in starts:
        if best is not None and (len(best) == 2 or adjacency.steps > _PATIENCE):
            break
        if adjacency.steps > _PATIENCE and hurry():
            break
        back = find(head, tail, len(best) - 2 if best else 1 << 60)
        if back is None:
            continue
        nodes = adjacency.transactions([tail, *back[:-1]])
        if len(set(nodes)) == len(nodes) and accept(nodes):
            best = [tail, *back[:-1]]
    return best


def simple_cycles(adjacency: Adjacency, tail: int, head: int, rest: int) -> Iterator[list[int] | None]:
    """All simple cycles through tail → head (an rw edge) without two adjacent rw edges.

    Yields None after every thousand steps, so that the caller may stop.
    """
    trail = [tail, head]
    on_trail = {tail, head}
    stack = [(iter(adjacency.successors(head)), True)]
    steps = 0
    while stack:
        successors, after_rw = stack[-1]
        moved = False
        for other, kind in successors:
            steps += 1
            if steps % 1000 == 0:
                yield None
            if not (rest >> kind & 1 or kind == ONWARD or (kind == RW and not after_rw)):
                continue
            if other == tail and kind not in (RW, ONWARD):
                yield list(trail)
            elif other not in on_trail:
                trail.append(other)
                on_trail.add(other)
                stack.append((iter(adjacency.successors(other)), kind in (RW, ONWARD)))
                moved = True
                break
        if not moved:
            stack.pop()
            on_trail.discard(trail.pop())
