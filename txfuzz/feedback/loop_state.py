"""What a campaign keeps in mind from iteration to iteration, beside its workload."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.analysis.result import AnalysisResult
from txfuzz.feedback.contract import FeedbackResult
from txfuzz.workload.model import Workload


class LoopState:
    """The iterations so far, as far as feedback depends on more than the last one."""

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
        """What the heuristics are told of an iteration. To be called once for each, in their order."""
        self._first = self._first or workload
        new = set(result.anomaly_types) - self._types
        self._types |= new
        same = self._last is not None and workload.transactions == self._last.transactions
        self._stale = 0 if new else (self._stale if same else 0) + 1
        self._last = workload
        return FeedbackResult.of(result, iteration, failed_replays, original=self._first, stale=self._stale)
