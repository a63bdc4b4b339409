"""A campaign as an HTML fragment, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from txfuzz.analysis.result import Verdict
from txfuzz.analysis.views.result_html import table, text
from txfuzz.report.iteration import Iteration

_ROWS = 50


def campaign_html(sentence: str, iterations: Sequence[Iteration], directory: Path) -> str:
    """The verdict in a sentence, one row per iteration, the first anomaly."""
    head = ("iteration", "verdict", "transactions", "committed", "edges per txn", "near-cycles", "found")
    rows = [
        (
            each.number, each.verdict.value, f"{each.result.transactions:,}", f"{each.result.committed:,}",
            f"{each.result.edges_per_txn:.2f}", f"{each.result.near_cycles_counted:,}", each.found,
        )
        for each in iterations[:_ROWS]
    ]  # fmt: skip
    first = next((each for each in iterations if each.verdict is Verdict.INVALID), None)
    anomalies = first.deciding_result.anomalies if first is not None else ()
    return (
        f"<div><p><b>{text(sentence)}</b></p>{table(rows, head)}"
        f"{anomalies[0]._repr_html_() if anomalies else ''}<p>{text(str(directory))}</p></div>"
    )
