"""Options as dataclass fields, and the measure of contention that two heuristics read."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from txfuzz import FeedbackResult

CONCURRENT, ALL = "concurrent", "all"


def option(default: Any, help: str, *, least: float | None = None, choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field that explains itself; `least` is the smallest number allowed."""
    metadata: dict[str, Any] = {"help": help}
    if least is not None:
        metadata["least"] = least
    if choices:
        metadata["choices"] = choices
    return field(default=default, metadata=metadata)


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
