"""Counts of what schedules come to, taken while they run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from txfuzz.check.code.call import MOST_POINTS
from txfuzz.check.finding.failures import also_in_series, failures, is_unknown
from txfuzz.check.finding.met import met_rows
from txfuzz.check.finding.result import LevelCounts
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner, interleavings
from txfuzz.check.search import ScheduleSearch
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.transaction import StatementPoint
from txfuzz.database.error_meanings import constraint_codes, deadlock_codes
from txfuzz.database.scenario import ScenarioTables

_MOST_REASONS = 3
LEAST = 0.3  # seconds of a part
_MOST_SHOWN = 1_000_000  # schedules of a program: repeated attempts can make more, which tells nobody much


class Budget:
    """Seconds that are shared out: what one part leaves unused, the later ones get. least: of each part."""

    def __init__(self, seconds: float, parts: int, *, least: float = LEAST) -> None:
        self._until, self._parts, self._least = time.monotonic() + seconds, parts, least

    @property
    def spent(self) -> bool:
        return not self._least and time.monotonic() >= self._until

    def next(self) -> float:
        """Until when the next part may run."""
        now = time.monotonic()
        share = (self._until - now) / max(self._parts, 1)
        self._parts -= 1
        return now + max(share, self._least)


def count_schedules(
    runner: ProgramRunner,
    programs: Sequence[Program],
    counting: Counting,
    *,
    most: int,
    budget: Budget,
    each: Callable[[FollowedSchedule], bool] = lambda _: True,
) -> None:
    """Follow the schedules of these programs at one level. each: is told of every one, and ends it all by
    False."""
    SetSchedules(runner, programs, counting, most=most, each=each).follow(budget)


class SetSchedules:
    """The schedules of these programs at one level, followed in several goes: each goes on where the time of
    the one before was up. each: as of count_schedules()."""

    def __init__(
        self,
        runner: ProgramRunner,
        programs: Sequence[Program],
        counting: Counting,
        *,
        most: int,
        each: Callable[[FollowedSchedule], bool] = lambda _: True,
    ) -> None:
        self.counting = counting
        self._runner, self._most, self._each = runner, most, each
        self._left: list[tuple[Program, ScheduleSearch | None]] = [(program, None) for program in programs]
        self._whole = True  # but for those that are left
        at_most = [_at_most(program, counting.isolation) for program in programs]
        counting.at_most = sum(at_most) if all(at_most) else 0

    @property
    def unfinished(self) -> bool:
        """Could more be followed if there were time?"""
        return bool(self._left)

    def drop(self) -> None:
        """What is left will not be followed: searches that can go on take memory."""
        self._whole, self._left = self._whole and not self._left, []

    def follow(self, budget: Budget) -> None:
        self.counting.complete = False  # should the database be lost
        left, self._left = self._left, []
        for number, (program, search) in enumerate(left):
            if budget.spent:
                self._left += left[number:]
                break
            if not self._follow(program, search or self._runner.search(self._most), budget.next()):
                self._whole = False
                break
        self.counting.complete = self._whole and not self._left

    def _follow(self, program: Program, search: ScheduleSearch, until: float) -> bool:
        """False where no other one is to be followed either."""
        goes_on, out_of_time, began = True, False, time.monotonic()

        def take(attempt: FollowedSchedule) -> bool:
            nonlocal goes_on, out_of_time
            self.counting.take(attempt)
            goes_on = self._each(attempt)
            out_of_time = time.monotonic() >= until and not attempt.trace.stuck
            return goes_on and not out_of_time

        result = self._runner.check(program, self.counting.isolation, each=take, search=search)
        self.counting.seconds += time.monotonic() - began
        if out_of_time and goes_on:
            self._left.append((program, search))
        else:
            self._whole &= result.complete
        return goes_on


def _at_most(program: Program, isolation: str) -> int:
    """How many schedules a program can have at this level; 0 where nobody knows."""
    bound = program.bound(isolation)
    found = 0 if any(each.points >= MOST_POINTS for each in bound) else interleavings(bound)
    return found if found <= _MOST_SHOWN else 0


class Counting:
    """Takes in the followed schedules of one set of transactions at one level.

    tables: on which they run.
    """

    def __init__(self, isolation: str, tables: ScenarioTables, judge: str) -> None:
        self.isolation, self._judge = isolation, judge
        self._retried = tables.retried
        self._deadlocks, self._constraints = deadlock_codes(tables), constraint_codes(tables)
        self._counts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._aborted: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._reasons: dict[str, None] = {}
        self._ran: set[tuple[str, int]] = set()
        self._met: set[tuple[str, int]] = set()
        self._changed: set[str] = set()
        self.complete = True
        self.at_most = 0
        self.seconds = 0.0
        self._simplest: dict[bool, FollowedSchedule] = {}  # by whether it fails as a serial order does, too

    @property
    def failing(self) -> int:
        return self._counts["failing"]

    def like(self, attempt: FollowedSchedule) -> int:
        """How many fail as this one does: in a way in which no serial order does, or in any way."""
        return self.failing if also_in_series(attempt) else self.failing - self._counts["series"]

    def take(self, attempt: FollowedSchedule) -> None:
        counts = self._counts
        counts["all"] += 1
        names = dict(zip(attempt.program.labels, attempt.program.calls, strict=True))
        for decision in attempt.trace.steps:
            if isinstance(decision.chosen.what, StatementPoint):
                transaction, _ = names[decision.chosen.actor]
                self._ran.add((transaction.name, decision.chosen.what.step))
        for name, step, changes in met_rows(attempt, self._retried):
            self._met.add((name, step))
            if changes:
                self._changed.add(name)
        counts["waited"] += any(step.waited for step in attempt.trace.steps)
        found = failures(attempt, self._judge)
        self._failures.update(found)
        if is_unknown(attempt, self._judge):
            counts["unknown"] += 1
            stuck = "; no further schedule of these arguments was run" if attempt.trace.stuck else ""
            self._reasons.setdefault(attempt.judgement.reason + stuck)
        elif self._in_order(attempt, found):
            counts["explained"] += 1
        codes = {
            code
            for each in attempt.outcome.transactions.values()
            for code in (each.code, *each.retried)
            if code
        }
        self._aborted.update(codes & self._retried)
        self._failed.update(codes - self._retried)
        if found:
            counts["failing"] += 1
            series = also_in_series(attempt)
            counts["series"] += series
            known = self._simplest.get(series)
            if known is None or simplicity(attempt, self._judge) < simplicity(known, self._judge):
                self._simplest[series] = attempt

    def _in_order(self, attempt: FollowedSchedule, found: tuple[str, ...]) -> bool:
        if self._judge == "invariants":
            return not found
        return attempt.judgement.answer is not SerialAnswer.UNEXPLAINED

    @property
    def simplest(self) -> tuple[FollowedSchedule, ...]:
        """Of those that fail, the simplest; and of those that fail as a serial order does, too."""
        return tuple(self._simplest[series] for series in sorted(self._simplest))

    def counts(self) -> LevelCounts:
        counts = self._counts
        return LevelCounts(
            self.isolation,
            counts["all"],
            counts["failing"],
            counts["series"],
            dict(self._failures.most_common()),
            counts["explained"],
            counts["unknown"],
            counts["waited"],
            dict(self._aborted),
            dict(self._failed),
            self.complete,
            self.seconds,
            tuple(self._reasons)[:_MOST_REASONS],
            self.at_most,
            tuple(sorted(self._deadlocks & self._aborted.keys())),
            tuple(sorted(self._ran)),
            tuple(sorted(self._met)),
            tuple(sorted(self._changed)),
            tuple(sorted(self._constraints & self._failed.keys())),
        )


def simplicity(attempt: FollowedSchedule, judge: str) -> tuple[int, int, int]:
    """Less is simpler: more goes wrong, fewer switches, fewer steps."""
    return (
        -len(failures(attempt, judge)),
        switches(attempt),
        len(attempt.trace.steps),
    )


def switches(attempt: FollowedSchedule) -> int:
    """How often another transaction goes on."""
    names = attempt.trace.schedule
    return sum(one != other for one, other in pairwise(names))
