"""By which history an iteration is told: that of its run, or that of its replays."""

from __future__ import annotations

from typing import TypeVar

from txfuzz.analysis.result import AnalysisResult, Verdict

Result = TypeVar("Result", AnalysisResult, AnalysisResult | None)


def telling(ran: Result, replayed: AnalysisResult | None) -> Result:
    """The analysis of the run, or of its replays where those alone contradict the expected model."""
    return replayed if replays_alone_found(ran, replayed) and replayed is not None else ran


def replays_alone_found(ran: AnalysisResult | None, replayed: AnalysisResult | None) -> bool:
    found = replayed is not None and replayed.verdict is Verdict.INVALID
    return found and (ran is None or ran.verdict is not Verdict.INVALID)


def place(number: int, by_replay: bool) -> str:
    """Where something was found, in words."""
    return f"the replay of iteration {number}" if by_replay else f"iteration {number}"


def found(ran: AnalysisResult | None, replayed: AnalysisResult | None) -> str:
    """The types of anomalies that contradict the model, for a table."""
    told = telling(ran, replayed)
    types = ", ".join(told.anomaly_types) if told is not None else ""
    return f"{types} (by its replay)" if replays_alone_found(ran, replayed) else types
