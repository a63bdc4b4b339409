"""Sentences about cycles: each edge with the values that justify it."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.checker.anomaly_types import definition
from txfuzz.analysis.checker.consistency import as_elle_names
from txfuzz.analysis.checker.cycle_search import FoundCycle
from txfuzz.analysis.checker.scc_graph import SccGraph
from txfuzz.analysis.dependencies.anti_dependencies import mops_in_biclique
from txfuzz.analysis.dependencies.edges import KINDS, PROCESS, RW, WR, WW, Dependencies
from txfuzz.analysis.describe import (
    elapsed,
    key_text,
    labels_of,
    name_of,
    process_of,
    read_text,
    transaction_view,
    value_text,
)
from txfuzz.analysis.result import Anomaly, Edge
from txfuzz.common.kind import Kind
from txfuzz.history.model import NIL, History


def explain_cycle(graph: SccGraph, cycle: FoundCycle) -> Anomaly:
    """The anomaly for a cycle, with a sentence for each edge."""
    history = graph.dependencies.history
    names = dict(zip(cycle.rows, labels_of(history, cycle.rows), strict=True))
    edges, lines = [], []
    for at, (source, kind) in enumerate(zip(cycle.rows, cycle.kinds, strict=True)):
        target = cycle.rows[(at + 1) % len(cycle.rows)]
        edge = explain_edge(graph, source, target, kind, names[source], names[target])
        edges.append(edge)
        last = at == len(cycle.rows) - 1
        start, end = ("However, ", ": a contradiction!") if last else ("", ".")
        lines.append(f"{start}{names[source]} < {names[target]}, because {edge.why}{end}")
    model = cycle.type.removesuffix("-cycle-exists")
    record = {} if model == cycle.type else {"not": as_elle_names(model), "subgraph": _kinds_of(cycle)}
    return Anomaly(
        cycle.type,
        tuple(transaction_view(history, row) for row in cycle.rows),
        "\n".join(lines),
        definition(cycle.type),
        tuple(edges),
        record,
    )


def _kinds_of(cycle: FoundCycle) -> list[str]:
    return [KINDS[kind] for kind in sorted(set(cycle.kinds))]


def explain_edge(graph: SccGraph, source: int, target: int, kind: int, name: str, next_name: str) -> Edge:
    """One edge between two transactions (rows of the History) of a component."""
    edges, history = graph.edges, graph.dependencies.history
    if kind not in (WW, WR, RW):
        say = _process if kind == PROCESS else _realtime
        return Edge(KINDS[kind], source, target, why=say(history, source, target, name, next_name))
    nodes = np.searchsorted(graph.rows, [source, target])
    found = np.flatnonzero((edges.kind == kind) & (edges.source == nodes[0]) & (edges.target == nodes[1]))
    if len(found):
        mops = int(edges.source_mop[found[0]]), int(edges.target_mop[found[0]])
    else:
        mops = mops_in_biclique(graph.folded, graph.dependencies.columns.txn, source, target)
    return dependency_edge(graph.dependencies, kind, *mops, name, next_name)


def dependency_edge(
    dependencies: Dependencies, kind: int, source_mop: int, target_mop: int, name: str, next_name: str
) -> Edge:
    """A ww, wr or rw edge with its sentence, from the two micro-operations that make it.

    name, next_name: what to call the two transactions.
    """
    columns, history = dependencies.columns, dependencies.history
    key = int(history.mop_key[target_mop])
    value = int(columns.saw[source_mop] if kind == RW else history.mop_value[source_mop])
    following = None if kind == WR else int(history.mop_value[target_mop])
    say = {WW: _ww, WR: _wr, RW: _rw}[kind]
    steps = [int(history.mop_step[mop]) for mop in (source_mop, target_mop)]
    source, target = int(columns.txn[source_mop]), int(columns.txn[target_mop])
    return Edge(
        KINDS[kind],
        source,
        target,
        history.keys[key],
        history.logical[key],
        None if value == NIL else history.element_value[value],
        None if following is None else history.element_value[following],
        None if steps[0] < 0 else steps[0],
        None if steps[1] < 0 else steps[1],
        say(dependencies, source_mop, target_mop, name, next_name),
        source_mop - int(history.mops[source]),
        target_mop - int(history.mops[target]),
    )


def _ww(dependencies: Dependencies, source: int, target: int, name: str, next_name: str) -> str:
    history = dependencies.history
    key = key_text(history, int(history.mop_key[target]))
    old, new = (value_text(history, int(history.mop_value[mop])) for mop in (source, target))
    if history.kind is Kind.RW_REGISTER:
        by = _assumed(dependencies, int(history.mop_value[source]), int(history.mop_value[target]))
        return f"{name} wrote {old} to key {key}, and {next_name} wrote {new}, a later version{by}"
    if not dependencies.installed(int(history.mop_value[target])):
        return (
            f"{name} appended {old} to key {key}, the last element of the longest read of the key, "
            f"which does not yet contain the {new} that {next_name} appended"
        )
    return f"{name} appended {old} to key {key}, and {next_name} appended {new} directly after it"


def _wr(dependencies: Dependencies, source: int, target: int, name: str, next_name: str) -> str:
    history = dependencies.history
    key, value = (
        key_text(history, int(history.mop_key[source])),
        value_text(history, int(history.mop_value[source])),
    )
    if history.kind is Kind.RW_REGISTER:
        early = " before writing it" if name == next_name else ""
        return f"{name} wrote {value} to key {key}, which {next_name} read{early}"
    return (
        f"{name} appended {value} to key {key}, which {next_name} read as the last element of "
        f"{read_text(history, target)}"
    )


def _rw(dependencies: Dependencies, source: int, target: int, name: str, next_name: str) -> str:
    history, columns = dependencies.history, dependencies.columns
    key, new = (
        key_text(history, int(history.mop_key[target])),
        value_text(history, int(history.mop_value[target])),
    )
    saw = read_text(history, source)
    initial = " (its initial state)" if columns.saw[source] == NIL else ""
    if history.kind is Kind.RW_REGISTER:
        by = _assumed(dependencies, int(columns.saw[source]), int(history.mop_value[target]))
        return f"{name} read key {key} as {saw}{initial}, before {next_name} wrote {new}, a later version{by}"
    if not dependencies.installed(int(history.mop_value[target])):
        return (
            f"{name} read key {key} as {saw}{initial}, without the {new} that {next_name} appended "
            "and that the longest read of the key does not contain"
        )
    following = "its next element" if len(history.trunk(int(history.mop_key[target]))) else "its only append"
    return f"{name} read key {key} as {saw}{initial}, before {next_name} appended {new}, {following}"


def _assumed(dependencies: Dependencies, before: int, after: int) -> str:
    assumption = dependencies.assumption(before, after)
    return f" (by {assumption})" if assumption else ""


def _process(history: History, source: int, target: int, name: str, next_name: str) -> str:
    return f"process {process_of(history, source)} completed {name} before it invoked {next_name}"


def _realtime(history: History, source: int, target: int, name: str, next_name: str) -> str:
    at, then = int(history.complete_time[source]), int(history.invoke_time[target])
    gap = f", {elapsed(then - at)}" if 0 <= at < then else ""
    return (
        f"{name} completed (index {name_of(history, source)}){gap} before {next_name} was invoked "
        f"(index {int(history.invoke_index[target])})"
    )
