"""The measure of contention that two heuristics read, and the option that chooses it."""

from __future__ import annotations

from typing import Any

from txfuzz import FeedbackResult, option

CONCURRENT, ALL = "concurrent", "all"


def edges_option() -> Any:
    return option(
        CONCURRENT,
        "which dependencies the thresholds count: between transactions that overlapped, or all",
        choices=(CONCURRENT, ALL),
    )


def measured(feedback: FeedbackResult, edges: str) -> tuple[float, str]:
    """Edges per transaction, and that in words."""
    if edges == ALL:
        return feedback.edges_per_txn, f"{feedback.edges_per_txn:.3g} edges a transaction"
    figure = feedback.concurrent_edges_per_txn
    return figure, f"{figure:.3g} concurrent edges a transaction"
