"""One iteration of a campaign: its workload, its outcome, its analysis and its replays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from txfuzz.analysis.analyze import ONE_CLIENT
from txfuzz.analysis.near_cycles.pursuit import Pursuit
from txfuzz.analysis.result import AnalysisResult, Anomaly, Verdict
from txfuzz.common.sentences import counted
from txfuzz.errors import UsageError, WorkloadError
from txfuzz.execution.summary import ExecutionSummary, injection_counts
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.history.course import Stretch
from txfuzz.replay.small_scope.result import SmallScopeResult
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import read_workload

PLUGINS = "plugins"  # the folder of a run directory with copies of its plugin files
SMALL_SCOPE = -1  # the number of the search before the first iteration


def iteration_name(number: int) -> int | str:
    """For tables and files: the number, or "small-scope"."""
    return "small-scope" if number == SMALL_SCOPE else number


@dataclass(frozen=True)
class Numbers:
    """One iteration in numbers, as in progress.csv and stats.json; None if unknown.

    seconds: from the start of the run to the end of the feedback. per_second: committed transactions.
    """

    transactions: int = 0
    ok: int = 0
    fail: int = 0
    info: int = 0
    seconds: float | None = None
    per_second: float | None = None
    clients: int | None = None
    keys: int | None = None
    edges_per_txn: float | None = None
    concurrent_edges_per_txn: float | None = None
    near_cycles: int | None = None
    mix: Mapping[str, float] = field(default_factory=dict)
    aborts: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, result: AnalysisResult, **known: Any) -> Numbers:
        """From an analysis, and what else is known."""
        return cls(
            transactions=result.transactions,
            ok=result.committed,
            fail=result.failed,
            info=result.unknown,
            edges_per_txn=result.edges_per_txn,
            concurrent_edges_per_txn=result.concurrent_edges_per_txn,
            near_cycles=result.near_cycles_counted,
            **known,
        )

    @property
    def aborted(self) -> float | None:
        """The share of transactions that failed or are unknown."""
        return (self.fail + self.info) / self.transactions if self.transactions else None


@dataclass(frozen=True)
class Reached:
    """What a campaign has covered by the end of an iteration.

    features: in all (txfuzz.analysis.dependencies.coverage); new: those that no earlier iteration had.
    corpus: entries of the strategy's corpus, None if it keeps none; yields: mutator → what it has brought per
    100 transactions, the best first.
    """

    features: int
    new: int
    corpus: int | None = None
    yields: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ReplayNote:
    """The outcome of an iteration's replays, from replay_result.json (docs/reference/artefacts.md)."""

    attempts: int
    closed: int
    anomaly: str | None = None
    anomalies: Mapping[str, int] = field(default_factory=dict)
    ended: str = ""

    @property
    def sentence(self) -> str:
        what = self.anomaly or "the anomaly"
        text = f"{what} occurred in {self.closed:,} of {counted(self.attempts, 'attempt')}"
        return f"{text}; one could not continue: {self.ended}" if self.ended else text


@dataclass(frozen=True, slots=True)
class ReplayAim:
    """What a replay.yaml is meant to show. anomaly: its type. templates: of its transactions. focus_key: the
    logical key on which they are to meet."""

    anomaly: str | None
    templates: tuple[str, ...]
    focus_key: int | None = None

    def shows(self, anomaly: Anomaly, *, by_itself: bool = False) -> bool:
        """Is the schedule that of this anomaly? It is if type, templates and key agree.

        by_itself: the replay alone found the anomaly, possibly of another type than it was meant to show.
        An anomaly that is not a cycle may have more transactions than its replay needs.
        """
        if not by_itself and self.anomaly not in (None, anomaly.type):
            return False
        keys = {edge.logical_key for edge in anomaly.edges} - {None}
        if keys and self.focus_key is not None and self.focus_key not in keys:
            return False
        there = Counter(view.template or "" for view in anomaly.transactions)
        needed = Counter(self.templates)
        return needed == there if anomaly.edges else needed <= there


def replay_aim(path: Path) -> ReplayAim | None:
    """The aim of this replay.yaml; None if it has none."""
    try:
        replay = read_workload(path, None).replay
    except WorkloadError:
        return None
    if replay is None:
        return None
    return ReplayAim(replay.anomaly, tuple(each.origin for each in replay.transactions), replay.focus_key)


@dataclass(frozen=True)
class Iteration:
    """One `iter_XX/`, or `iter_small_scope/`, whose number is SMALL_SCOPE.

    searched: of the latter, what the schedules showed.
    result: the analysis of its run; if there is none, the verdict is unknown, with a reason. decisions:
    what the feedback changes for the next iteration. replayed: the analysis of its replays, if any;
    replay, replay_file: their outcome, and the schedule that they followed. aim: what replay_file is
    meant to show, for iterations that were the first to show something.

    directed: what came of its directed schedules. reached: None if it was not looked at.

    The other fields are known only to the running campaign and not read back. asked: its workload.
    execution: None if txfuzz did not make the history. seconds: by stage. notes: sentences for the
    reader. learnt: what the campaign's strategy has learnt by now, likewise. pursued: what became of the
    near-cycle that the previous iteration's feedback pursued. course: of its run.
    """

    number: int
    path: Path
    result: AnalysisResult
    numbers: Numbers
    decisions: tuple[Adjustment, ...] = ()
    replayed: AnalysisResult | None = None
    replay: ReplayNote | None = None
    replay_file: Path | None = None
    aim: ReplayAim | None = None
    searched: SmallScopeResult | None = None
    directed: tuple[DirectedOutcome, ...] = ()
    reached: Reached | None = None
    asked: Workload | None = field(default=None, repr=False)
    execution: ExecutionSummary | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    learnt: tuple[str, ...] = ()
    pursued: Pursuit | None = None
    course: tuple[Stretch, ...] = ()

    @classmethod
    def ran(
        cls,
        number: int,
        path: Path,
        workload: Workload,
        result: AnalysisResult,
        execution: ExecutionSummary | None = None,
        *,
        seconds: Mapping[str, float] | None = None,
        **more: Any,
    ) -> Iteration:
        """An iteration that has just run, with its numbers."""
        stages = seconds or {}
        numbers = Numbers.of(
            result,
            seconds=sum(stages.values()),
            per_second=execution.per_second if execution else None,
            clients=workload.scheduling.clients,
            keys=len(workload.logical_keys()),
            mix={weight.txn: weight.weight for weight in workload.mix},
            aborts=dict(execution.aborts) if execution else {},
            faults=injection_counts(execution.faults) if execution else {},
        )
        return cls(number, path, result, numbers, asked=workload, execution=execution, seconds=stages, **more)

    @property
    def workload(self) -> Workload:
        """Its workload. UsageError for an iteration that was read back from its run directory."""
        if self.asked is None:
            raise UsageError(f"{self.path}: read back without its workload; it is in workload.yaml there")
        return self.asked

    @property
    def by_replay(self) -> bool:
        """Do only its replays contradict the expected model?"""
        found = self.replayed is not None and self.replayed.verdict is Verdict.INVALID
        return found and self.result.verdict is not Verdict.INVALID

    @property
    def deciding_result(self) -> AnalysisResult:
        """The analysis of the run, or of its replays if they alone contradict the expected model."""
        return self.replayed if self.by_replay and self.replayed is not None else self.result

    @property
    def verdict(self) -> Verdict:
        return self.deciding_result.verdict

    @property
    def vacuous(self) -> bool:
        """Could nothing go wrong in it, so that it says nothing for or against the database?"""
        return self.deciding_result.vacuous

    @property
    def alone(self) -> bool:
        """Did one client run alone, which shows only what can go wrong without others?"""
        return self.vacuous and self.reason == ONE_CLIENT

    @property
    def reason(self) -> str:
        return self.deciding_result.reason

    @property
    def history(self) -> Path:
        """The history that `deciding_result` is about."""
        return self.path / ("replay_history.edn" if self.by_replay else "history.edn")

    @property
    def label(self) -> str:
        """What `deciding_result` is about, in words."""
        return f"the replay of iteration {self.name}" if self.by_replay else f"iteration {self.name}"

    @property
    def name(self) -> int | str:
        """Its number, or "small-scope"."""
        return iteration_name(self.number)

    @property
    def found(self) -> str:
        """The types of anomalies that contradict the expected model, for a table."""
        types = ", ".join(self.deciding_result.anomaly_types)
        return f"{types} (by its replay)" if self.by_replay else types
