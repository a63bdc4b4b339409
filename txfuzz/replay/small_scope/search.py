"""Runs the schedules of a small-scope search one after another and records one history of all of them.

Every schedule has physical keys of its own, so that the history consists of many small groups of transactions
that do not touch each other.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from txfuzz.execution.summary import ExecutionSummary, Tally
from txfuzz.history.model import FINAL_READ
from txfuzz.replay.judge import Judge
from txfuzz.replay.replayer import PreparedReplay, Replayer, origins_of
from txfuzz.replay.schedule.replay_workload import Aim, compose, schedule
from txfuzz.replay.small_scope.combinations import Combination
from txfuzz.replay.small_scope.plan import PlannedSchedule
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.replay.stepper.keys_apart import KeysApart
from txfuzz.replay.stepper.recorder import Recorded, RecordedOperation, recorded_edn
from txfuzz.workload.model import Workload

Append = Callable[[bytes], None]  # lines of the history
Watch = Callable[[int, Tally], None]  # (transactions started, outcomes so far)


@dataclass(frozen=True)
class CombinationResult:
    """What the schedules of two or three transactions showed; all numbers count schedules.

    transactions: their names. dangerous: in which a weaker database would show a cycle. refused: of these,
    in which the database aborted a transaction. found: in which there were anomalies that contradict the
    expected model; anomalies: by type. keys: the logical keys of schedules that were refused or found
    something.
    """

    transactions: tuple[str, ...]
    schedules: int = 0
    dangerous: int = 0
    refused: int = 0
    found: int = 0
    anomalies: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[int, ...] = ()


@dataclass(frozen=True)
class SmallScopeResult:
    """A small-scope search.

    planned: schedules that would have been run in unlimited time; schedules: those that were. first_found:
    the number of the first that found something, from 1. stuck: that could not continue. stopped: why the
    search ended early, as a phrase, or empty. seconds: planning included.
    """

    planned: int = 0
    schedules: int = 0
    first_found: int | None = None
    stuck: int = 0
    stopped: str = ""
    seconds: float = 0.0
    combinations: tuple[CombinationResult, ...] = ()

    @property
    def found(self) -> int:
        return sum(each.found for each in self.combinations)

    @property
    def refused(self) -> int:
        return sum(each.refused for each in self.combinations)


def search(
    replayer: Replayer,
    workload: Workload,
    planned: Sequence[PlannedSchedule],
    expect: str,
    *,
    seconds: float,
    append: Append,
    watch: Watch = lambda asked, tally: None,
) -> tuple[SmallScopeResult, ExecutionSummary]:
    """Run the planned schedules in order, for at most so many seconds or until the replayer is stopped.

    expect: the model that each schedule is checked against. append: called after each schedule with its
    part of the history.
    """
    running = _Search(replayer, workload, expect)
    started = time.monotonic()
    stopped = ""
    for each in planned:
        if replayer.stop.is_set():
            stopped = "it was interrupted"
            break
        if time.monotonic() - started >= seconds:
            stopped = f"{seconds:.3g} s had passed"
            break
        attempt = running.run(each)
        append(recorded_edn(running.named(each, attempt)))
        watch(running.asked, running.tally)
        if attempt.refused:
            stopped = attempt.refused
            break
    took = time.monotonic() - started
    return running.result(len(planned), stopped, took), running.summary(stopped, took)


class _Search:
    """The counts of a search."""

    def __init__(self, replayer: Replayer, workload: Workload, expect: str) -> None:
        self.tally = Tally()
        self.asked = 0
        self._replayer, self._workload = replayer, workload
        self._judge = Judge(expect, replayer.isolation)
        self._prepared: dict[tuple[object, ...], PreparedReplay] = {}
        self._combinations: dict[Combination, CombinationResult] = {}
        self._schedules = self._stuck = self._final_reads = 0
        self._first_found: int | None = None
        self._keys = KeysApart()

    def run(self, planned: PlannedSchedule) -> Attempt:
        prepared = self._prepare(planned)
        roles = {role.alias: role for role in planned.roles}
        attempt = prepared.run(replace(prepared.replay, schedule=schedule(planned.order, roles)))
        self._schedules += 1
        self._stuck += bool(attempt.ended)
        self.asked += len(attempt.begun)
        self._final_reads += bool(attempt.final)
        for outcome in attempt.outcomes.values():
            self.tally.add(outcome.type, outcome.code)
        self._count(planned, attempt)
        return attempt

    def named(self, planned: PlannedSchedule, attempt: Attempt) -> list[Recorded]:
        """The operations, with the workload's names of the transactions. Called once for each attempt."""
        origins = origins_of(self._prepare(planned).replay)

        def one(each: Recorded) -> Recorded:
            if isinstance(each, RecordedOperation) and each.txn not in ("", FINAL_READ):
                return replace(each, txn=origins[each.txn])
            return each

        return [one(each) for each in self._keys.apart(attempt.operations)]

    def _prepare(self, planned: PlannedSchedule) -> PreparedReplay:
        mark = (planned.roles, planned.rows)
        if mark not in self._prepared:
            composed = compose(self._workload, planned.roles, planned.order, Aim(), rows=planned.rows)
            self._prepared[mark] = self._replayer.prepare(composed)
        return self._prepared[mark]

    def _count(self, planned: PlannedSchedule, attempt: Attempt) -> None:
        before = self._combinations.get(planned.combination) or CombinationResult(planned.combination)
        types = () if attempt.ended or attempt.refused else self._judge.judge(attempt).types
        aborted = any(outcome.type == "fail" for outcome in attempt.outcomes.values())
        refused = planned.dangerous and aborted and not types and not attempt.ended
        if types and self._first_found is None:
            self._first_found = self._schedules
        keys = set(before.keys)
        if types or refused:
            keys.update(attempt.logical.values())
        self._combinations[planned.combination] = CombinationResult(
            planned.combination,
            before.schedules + 1,
            before.dangerous + planned.dangerous,
            before.refused + refused,
            before.found + bool(types),
            dict(Counter(before.anomalies) + Counter(types)),
            tuple(sorted(keys)),
        )

    def result(self, planned: int, stopped: str, seconds: float) -> SmallScopeResult:
        return SmallScopeResult(
            planned,
            self._schedules,
            self._first_found,
            self._stuck,
            stopped,
            seconds,
            tuple(self._combinations.values()),
        )

    def summary(self, stopped: str, seconds: float) -> ExecutionSummary:
        outcomes: Mapping[str, Any] = self.tally.outcomes
        return ExecutionSummary(
            asked=self.asked,
            ok=outcomes["ok"],
            fail=outcomes["fail"],
            info=outcomes["info"],
            aborts=dict(self.tally.aborts.most_common()),
            seconds=seconds,
            final_reads=self._final_reads,
            last_key=self._replayer.last_key,
            stopped=stopped,
            interrupted=self._replayer.stop.is_set(),
        )
