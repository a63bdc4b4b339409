"""Replays anomalies and tries to close near-cycles, one schedule after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from txfuzz.analysis.result import AnalysisResult, as_data
from txfuzz.history.model import History
from txfuzz.replay.replayer import Replayer, follow_schedule
from txfuzz.replay.result import ReplayResult
from txfuzz.replay.schedule.derive import Derived, derive_anomaly, derive_near_cycle
from txfuzz.replay.stepper.recorder import Recorded
from txfuzz.workload.model import Workload

ATTEMPTS = 10  # at a schedule that has succeeded once


@dataclass(frozen=True)
class ReplayTarget:
    """An anomaly or near-cycle, and the schedules that may reproduce it."""

    what: str  # "anomaly" or "near-cycle"
    anomaly: str
    derived: Derived


@dataclass(frozen=True)
class TargetResult:
    """The result for a target. workload: with the most successful schedule, else the first. schedules:
    number tried. operations: of its attempts."""

    target: ReplayTarget
    workload: Workload | None = None
    result: ReplayResult | None = None
    schedules: int = 0
    operations: tuple[Recorded, ...] = ()

    @property
    def closed(self) -> bool:
        return self.result is not None and self.result.closed > 0

    def to_json(self) -> dict[str, Any]:
        result = self.result
        return {
            "what": self.target.what,
            "anomaly": self.target.anomaly,
            "keys": list(self.target.derived.keys),
            "schedules": self.schedules,
            "closed": result.closed if result else 0,
            "attempts": result.attempts if result else 0,
            "missing": as_data(result.missing) if result else None,
            "reason": self.target.derived.reason,
        }


@dataclass(frozen=True)
class ReplayedTargets:
    """chosen: the target of replay.yaml; None if nothing can be replayed. failed: logical key → number of
    near-cycles on it that no schedule closed."""

    chosen: TargetResult | None = None
    tried: tuple[TargetResult, ...] = ()
    failed: Mapping[int, int] = field(default_factory=dict)


def targets_of(
    result: AnalysisResult, history: History, workload: Workload, promised: str
) -> Iterator[ReplayTarget]:
    """The replay targets: one anomaly of each type, then near-cycles."""
    seen: set[str] = set()
    for anomaly in result.anomalies:
        if anomaly.type not in seen:
            seen.add(anomaly.type)
            yield ReplayTarget("anomaly", anomaly.type, derive_anomaly(anomaly, history, workload, promised))
    for near in result.near_cycles:
        yield ReplayTarget("near-cycle", near.anomaly, derive_near_cycle(near, history, workload, promised))


def choose_target(found: Iterable[ReplayTarget]) -> ReplayTarget | None:
    """Without trying any: the first whose schedule should work according to the model, else the first."""
    able: ReplayTarget | None = None
    for each in found:
        if each.derived.fits:
            return each
        if able is None and each.derived.candidates:
            able = each
    return able


def replay_targets(
    replayer: Replayer, found: Sequence[ReplayTarget], expect: str, *, attempts: int = ATTEMPTS
) -> ReplayedTargets:
    """Try all targets; once an anomaly was replayed, near-cycles are skipped."""
    tried: list[TargetResult] = []
    for target in found:
        anomalous = any(each.closed and each.target.what == "anomaly" for each in tried)
        if replayer.stop.is_set() or (anomalous and target.what == "near-cycle"):
            break
        tried.append(replay_target(replayer, target, expect, attempts=attempts))
    chosen = choose_target(found)
    best = next((each for each in tried if each.closed), None)
    best = best or next((each for each in tried if each.target is chosen), None)
    failed = Counter(
        key
        for each in tried
        if each.target.what == "near-cycle" and each.schedules and not each.closed
        for key in each.target.derived.keys
    )
    return ReplayedTargets(best, tuple(tried), dict(failed))


def replay_target(
    replayer: Replayer, target: ReplayTarget, expect: str, *, attempts: int = ATTEMPTS
) -> TargetResult:
    """Try the schedules of a target until one shows it every time; otherwise the most successful one."""
    best: TargetResult | None = None
    candidates = target.derived.candidates
    for count, candidate in enumerate(candidates, 1):
        result, operations = follow_schedule(replayer, candidate, expect, attempts=1)
        if result.closed and attempts > 1:
            result, operations = follow_schedule(replayer, candidate, expect, attempts=attempts)
        if best is None or best.result is None or result.closed > best.result.closed:
            best = TargetResult(target, candidate, result, count, operations)
        if result.closed == attempts or replayer.stop.is_set():
            return replace(best, schedules=count)
    return replace(best, schedules=len(candidates)) if best else TargetResult(target)
