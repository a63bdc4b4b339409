"""What was cut short, and what was not searched to the end, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from txfuzz.analysis.dependencies.metrics import Metrics


def undecided_cycles(type: str, components: int, seconds: float | None) -> str:
    """components: how many were not searched for this type to the end. seconds: the time that there was."""
    spent = "" if seconds is None else f" within {seconds:g} s"
    return (
        f"undecided: {components} component{'s' if components > 1 else ''} could not be searched for {type} "
        f"to the end{spent}"
    )


def metrics_limits(figures: Metrics) -> Iterator[str]:
    """What the figures leave out, and which of them are estimates."""
    if figures.left_out_versions:
        yield (
            "pairs of transactions were counted without the anti-dependencies around "
            f"{figures.left_out_versions} versions that very many transactions read"
        )
    if figures.sampled_pairs is not None:
        yield (
            f"the dependency density is an estimate from {figures.sampled_pairs} pairs of transactions that "
            "met"
        )
