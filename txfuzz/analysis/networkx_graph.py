"""Dependencies as graphs of networkx, for people who want to look at them with tools of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.describe import name_of, outcome, transaction_view
from txfuzz.analysis.explain.cycles import dependency_edge
from txfuzz.analysis.explain.verdict import refusal
from txfuzz.analysis.result import Edge, MissingEdge, TransactionView
from txfuzz.errors import UsageError
from txfuzz.history.model import FAIL, History
from txfuzz.history.reader import read_history

if TYPE_CHECKING:
    import networkx

MOST_EDGES = 100_000


def dependency_graph(
    history: History | str | os.PathLike[str], *, most_edges: int = MOST_EDGES
) -> networkx.MultiDiGraph[int]:
    """All transactions of a history that did not fail, and all wr, ww and rw dependencies (Adya).

    history: in memory, or a file in any form that Elle takes. A node is a transaction under Elle's
    name (the `:index` of its completion), with `row`, `process`, `template`, `mops` (EDN text), `start`
    and `end` (nanoseconds or None) and `outcome`. An edge has its kind as key, and `kind`, `physical_key`,
    `logical_key`, `value`, `next_value` and `why` as `txfuzz.Edge` has them; a second edge of one kind
    between the same two has the key (kind, number).

    Raises HistoryError for a file that is no history, UsageError for a history that cannot be
    judged or has more than `most_edges` dependencies.
    """
    import networkx

    if not isinstance(history, History):
        history = read_history(history)
    columns = columns_of(history)
    refused = refusal(columns, VersionOptions())
    if refused:
        raise UsageError(f"there is no dependency graph: {refused}")
    found = dependencies(history, columns=columns)
    count = sum(found.counts().values())
    if count > most_edges:
        raise UsageError(f"the history has {count:,} dependencies, more than most_edges={most_edges:,}")
    found = found.unfolded()
    graph: networkx.MultiDiGraph[int] = networkx.MultiDiGraph()
    for row in np.flatnonzero(history.type != FAIL):
        view = transaction_view(history, int(row))
        graph.add_node(view.index, **_node(view), outcome=outcome(history, int(row)))
    for kind, *mops in zip(found.kind, found.source_mop, found.target_mop, strict=True):
        source, target = (int(mop) for mop in mops)
        names = [f"transaction {name_of(history, int(columns.txn[mop]))}" for mop in (source, target)]
        edge = dependency_edge(found, int(kind), source, target, *names)
        ends = (name_of(history, edge.source), name_of(history, edge.target))
        _add(graph, *ends, edge)
    return graph


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
            graph.add_node(view.index, **_node(view))
        for edge in edges:
            ends = (names[edge.source], names[edge.target])
            known: dict[Any, Any] = graph.get_edge_data(*ends, default={})
            if _edge(edge) not in known.values():
                _add(graph, *ends, edge)
        if missing is not None:
            source, target = names[missing.source], names[missing.target]
            graph.add_edge(
                source, target, kind=missing.kind, logical_key=missing.key, missing=True,
                source_step=missing.source_step, target_step=missing.target_step,
            )  # fmt: skip
    return graph


def _add(graph: networkx.MultiDiGraph[int], source: int, target: int, edge: Edge) -> None:
    key: Any = edge.kind
    if graph.has_edge(source, target, key):
        key = (edge.kind, graph.number_of_edges(source, target))
    graph.add_edge(source, target, key=key, **_edge(edge))


def _node(view: TransactionView) -> dict[str, Any]:
    names = ("row", "process", "template", "mops", "start", "end")
    return {name: getattr(view, name) for name in names}


def _edge(edge: Edge) -> dict[str, Any]:
    names = ("kind", "logical_key", "value", "next_value", "why")
    return {"physical_key": edge.key, **{name: getattr(edge, name) for name in names}}
