"""The measure of contention used by two heuristics, and its options."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import FeedbackResult, option

CONCURRENT, ALL = "concurrent", "all"


def edges_option() -> Any:
    return option(
        CONCURRENT,
        "which dependencies the thresholds count: those between overlapping transactions, or all",
        choices=(CONCURRENT, ALL),
    )


def aborts_option(what: str) -> Any:
    return option(0.3, f"share of aborted transactions at which {what}; above 1 for never", least=0.0)


def pressed_enough(feedback: FeedbackResult, most: float) -> bool:
    """Whether edges are few because so many transactions aborted.

    More pressure would cause more aborts and even fewer edges.
    """
    ended = feedback.committed + feedback.aborted + feedback.unknown
    return bool(ended) and feedback.aborted >= most * ended and feedback.aborted > 0


def measured(feedback: FeedbackResult, edges: str) -> tuple[float, str]:
    """Edges per transaction, as a number and in words."""
    if edges == ALL:
        return feedback.edges_per_txn, f"{feedback.edges_per_txn:.3g} edges per transaction"
    figure = feedback.concurrent_edges_per_txn
    return figure, f"{figure:.3g} concurrent edges per transaction"
