"""What is drawn of an anomaly or a near-cycle, within bounds: transactions, edges, their names."""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.analysis.result import Anomaly, Edge, MissingEdge, NearCycle, TransactionView
from txfuzz.report.pictures.labels import missing_ends as missing_steps

_MOST = 12  # transactions in one drawing
_ENDS = 4  # at either end of a chain that is too long


@dataclass(frozen=True, slots=True)
class Node:
    """name: T1, T2, … in the order of the cycle; view None stands for `elided` further transactions."""

    name: str
    view: TransactionView | None
    elided: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """source, target: places in the nodes. why: a sentence. missing: it is not there."""

    kind: str
    source: int
    target: int
    label: str
    why: str
    edge: Edge | None = None
    missing: MissingEdge | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """nodes in the order of the cycle. links: those between nodes that are drawn."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(link.kind for link in self.links))


def cycle_of(anomaly: Anomaly) -> Cycle:
    """The transactions of an anomaly, and its edges where it is a cycle."""
    return _drawn(anomaly.transactions, anomaly.edges, None)


def near_cycle_of(near: NearCycle) -> Cycle:
    """The path, and the edge that would close it."""
    return _drawn(near.transactions, near.path, near.missing)


def _drawn(views: tuple[TransactionView, ...], edges: tuple[Edge, ...], missing: MissingEdge | None) -> Cycle:
    nodes = _nodes(views)
    place = {node.view.row: at for at, node in enumerate(nodes) if node.view is not None}
    hidden = [at for at, node in enumerate(nodes) if node.view is None]
    links: list[Link] = []
    for edge in edges:
        source, target = place.get(edge.source), place.get(edge.target)
        if source is not None and target is not None:
            links.append(Link(edge.kind, source, target, label_of(edge), edge.why, edge=edge))
    for at in hidden:  # what leads to those left out and away from them
        for source, target in ((at - 1, at), (at, at + 1)):
            links.append(Link("more", source, target % len(nodes), "", ""))
    if missing is not None and missing.source in place and missing.target in place:
        steps = missing_steps(missing)
        source, target = place[missing.source], place[missing.target]
        why = f"missing: {missing.kind} on key {missing.key}{f', {steps}' if steps else ''}"
        label = f"{missing.kind}? key {missing.key}"
        links.append(Link(missing.kind, source, target, label, why, missing=missing))
    return Cycle(nodes, tuple(links))


def _nodes(views: tuple[TransactionView, ...]) -> tuple[Node, ...]:
    named = [Node(f"T{number}", view) for number, view in enumerate(views, 1)]
    if len(named) <= _MOST:
        return tuple(named)
    return (*named[:_ENDS], Node("…", None, len(named) - 2 * _ENDS), *named[-_ENDS:])


def label_of(edge: Edge) -> str:
    if edge.kind in ("process", "realtime"):
        return edge.kind
    key = str(edge.key)
    return f"{edge.kind} key {key if len(key) <= 12 else key[:11] + '…'}"
