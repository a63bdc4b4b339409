"""Runs the schedules of a small-scope search one after another and records one history of all of them.

Every schedule has physical keys of its own, so that the history consists of many small groups of transactions
that do not touch each other. If none shows anything, those that say most run again with one thing changed
that the workload lets vary, until one of these variations shows something: the campaign goes on from there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
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
from txfuzz.replay.small_scope.result import CombinationResult, SmallScopeResult, VariationResult
from txfuzz.replay.small_scope.variations import ROWS, variations
from txfuzz.replay.stepper.attempt import Attempt
from txfuzz.replay.stepper.keys_apart import KeysApart
from txfuzz.replay.stepper.recorder import Recorded, RecordedOperation, recorded_edn
from txfuzz.workload.model import Workload

Append = Callable[[bytes], None]  # lines of the history
Watch = Callable[[int, Tally], None]  # (transactions started, outcomes so far)
Vary = Callable[[Mapping[str, Any]], None]  # Replayer.vary
Keep = Callable[[SmallScopeResult], None]

# Schedules of a variation: of those that were planned, and of transactions one after the other
_OF_A_VARIATION = 7
_IN_SERIES = 4


def search(
    replayer: Replayer,
    workload: Workload,
    planned: Sequence[PlannedSchedule],
    expect: str,
    *,
    seconds: float,
    append: Append,
    watch: Watch = lambda asked, tally: None,
    vary: Vary | None = None,
    keep: Keep = lambda result: None,
    why: Callable[[], str] = lambda: "it was interrupted",
) -> tuple[SmallScopeResult, ExecutionSummary]:
    """Run the planned schedules in order, and if all of them have run and none showed anything, variations.

    expect: the model that each schedule is checked against. seconds: of the planned schedules, and again of
    the variations; all end once the replayer is stopped. append: called after each schedule with its part of
    the history. vary: replayer.vary, for variations; None for none. keep: called with the result so far as
    soon as a variation shows something, since the history has that already. why: it was stopped, as a phrase.
    """
    running = _Search(replayer, expect, seconds, append, watch, keep, why)
    running.run_all(workload, planned)
    changes = () if vary is None or running.found or running.stopped else variations(workload)
    in_turn = in_series(workload, _IN_SERIES) if changes else []
    running.run_all(workload, in_turn)
    again = [*running.telling(planned)[:_OF_A_VARIATION], *in_turn]
    running.begin_time()
    options = workload.varied
    for change in changes if again else ():
        if running.found or running.ends():
            break
        varied = apply(workload, [change])
        if vary is not None and varied.varied != options:
            options = varied.varied
            vary(options)
        running.run_varied(change, varied, again)
    return running.result(), running.summary()


class _Search:
    """The counts of a search, and its clock. stopped: see SmallScopeResult."""

    def __init__(
        self,
        replayer: Replayer,
        expect: str,
        seconds: float,
        append: Append,
        watch: Watch,
        keep: Keep,
        why: Callable[[], str],
    ) -> None:
        self._replayer, self._judge = replayer, Judge(expect, replayer.isolation)
        self._append, self._watch, self._keep, self._why = append, watch, keep, why
        self._seconds, self._began = seconds, time.monotonic()
        self._until = self._began + seconds
        self.stopped = ""
        self._tally = Tally()
        self._asked = self._planned = self._schedules = self._stuck = self._final_reads = 0
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

    def ends(self) -> bool:
        if not self.stopped and self._replayer.stop.is_set():
            self.stopped = self._why()
        if not self.stopped and time.monotonic() >= self._until:
            self.stopped = f"{self._seconds:.3g} s had passed"
        return bool(self.stopped)

    def telling(self, planned: Sequence[PlannedSchedule]) -> list[PlannedSchedule]:
        """Those in which something nearly happened come first, then the other dangerous ones."""
        refused = [each for each in planned if id(each) in self._refused]
        return refused + [each for each in planned if each.dangerous and id(each) not in self._refused]

    def run_all(self, workload: Workload, planned: Sequence[PlannedSchedule]) -> None:
        self._planned += len(planned)
        for each, attempt, types in self._attempts(workload, planned):
            self._count(each, attempt, types)
            self.stopped = self.stopped or attempt.refused

    def run_varied(self, change: Adjustment, workload: Workload, planned: Sequence[PlannedSchedule]) -> None:
        """Once it has shown something, its other schedules follow."""
        if change.target == ROWS:
            planned = [replace(each, rows=workload.keys.rows) for each in planned]
        result = VariationResult(change)
        self._variations.append(result)
        for _, attempt, types in self._attempts(workload, planned):
            first = bool(types) and not result.found
            result = replace(
                result,
                schedules=result.schedules + 1,
                found=result.found + bool(types),
                anomalies=dict(Counter(result.anomalies) + Counter(types)),
                refused=attempt.refused,
            )
            self._variations[-1] = result
            if first:
                self._keep(self.result())
            if attempt.refused:
                return

    def _attempts(
        self, workload: Workload, planned: Sequence[PlannedSchedule]
    ) -> Iterator[tuple[PlannedSchedule, Attempt, tuple[str, ...]]]:
        """Each with the types of its anomalies."""
        running = _Running(self._replayer, workload)
        for each in planned:
            if self.ends():
                return
            attempt = running.run(each)
            self._append(recorded_edn(running.named(each, self._keys.apart(attempt.operations))))
            self._add(attempt)
            types = () if attempt.ended or attempt.refused else self._judge.judge(attempt).types
            if types and self._first_found is None:
                self._first_found = self._schedules
            yield each, attempt, types
            self._watch(self._asked, self._tally)

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

    def result(self) -> SmallScopeResult:
        return SmallScopeResult(
            self._planned,
            sum(each.schedules for each in self._combinations.values()),
            self._first_found,
            self._stuck,
            self.stopped,
            time.monotonic() - self._began,
            tuple(self._combinations.values()),
            tuple(self._variations),
        )

    def summary(self) -> ExecutionSummary:
        outcomes: Mapping[str, Any] = self._tally.outcomes
        return ExecutionSummary(
            asked=self._asked,
            ok=outcomes["ok"],
            fail=outcomes["fail"],
            info=outcomes["info"],
            aborts=dict(self._tally.aborts.most_common()),
            seconds=time.monotonic() - self._began,
            final_reads=self._final_reads,
            last_key=self._replayer.last_key,
            stopped=self.stopped,
            interrupted=self._replayer.stop.is_set(),
        )


class _Running:
    """A workload, prepared as its schedules need it."""

    def __init__(self, replayer: Replayer, workload: Workload) -> None:
        self._replayer, self._workload = replayer, workload
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
            self._prepared[mark] = self._replayer.prepare(composed)
        return self._prepared[mark]


def _in_the_forms_of(workload: Workload, role: Role) -> Role:
    """Roles keep what a transaction was when they were planned."""
    template = workload.transaction(role.template).steps
    steps = tuple(
        replace(step, form=like.form) for step, like in zip(role.transaction.steps, template, strict=True)
    )
    return replace(role, transaction=replace(role.transaction, steps=steps))
