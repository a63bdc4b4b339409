"""What heuristics read and what they answer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from txfuzz.analysis.result import AnalysisResult, KeyPressure, NearCycle, Verdict
from txfuzz.workload.model import Workload


@dataclass(frozen=True)
class FeedbackResult:
    """What one iteration teaches: the part of an AnalysisResult that heuristics read.

    iteration: counts from 0. committed, aborted, unknown: transactions by outcome.
    edges_per_txn, concurrent_edges_per_txn: dependent pairs a committed transaction, all of
    them and those whose two transactions overlapped in time.
    near_cycles: nearest first. key_pressure: hardest pressed first, logical keys.
    anomaly_types: what contradicts the expected model so far in this iteration.
    failed_replays: logical key → near-cycles on it that were replayed and refused to close.
    original: the workload that the campaign began with, within whose keys and transactions all
    adjustments stay; None for the one that the heuristic is asked about. stale: iterations in a row,
    this one the last, that asked the same transactions on the same keys and showed no anomaly of a
    type that was new to the campaign.
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

    @classmethod
    def of(
        cls,
        result: AnalysisResult,
        iteration: int = 0,
        failed_replays: Mapping[int, int] | None = None,
        *,
        original: Workload | None = None,
        stale: int = 0,
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
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One change to a workload, as data.

    target: what changes; txfuzz.feedback.adjustments knows the targets and the form of their
        values: "keys", "mix", "scheduling.clients", "scheduling.barrier_every", "init_schema".
    before, after: JSON data. reason: a sentence with numbers. heuristic: who proposed it.
    """

    target: str
    before: Any
    after: Any
    reason: str
    heuristic: str


@runtime_checkable
class Heuristic(Protocol):
    """A frozen dataclass whose fields are its options. Pure: the same input, the same answer."""

    name: ClassVar[str]
    about: ClassVar[str]

    def propose(
        self, feedback: FeedbackResult, workload: Workload, random: random.Random
    ) -> tuple[Adjustment, ...]:
        """The changes that this feedback suggests to this workload; `before` must be true of it."""
