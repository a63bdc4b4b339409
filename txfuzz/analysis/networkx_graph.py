"""Dependencies as networkx graphs, for analysis with other tools."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.describe import name_of, transaction_view
from txfuzz.analysis.explain.cycles import dependency_edge
from txfuzz.analysis.explain.verdict import refusal
from txfuzz.analysis.views.cycle_graph import add_edge, node
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

    history: in memory, or a file in any format that Elle accepts. A node is a transaction under Elle's
    name (the `:index` of its completion), with `row`, `process`, `template`, `mops` (EDN text), `start`
    and `end` (nanoseconds or None) and `outcome`. An edge has its kind as key, and `kind`, `physical_key`,
    `logical_key`, `value`, `next_value` and `why` as `txfuzz.Edge` has them; a second edge of one kind
    between the same two has the key (kind, number).

    Raises HistoryError for a file that is not a history, UsageError for a history that cannot be
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
        graph.add_node(view.index, **node(view))
    for kind, *mops in zip(found.kind, found.source_mop, found.target_mop, strict=True):
        source, target = (int(mop) for mop in mops)
        names = [f"transaction {name_of(history, int(columns.txn[mop]))}" for mop in (source, target)]
        edge = dependency_edge(found, int(kind), source, target, *names)
        ends = (name_of(history, edge.source), name_of(history, edge.target))
        add_edge(graph, *ends, edge)
    return graph
