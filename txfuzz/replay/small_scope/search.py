"""Runs the schedules of a small-scope search one after another and records one history of all of them.

Every schedule has physical keys of its own, so that the history consists of many small groups of transactions
that do not touch each other. If none shows anything, those that say most run again with one thing changed
that the workload lets vary, until one of these variations shows something: the campaign goes on from there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from txfuzz.execution.summary import ExecutionSummary, Tally
from txfuzz.feedback.adjustments import apply
from txfuzz.feedback.contract import Adjustment
from txfuzz.history.model import FINAL_READ
from txfuzz.replay.judge import Judge
from txfuzz.replay.replayer import PreparedReplay, Replayer, origins_of
from txfuzz.replay.schedule.replay_workload import Aim, Role, compose, schedule
from txfuzz.replay.small_scope.combinations import Combination
from txfuzz.replay.small_scope.plan import PlannedSchedule, in_series
from txfuzz.replay.small_scope.variations import ROWS, variations
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.replay.stepper.keys_apart import KeysApart
from txfuzz.replay.stepper.recorder import Recorded, RecordedOperation, recorded_edn
from txfuzz.workload.model import Workload

Append = Callable[[bytes], None]  # lines of the history
Watch = Callable[[int, Tally], None]  # (transactions started, outcomes so far)
# A replayer with the options of a workload; its physical keys begin behind the number given
Opens = Callable[[Workload, int], AbstractContextManager[Replayer]]

# Schedules of a variation: of those that were planned, and of transactions one after the other
_OF_A_VARIATION = 7
_IN_SERIES = 4


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
class VariationResult:
    """What the workload showed with one change; schedules, found and anomalies as in CombinationResult."""

    change: Adjustment
    schedules: int = 0
    found: int = 0
    anomalies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SmallScopeResult:
    """A small-scope search.

    planned: schedules of the workload as it is that would have been run in unlimited time; schedules: those
    that were. first_found: the number of the first that found something, from 1. stuck: that could not
    continue. stopped: why the search ended early, as a phrase, or empty. seconds: planning included.
    variations: that were tried, none if the workload showed something as it is. Their schedules count on from
    the last of the workload's own.
    """

    planned: int = 0
    schedules: int = 0
    first_found: int | None = None
    stuck: int = 0
    stopped: str = ""
    seconds: float = 0.0
    combinations: tuple[CombinationResult, ...] = ()
    variations: tuple[VariationResult, ...] = ()

    @property
    def found(self) -> int:
        results: list[CombinationResult | VariationResult] = [*self.combinations, *self.variations]
        return sum(each.found for each in results)

    @property
    def change(self) -> Adjustment | None:
        """The change with which something showed that did not without it."""
        return next((each.change for each in self.variations if each.found), None)

    @property
    def refused(self) -> int:
        return sum(each.refused for each in self.combinations)


def search(
    opens: Opens,
    workload: Workload,
    planned: Sequence[PlannedSchedule],
    expect: str,
    *,
    seconds: float,
    append: Append,
    watch: Watch = lambda asked, tally: None,
) -> tuple[SmallScopeResult, ExecutionSummary]:
    """Run the planned schedules in order, and then variations of them.

    expect: the model that each schedule is checked against. seconds: of the planned schedules, and again of
    the variations; all end once the replayer is stopped. append: called after each schedule with its part of
    the history.
    """
    began = time.monotonic()
    running = _Search(expect, seconds, append, watch)
    with opens(workload, 0) as replayer:
        running.run_all(replayer, workload, planned)
    again = [*running.telling(planned)[:_OF_A_VARIATION], *in_series(workload, _IN_SERIES)]
    running.begin_time()
    for change in variations(workload):
        if running.stopped or running.found:
            break
        varied = apply(workload, [change])
        of_rows = [replace(each, rows=varied.keys.rows) for each in again]
        with opens(varied, running.last_key) as replayer:
            running.run_varied(change, replayer, varied, of_rows if change.target == ROWS else again)
    took = time.monotonic() - began
    return running.result(len(planned), took), running.summary(took)


class _Search:
    """The counts of a search. stopped: see SmallScopeResult. last_key: the highest physical key in use."""

    def __init__(self, expect: str, seconds: float, append: Append, watch: Watch) -> None:
        self.stopped = ""
        self.last_key = 0
        self._expect, self._append, self._watch = expect, append, watch
        self._seconds = seconds
        self.begin_time()
        self._tally = Tally()
        self._asked = self._schedules = self._stuck = self._final_reads = 0
        self._interrupted = False
        self._first_found: int | None = None
        self._keys = KeysApart()
        self._combinations: dict[Combination, CombinationResult] = {}
        self._variations: list[VariationResult] = []
        self._refused: set[int] = set()  # identities of schedules

    @property
    def found(self) -> bool:
        return self._first_found is not None

    def begin_time(self) -> None:
        """From now on, so many seconds."""
        self._until = time.monotonic() + self._seconds

    def telling(self, planned: Sequence[PlannedSchedule]) -> list[PlannedSchedule]:
        """Those in which something nearly happened come first, then the other dangerous ones."""
        refused = [each for each in planned if id(each) in self._refused]
        return refused + [each for each in planned if each.dangerous and id(each) not in self._refused]

    def run_all(self, replayer: Replayer, workload: Workload, planned: Sequence[PlannedSchedule]) -> None:
        running = _Running(replayer, workload, self._expect)
        for each, attempt, types in self._attempts(running, planned):
            self._count(each, attempt, types)

    def run_varied(
        self,
        change: Adjustment,
        replayer: Replayer,
        workload: Workload,
        planned: Sequence[PlannedSchedule],
    ) -> None:
        running = _Running(replayer, workload, self._expect)
        result = VariationResult(change)
        for _, _, types in self._attempts(running, planned):
            result = VariationResult(
                change,
                result.schedules + 1,
                result.found + bool(types),
                dict(Counter(result.anomalies) + Counter(types)),
            )
        if result.schedules:
            self._variations.append(result)

    def _attempts(
        self, running: _Running, planned: Sequence[PlannedSchedule]
    ) -> Iterator[tuple[PlannedSchedule, Attempt, tuple[str, ...]]]:
        """Each with the types of its anomalies."""
        for each in planned:
            if running.replayer.stop.is_set():
                self.stopped = "it was interrupted"
                break
            if time.monotonic() >= self._until:
                self.stopped = f"{self._seconds:.3g} s had passed"
                break
            attempt = running.run(each)
            self._append(recorded_edn(running.named(each, self._keys.apart(attempt.operations))))
            self._add(attempt)
            self.last_key = max(self.last_key, running.replayer.last_key)
            types = () if attempt.ended or attempt.refused else running.judge.judge(attempt).types
            if types and self._first_found is None:
                self._first_found = self._schedules
            yield each, attempt, types
            self._watch(self._asked, self._tally)
            if attempt.refused:
                self.stopped = attempt.refused
                break
        self._interrupted = running.replayer.stop.is_set()

    def _add(self, attempt: Attempt) -> None:
        self._schedules += 1
        self._stuck += bool(attempt.ended)
        self._asked += len(attempt.begun)
        self._final_reads += bool(attempt.final)
        for outcome in attempt.outcomes.values():
            self._tally.add(outcome.type, outcome.code)

    def _count(self, planned: PlannedSchedule, attempt: Attempt, types: tuple[str, ...]) -> None:
        before = self._combinations.get(planned.combination) or CombinationResult(planned.combination)
        aborted = any(outcome.type == "fail" for outcome in attempt.outcomes.values())
        refused = planned.dangerous and aborted and not types and not attempt.ended
        if refused:
            self._refused.add(id(planned))
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

    def result(self, planned: int, seconds: float) -> SmallScopeResult:
        return SmallScopeResult(
            planned,
            sum(each.schedules for each in self._combinations.values()),
            self._first_found,
            self._stuck,
            self.stopped,
            seconds,
            tuple(self._combinations.values()),
            tuple(self._variations),
        )

    def summary(self, seconds: float) -> ExecutionSummary:
        outcomes: Mapping[str, Any] = self._tally.outcomes
        return ExecutionSummary(
            asked=self._asked,
            ok=outcomes["ok"],
            fail=outcomes["fail"],
            info=outcomes["info"],
            aborts=dict(self._tally.aborts.most_common()),
            seconds=seconds,
            final_reads=self._final_reads,
            last_key=self.last_key,
            stopped=self.stopped,
            interrupted=self._interrupted,
        )


class _Running:
    """A workload on its replayer."""

    def __init__(self, replayer: Replayer, workload: Workload, expect: str) -> None:
        self.replayer = replayer
        self.judge = Judge(expect, replayer.isolation)
        self._workload = workload
        self._prepared: dict[tuple[object, ...], PreparedReplay] = {}

    def run(self, planned: PlannedSchedule) -> Attempt:
        prepared = self._prepare(planned)
        roles = {role.alias: role for role in planned.roles}
        return prepared.run(replace(prepared.replay, schedule=schedule(planned.order, roles)))

    def named(self, planned: PlannedSchedule, operations: Sequence[Recorded]) -> list[Recorded]:
        """The operations, with the workload's names of the transactions."""
        origins = origins_of(self._prepare(planned).replay)

        def one(each: Recorded) -> Recorded:
            if isinstance(each, RecordedOperation) and each.txn not in ("", FINAL_READ):
                return replace(each, txn=origins[each.txn])
            return each

        return [one(each) for each in operations]

    def _prepare(self, planned: PlannedSchedule) -> PreparedReplay:
        mark = (planned.roles, planned.rows)
        if mark not in self._prepared:
            roles = [_in_the_forms_of(self._workload, role) for role in planned.roles]
            composed = compose(self._workload, roles, planned.order, Aim(), rows=planned.rows)
            self._prepared[mark] = self.replayer.prepare(composed)
        return self._prepared[mark]


def _in_the_forms_of(workload: Workload, role: Role) -> Role:
    """Roles keep what a transaction was when they were planned."""
    template = workload.transaction(role.template).steps
    steps = tuple(
        replace(step, form=like.form) for step, like in zip(role.transaction.steps, template, strict=True)
    )
    return replace(role, transaction=replace(role.transaction, steps=steps))
