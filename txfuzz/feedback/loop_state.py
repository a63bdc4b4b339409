"""What a campaign remembers between iterations for its feedback, besides the workload."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.analysis.result import AnalysisResult
from txfuzz.feedback.contract import FeedbackResult
from txfuzz.workload.model import Workload


class LoopState:
    """The part of the feedback that depends on more than the last iteration."""

    def __init__(self) -> None:
        self._first: Workload | None = None
        self._last: Workload | None = None
        self._stale = 0
        self._types: set[str] = set()

    def feedback_result(
        self,
        result: AnalysisResult,
        workload: Workload,
        iteration: int,
        failed_replays: Mapping[int, int] | None = None,
    ) -> FeedbackResult:
        """What the heuristics get. To be called once for each iteration, in order."""
        self._first = self._first or workload
        new = set(result.anomaly_types) - self._types
        self._types |= new
        same = self._last is not None and workload.transactions == self._last.transactions
        self._stale = 0 if new else (self._stale if same else 0) + 1
        self._last = workload
        return FeedbackResult.of(result, iteration, failed_replays, original=self._first, stale=self._stale)
