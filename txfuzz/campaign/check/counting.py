"""Counts of what schedules come to, taken while they run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise

from txfuzz.check.finding.failures import also_in_series, failures, is_unknown
from txfuzz.check.finding.result import LevelCounts
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.judge import SerialAnswer

_MOST_REASONS = 3
_LEAST = 0.3  # seconds of a part


class Budget:
    """Seconds that are shared out: what one part leaves unused, the later ones get."""

    def __init__(self, seconds: float, parts: int) -> None:
        self._until, self._parts = time.monotonic() + seconds, parts

    def next(self) -> float:
        """Until when the next part may run."""
        now = time.monotonic()
        share = (self._until - now) / max(self._parts, 1)
        self._parts -= 1
        return now + max(share, _LEAST)


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
    for program in programs:
        until, began = budget.next(), time.monotonic()

        def take(attempt: FollowedSchedule, until: float = until) -> bool:
            counting.take(attempt)
            return each(attempt) and time.monotonic() < until

        result = runner.check(program, counting.isolation, most=most, each=take)
        counting.complete &= result.complete
        counting.seconds += time.monotonic() - began


class Counting:
    """Takes in the followed schedules of one set of transactions at one level.

    retried: the codes by which the database asks for another try.
    """

    def __init__(self, isolation: str, retried: Collection[str], judge: str) -> None:
        self.isolation, self._retried, self._judge = isolation, retried, judge
        self._counts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._aborted: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._reasons: dict[str, None] = {}
        self._ran: set[tuple[str, int]] = set()
        self.complete = True
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
        for label, (transaction, _) in zip(attempt.program.labels, attempt.program.calls, strict=True):
            ended = attempt.outcome.transactions.get(label)
            if ended is not None:
                self._ran.update((transaction.name, each.step) for each in ended.statements)
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
        self._aborted.update(codes & set(self._retried))
        self._failed.update(codes - set(self._retried))
        if found:
            counts["failing"] += 1
            counts["series"] += also_in_series(attempt)
            series = also_in_series(attempt)
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
            tuple(sorted(self._ran)),
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
