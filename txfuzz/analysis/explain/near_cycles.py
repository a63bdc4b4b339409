"""Sentences about near-cycles: each edge of the path with the values that justify it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from txfuzz.analysis.dependencies.edges import Dependencies
from txfuzz.analysis.dependencies.metrics import STRETCH
from txfuzz.analysis.describe import labels_of, mop_of_step, transaction_view
from txfuzz.analysis.explain.cycles import dependency_edge
from txfuzz.analysis.near_cycles.paths import MOST_PATHS
from txfuzz.analysis.near_cycles.search import LeftOut, NearCycleFact
from txfuzz.analysis.result import MissingEdge, NearCycle


def explain_near_cycle(dependencies: Dependencies, fact: NearCycleFact) -> NearCycle:
    """dependencies: in which the near-cycle was found."""
    labels = labels_of(dependencies.history, fact.rows)
    return NearCycle(
        fact.score,
        tuple(
            dependency_edge(dependencies, *edge, *names)
            for edge, names in zip(fact.path, pairwise(labels), strict=True)
        ),
        _missing(dependencies, fact.missing),
        fact.anomaly,
        fact.breaks,
        tuple(transaction_view(dependencies.history, row) for row in fact.rows),
        fact.score_parts,
    )


def _missing(dependencies: Dependencies, edge: MissingEdge) -> MissingEdge:
    """The edge with the micro-operations of its two steps."""
    history = dependencies.history
    return replace(
        edge,
        source_mop=mop_of_step(history, edge.source, edge.source_step, edge.kind == "rw"),
        target_mop=mop_of_step(history, edge.target, edge.target_step, edge.kind == "wr"),
    )


def near_cycle_limits(left_out: LeftOut) -> Iterator[str]:
    """What the search for near-cycles did not cover."""
    if left_out.transactions:
        yield (
            f"near-cycles: searched in stretches of {STRETCH} transactions; {left_out.transactions} of "
            f"{left_out.of_transactions} transactions were left out"
        )
    for length, paths in left_out.paths.items():
        yield (
            f"near-cycles: about {MOST_PATHS} paths of {length} dependencies were examined, {paths} were not"
        )
    if left_out.versions:
        yield (
            f"near-cycles: the anti-dependencies around {left_out.versions} versions that very many "
            "transactions read were left out"
        )
