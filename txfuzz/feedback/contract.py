"""What strategies, heuristics and mutators get, and what they return."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from txfuzz.analysis.dependencies.coverage import Feature
from txfuzz.analysis.result import AnalysisResult, KeyPressure, NearCycle, Verdict
from txfuzz.feedback.directed.direction import DirectedOutcome, Direction
from txfuzz.workload.model import Workload

Coverage = Mapping[Feature, int]  # what a history covers → how often


@dataclass(frozen=True)
class FeedbackResult:
    """The part of an iteration's AnalysisResult that heuristics get.

    iteration: counts from 0. committed, aborted, unknown: transactions by outcome.
    edges_per_txn, concurrent_edges_per_txn: dependent pairs per committed transaction, all of
    them and those whose two transactions overlapped in time.
    near_cycles: nearest first. key_pressure: by logical key, highest pressure first.
    anomaly_types: those in this iteration that contradict the expected model.
    failed_replays: logical key → near-cycles on it that did not close when replayed.
    original: the workload that the campaign began with, whose keys and transactions bound all
    adjustments; None for the workload passed to the heuristic. stale: number of successive
    iterations, up to this one, that ran the same transactions on the same keys and showed no new
    type of anomaly.
    coverage: what the history covers → how often; empty unless the strategy uses it.
    direction: how the near-cycle that the strategy pursues can be directed; None unless it pursues one.
    directed: what came of the directed schedules of this iteration.
    """

    iteration: int
    verdict: Verdict
    transactions: int = 0
    committed: int = 0
    aborted: int = 0
    unknown: int = 0
    edges_per_txn: float = 0.0
    concurrent_edges_per_txn: float = 0.0
    near_cycles: tuple[NearCycle, ...] = ()
    key_pressure: tuple[KeyPressure, ...] = ()
    anomaly_types: tuple[str, ...] = ()
    failed_replays: Mapping[int, int] = field(default_factory=dict)
    original: Workload | None = None
    stale: int = 0
    coverage: Mapping[Feature, int] = field(default_factory=dict)
    direction: Direction | None = None
    directed: tuple[DirectedOutcome, ...] = ()

    @classmethod
    def of(
        cls,
        result: AnalysisResult,
        iteration: int = 0,
        failed_replays: Mapping[int, int] | None = None,
        *,
        original: Workload | None = None,
        stale: int = 0,
        coverage: Mapping[Feature, int] | None = None,
        direction: Direction | None = None,
        directed: tuple[DirectedOutcome, ...] = (),
    ) -> FeedbackResult:
        return cls(
            iteration=iteration,
            verdict=result.verdict,
            transactions=result.transactions,
            committed=result.committed,
            aborted=result.failed,
            unknown=result.unknown,
            edges_per_txn=result.edges_per_txn,
            concurrent_edges_per_txn=result.concurrent_edges_per_txn,
            near_cycles=result.near_cycles,
            key_pressure=result.key_pressure,
            anomaly_types=result.anomaly_types,
            failed_replays=failed_replays or {},
            original=original,
            stale=stale,
            coverage=coverage or {},
            direction=direction,
            directed=directed,
        )


class LoopState:
    """The part of the feedback that depends on more than the last iteration. first: the workload that the
    campaign began with; None for that of the first iteration."""

    def __init__(self, first: Workload | None = None) -> None:
        self._first = first
        self._before: dict[int, tuple[Workload, int]] = {}  # by the iteration that is made of it; its `stale`
        self._types: set[str] = set()

    def feedback_result(
        self,
        result: AnalysisResult,
        workload: Workload,
        iteration: int,
        failed_replays: Mapping[int, int] | None = None,
        coverage: Coverage | None = None,
        direction: Direction | None = None,
        directed: tuple[DirectedOutcome, ...] = (),
        *,
        ahead: int = 1,
    ) -> FeedbackResult:
        """What the heuristics get. To be called once for each iteration, in order. ahead: see Situation."""
        self._first = self._first or workload
        new = set(result.anomaly_types) - self._types
        self._types |= new
        last, stale = self._before.pop(iteration, (None, 0))
        same = last is not None and workload.transactions == last.transactions
        stale = 0 if new else (stale if same else 0) + 1
        self._before[iteration + ahead] = (workload, stale)
        return FeedbackResult.of(
            result,
            iteration,
            failed_replays,
            original=self._first,
            stale=stale,
            coverage=coverage,
            direction=direction,
            directed=directed,
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One change to a workload, as data.

    target: what changes, such as "keys" or "scheduling.clients"; txfuzz.feedback.targets.table lists them
        with their values.
    before, after: JSON data. reason: a sentence with numbers. heuristic: its name, or that of a mutator.
    """

    target: str
    before: Any
    after: Any
    reason: str
    heuristic: str


@runtime_checkable
class Heuristic(Protocol):
    """A frozen dataclass whose fields are its options. Pure: the same input gives the same result."""

    name: ClassVar[str]
    about: ClassVar[str]

    def propose(
        self, feedback: FeedbackResult, workload: Workload, random: random.Random
    ) -> tuple[Adjustment, ...]:
        """The changes that this feedback suggests; `before` must be the workload's current value."""


@runtime_checkable
class Mutator(Protocol):
    """One way to change a workload. A frozen dataclass whose fields are its options; pure.

    A heuristic decides what happens next; a mutator only says what it would do, and a strategy decides
    which of them does. kind: of change, which a workload has to allow
    (txfuzz.workload.allowed_changes.KINDS).
    """

    name: ClassVar[str]
    about: ClassVar[str]
    kind: ClassVar[str]

    def propose(
        self, feedback: FeedbackResult, workload: Workload, random: random.Random
    ) -> Adjustment | None:
        """One change of this kind, whose `before` is the workload's current value; None if it has none."""


@dataclass(frozen=True)
class Situation:
    """What a strategy decides from.

    workload: the one to change. feedback: of the iteration that has just ended; None before the first one.
    heuristics: those of the campaign, in order. fixed: targets that may not change. mutators: all that are
    installed (`applicable_mutators` are those that the workload allows). ahead: how many iterations after
    that one the decision takes effect: as many as run side by side.
    """

    workload: Workload
    feedback: FeedbackResult | None = None
    heuristics: tuple[Heuristic, ...] = ()
    fixed: Collection[str] = ()
    mutators: tuple[Mutator, ...] = ()
    ahead: int = 1

    @property
    def runs_as(self) -> int:
        """The iteration that the decision is about, the first of them before the first one."""
        return 0 if self.feedback is None else self.feedback.iteration + self.ahead


@dataclass(frozen=True)
class Proposal:
    """What a strategy decided.

    adjustments: to be applied in this order. warnings: sentences. learnt: sentences without a full stop about
    what it has learnt, for people.
    """

    adjustments: tuple[Adjustment, ...] = ()
    warnings: tuple[str, ...] = ()
    learnt: tuple[str, ...] = ()


@runtime_checkable
class Strategy(Protocol):
    """How a campaign searches: what the next workload is, given what was seen.

    A dataclass whose fields are its options. There is one object for each campaign, so it may remember what
    it saw in fields that are no options. A campaign that is resumed shows it the earlier iterations again,
    in order, so what it remembers must follow from what it was shown.

    blind: True if it never looks at the feedback. A class attribute `uses_coverage = True` asks for
    FeedbackResult.coverage. A method `pursued` makes it a Pursuing one.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    blind: ClassVar[bool]

    def propose(self, situation: Situation, random: random.Random) -> Proposal:
        """The changes to make to the workload; called before the first iteration and after each one."""


@runtime_checkable
class Pursuing(Protocol):
    """An optional method of strategies: they choose the near-cycle that the next iteration pursues.

    It comes first in the picture and in the notes, and FeedbackResult.direction says how to direct it.
    """

    def pursued(self, near_cycles: Sequence[NearCycle]) -> int | None:
        """The place of the one to pursue; None for none. near_cycles: nearest first. It must not remember
        that it was asked."""
