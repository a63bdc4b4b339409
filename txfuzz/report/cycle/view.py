"""What a picture shows of an anomaly or near-cycle, within bounds: transactions, edges, their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from txfuzz.analysis.result import Anomaly, Edge, MissingEdge, NearCycle, TransactionView
from txfuzz.history.values import identity
from txfuzz.report.cycle.labels import (
    LogicalKeys,
    edge_title,
    edge_values,
    missing_ends,
    missing_key,
    missing_steps,
)

MOST = 12  # transactions in one picture
_ENDS = 4  # at each end of a cycle that is too long

# What to call a transaction, by its number in the cycle, from 1
Naming: TypeAlias = Callable[[int, TransactionView], str]


@dataclass(frozen=True, slots=True)
class CycleNode:
    """A transaction; view None represents `elided` further ones."""

    name: str
    view: TransactionView | None
    elided: int = 0


@dataclass(frozen=True, slots=True)
class CycleLink:
    """An edge between two nodes, by index. source_mop, target_mop: the indices of the micro-operations that
    make it. title, lines: its label. why: a sentence. missing: it does not exist."""

    kind: str
    source: int
    target: int
    source_mop: int | None
    target_mop: int | None
    title: str
    lines: tuple[str, ...]
    why: str
    missing: bool = False

    @property
    def ends(self) -> tuple[tuple[int, int | None], tuple[int, int | None]]:
        """Node and micro-operation, of the source and of the target."""
        return (self.source, self.source_mop), (self.target, self.target_mop)


@dataclass(frozen=True, slots=True)
class Cycle:
    """nodes: in the order of the cycle. links: the edges between those that are shown."""

    nodes: tuple[CycleNode, ...]
    links: tuple[CycleLink, ...]


def numbered(number: int, view: TransactionView) -> str:
    """T1, T2, … as in explanations."""
    return f"T{number}"


def cycle_of(anomaly: Anomaly, name: Naming = numbered) -> Cycle:
    """The transactions of an anomaly, and its edges where it is a cycle."""
    return _cycle(anomaly.transactions, anomaly.edges, None, name, {})


def near_cycle_of(near: NearCycle, name: Naming = numbered, logical: LogicalKeys | None = None) -> Cycle:
    """The path from end to end, and the edge that would close it.

    logical: of all keys, if known; otherwise the keys of the path are used.
    """
    if logical is None:
        logical = {identity(edge.key): edge.logical_key for edge in near.path}
    ends = [row for edge in near.path for row in (edge.source, edge.target)]
    views = {view.row: view for view in near.transactions}
    rows = dict.fromkeys([near.missing.target, *ends, near.missing.source])
    return _cycle([views[row] for row in rows if row in views], near.path, near.missing, name, logical)


def _cycle(
    views: Iterable[TransactionView],
    edges: Sequence[Edge],
    missing: MissingEdge | None,
    name: Naming,
    logical: LogicalKeys,
) -> Cycle:
    by_row = {view.row: view for view in views}
    nodes = _nodes([CycleNode(name(number, view), view) for number, view in enumerate(by_row.values(), 1)])
    place = {node.view.row: at for at, node in enumerate(nodes) if node.view is not None}
    links = [_link(edge, place, by_row) for edge in edges if edge.source in place and edge.target in place]
    if missing is not None and missing.source in place and missing.target in place:
        links.append(_missing(missing, place, by_row, logical))
    return Cycle(nodes, tuple(links))


def _nodes(nodes: list[CycleNode]) -> tuple[CycleNode, ...]:
    if len(nodes) <= MOST:
        return tuple(nodes)
    return (*nodes[:_ENDS], CycleNode("…", None, len(nodes) - 2 * _ENDS), *nodes[-_ENDS:])


def _link(edge: Edge, place: Mapping[int, int], views: Mapping[int, TransactionView]) -> CycleLink:
    source_mop, target_mop = _made(edge, views)
    made = None if source_mop is None else views[edge.source].mops[source_mop]
    return CycleLink(
        edge.kind, place[edge.source], place[edge.target], source_mop, target_mop,
        edge_title(edge), (edge_values(edge, made),), edge.why,
    )  # fmt: skip


def _missing(
    missing: MissingEdge,
    place: Mapping[int, int],
    views: Mapping[int, TransactionView],
    logical: LogicalKeys,
) -> CycleLink:
    source_mop, target_mop = _made(missing, views)
    missing = replace(missing, source_mop=source_mop, target_mop=target_mop)
    ends = missing_ends(missing)
    return CycleLink(
        missing.kind, place[missing.source], place[missing.target], source_mop, target_mop,
        f"missing: {missing.kind} on {missing_key(missing, views, logical)}",
        tuple(missing_steps(missing, views, logical)),
        f"missing: {missing.kind} on key {missing.key}{f', {ends}' if ends else ''}",
        missing=True,
    )  # fmt: skip


def _made(edge: Edge | MissingEdge, views: Mapping[int, TransactionView]) -> tuple[int | None, int | None]:
    """The micro-operations that make an edge, if the transactions have them: files are not trusted."""
    source, target = (
        mop if mop is not None and 0 <= mop < len(views[row].mops) else None
        for row, mop in ((edge.source, edge.source_mop), (edge.target, edge.target_mop))
    )
    return source, target
