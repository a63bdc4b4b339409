"""A campaign as a small piece of HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.analysis.views.result_html import table, text
from txfuzz.report.iteration_history import found, telling
from txfuzz.report.verdict import nothing_found, verdict_sentence

_ROWS = 50


def iterations_html(
    results: Sequence[tuple[int, AnalysisResult, AnalysisResult | None]],
    isolation: str | None,
    promised: str | None,
    directory: str,
) -> str:
    """The verdict in a sentence, a row an iteration, the first anomaly.

    results: of each iteration its number, what its run means, and what its replays mean.
    """
    told = [telling(result, replayed) for _, result, replayed in results]
    first = next((result for result in told if result.verdict is Verdict.INVALID), None)
    unknown = next((result for result in told if result.verdict is Verdict.UNKNOWN), None)
    if first is not None or unknown is not None or not results:
        shown = first or unknown
        sentence = (
            verdict_sentence(shown, isolation, promised) if shown else "No verdict: nothing was analysed."
        )
    else:
        committed = sum(result.committed for _, result, _ in results)
        sentence = nothing_found(committed, len(results), isolation, model_text(results[0][1].expect))
    head = ("iteration", "verdict", "transactions", "committed", "edges a txn", "near-cycles", "found")
    rows = [
        (
            number, telling(result, replayed).verdict.value, f"{result.transactions:,}",
            f"{result.committed:,}",
            f"{result.edges_per_txn:.2f}", f"{result.near_cycles_counted:,}", found(result, replayed),
        )
        for number, result, replayed in results[:_ROWS]
    ]  # fmt: skip
    anomaly = first.anomalies[0]._repr_html_() if first is not None and first.anomalies else ""
    return f"<div><p><b>{text(sentence)}</b></p>{table(rows, head)}{anomaly}<p>{text(directory)}</p></div>"
