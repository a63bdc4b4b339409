"""What a campaign found, iteration by iteration, and as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from txfuzz.analysis.analyze import worst
from txfuzz.analysis.near_cycles.pursuit import Pursuit
from txfuzz.analysis.result import AnalysisResult, Verdict, as_data
from txfuzz.errors import ExitCode
from txfuzz.execution.summary import ExecutionSummary, injection_counts
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.iteration_history import place, telling
from txfuzz.workload.model import Workload

EXIT_CODES = {
    Verdict.VALID: ExitCode.NOTHING_FOUND,
    Verdict.INVALID: ExitCode.VIOLATED,
    Verdict.UNKNOWN: ExitCode.UNKNOWN,
}


@dataclass(frozen=True)
class IterationOutcome:
    """One iteration. seconds: where the time went, by stage. notes: sentences for the reader.

    execution: None where somebody else made the history. decisions: what the feedback changed
    for the next iteration. replayed: what the history of its replays means, where there were any.
    pursued: what became of the near-cycle that the feedback of the iteration before pursued.
    """

    number: int
    workload: Workload
    result: AnalysisResult
    execution: ExecutionSummary | None = None
    decisions: tuple[Adjustment, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    replayed: AnalysisResult | None = None
    pursued: Pursuit | None = None

    @property
    def telling(self) -> AnalysisResult:
        """The analysis of the run, or of its replays where those alone contradict `expect`."""
        return telling(self.result, self.replayed)

    @property
    def by_replay(self) -> bool:
        """Is it only its replays that contradict `expect`?"""
        return self.telling is not self.result

    @property
    def place(self) -> str:
        """What `telling` is about, in words."""
        return place(self.number, self.by_replay)


@dataclass(frozen=True)
class CampaignResult:
    """All iterations. promised: what the database promises at this isolation level.

    isolation: None where a history cannot have been made by the workload, so that nobody knows.
    answers_for: that model, or None where the workload's own SQL may be to blame for what contradicts
    it, or nobody knows the isolation level. cautions: settings under which the injected faults may break
    that promise by right. stopped: why it ended before all its iterations, as a phrase.
    """

    directory: Path
    expect: str
    isolation: str | None
    promised: str
    answers_for: str | None
    iterations: tuple[IterationOutcome, ...] = ()
    interrupted: bool = False
    cautions: tuple[str, ...] = ()
    stopped: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Invalid before unknown before valid; unknown when nothing ran."""
        return worst([each.telling.verdict for each in self.iterations] or [Verdict.UNKNOWN])

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.INTERRUPTED if self.interrupted else EXIT_CODES[self.verdict]

    @property
    def found(self) -> dict[str, list[int]]:
        """The types of anomalies that contradict `expect`, and the iterations that showed them."""
        found: dict[str, list[int]] = {}
        for each in self.iterations:
            for name in each.telling.anomaly_types:
                found.setdefault(name, []).append(each.number)
        return found

    @property
    def first_finding(self) -> IterationOutcome | None:
        return next((each for each in self.iterations if each.telling.verdict is Verdict.INVALID), None)

    def __repr__(self) -> str:
        found = f": {', '.join(self.found)}" if self.found else ""
        return f"<CampaignResult {self.verdict.value} against {self.expect}{found}; {self.directory}>"

    def _repr_html_(self) -> str:
        from txfuzz.report.notebook import iterations_html

        results = [(each.number, each.result, each.replayed) for each in self.iterations]
        return iterations_html(results, self.isolation, self.answers_for, str(self.directory))


PROGRESS_COLUMNS = (
    "iteration",
    "seconds",
    "transactions",
    "ok",
    "fail",
    "info",
    "per_second",
    "clients",
    "keys",
    "edges_per_txn",
    "concurrent_edges_per_txn",
    "near_cycles",
    "verdict",
    "anomaly_types",
)


def progress_row(outcome: IterationOutcome) -> tuple[Any, ...]:
    """One line of progress.csv."""
    result, execution, telling = outcome.result, outcome.execution, outcome.telling
    return (
        outcome.number,
        round(sum(outcome.seconds.values()), 3),
        result.transactions,
        result.committed,
        result.failed,
        result.unknown,
        round(execution.per_second, 1) if execution else "",
        outcome.workload.scheduling.clients,
        len(outcome.workload.logical_keys()),
        round(result.edges_per_txn, 4),
        round(result.concurrent_edges_per_txn, 4),
        result.near_cycles_counted,
        telling.verdict.value,
        " ".join(telling.anomaly_types),
    )


def stats(outcomes: Sequence[IterationOutcome]) -> dict[str, Any]:
    """stats.json: totals, and the same by iteration."""
    return {
        "iterations": len(outcomes),
        "transactions": sum(each.result.transactions for each in outcomes),
        "committed": sum(each.result.committed for each in outcomes),
        "failed": sum(each.result.failed for each in outcomes),
        "unknown": sum(each.result.unknown for each in outcomes),
        "by_iteration": [_iteration_stats(each) for each in outcomes],
    }


def _iteration_stats(outcome: IterationOutcome) -> dict[str, Any]:
    row = dict(zip(PROGRESS_COLUMNS, progress_row(outcome), strict=True))
    execution = outcome.execution
    return {
        **row,
        "anomaly_types": list(outcome.telling.anomaly_types),
        "mix": {weight.txn: weight.weight for weight in outcome.workload.mix},
        "aborts": dict(execution.aborts) if execution else {},
        "faults": injection_counts(execution.faults) if execution else {},
        "pursued": as_data(outcome.pursued),
        "stages": {name: round(seconds, 4) for name, seconds in outcome.seconds.items()},
    }
