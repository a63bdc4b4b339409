"""Anomalies and near-cycles as networkx graphs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from txfuzz.analysis.views.cycle_parts import Edge, MissingEdge, TransactionView

if TYPE_CHECKING:
    import networkx


def cycle_graph(
    parts: Iterable[tuple[Sequence[TransactionView], Sequence[Edge], MissingEdge | None]],
) -> networkx.MultiDiGraph[int]:
    """Transactions and edges of anomalies and near-cycles, as `dependency_graph` has them.

    The missing edge of a near-cycle has `missing=True`, and no values.
    """
    import networkx

    graph: networkx.MultiDiGraph[int] = networkx.MultiDiGraph()
    for views, edges, missing in parts:
        names = {view.row: view.index for view in views}
        for view in views:
            graph.add_node(view.index, **node(view))
        for edge in edges:
            ends = (names[edge.source], names[edge.target])
            known: dict[Any, Any] = graph.get_edge_data(*ends, default={})
            if _edge(edge) not in known.values():
                add_edge(graph, *ends, edge)
        if missing is not None:
            source, target = names[missing.source], names[missing.target]
            graph.add_edge(
                source, target, kind=missing.kind, logical_key=missing.key, missing=True,
                source_step=missing.source_step, target_step=missing.target_step,
            )  # fmt: skip
    return graph


def add_edge(graph: networkx.MultiDiGraph[int], source: int, target: int, edge: Edge) -> None:
    """A second edge of the same kind between the same two gets a different key."""
    key: Any = edge.kind
    if graph.has_edge(source, target, key):
        key = (edge.kind, graph.number_of_edges(source, target))
    graph.add_edge(source, target, key=key, **_edge(edge))


def node(view: TransactionView) -> dict[str, Any]:
    """The attributes of a transaction's node."""
    names = ("row", "process", "template", "start", "end", "outcome")
    return {"mops": view.text, **{name: getattr(view, name) for name in names}}


def _edge(edge: Edge) -> dict[str, Any]:
    names = ("kind", "logical_key", "value", "next_value", "why")
    return {"physical_key": edge.key, **{name: getattr(edge, name) for name in names}}
