"""What the history of an iteration means, by the analyzers of its campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from txfuzz.analysis.analyze import analyze_history, vacuous_reason
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.near_cycles.pursuit import Pursuit, pursuit
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.results import IterationOutcome
from txfuzz.campaign.setup.resolve import Assembled
from txfuzz.history.model import History
from txfuzz.workload.model import Workload


def judged(assembled: Assembled, history: History, *, given: bool) -> AnalysisResult:
    """given: somebody else has made it. One of our own in which nothing could go wrong is no evidence."""
    result = analyze_history(history, assembled.expect, analyzers=assembled.analyzers)
    reason = None if given else vacuous_reason(history, result)
    return result if reason is None else replace(result, verdict=Verdict.UNKNOWN, reason=reason)


def pursued(
    assembled: Assembled,
    outcomes: Sequence[IterationOutcome],
    history: History,
    result: AnalysisResult,
    workload: Workload,
) -> Pursuit | None:
    """What became of the nearest near-cycle of the iteration before; None for the first one."""
    if not outcomes:
        return None
    last = outcomes[-1]
    judge = next((each for each in assembled.analyzers if isinstance(each, ElleAnalyzer)), None)
    options = None if judge is None else judge.version_options
    return pursuit(last.number, last.result, history, result, workload, options)
