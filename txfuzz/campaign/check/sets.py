"""The schedules of one set of transactions at each level: counted, explained, and what would mend them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from txfuzz.campaign.check.advice import tried_fixes
from txfuzz.campaign.check.counting import Counting, SetSchedules
from txfuzz.campaign.check.findings import SECONDS as SHRINKING
from txfuzz.campaign.check.findings import finding_of
from txfuzz.campaign.check.levels import promises
from txfuzz.campaign.check.shares import Cell, follow_in_turn
from txfuzz.campaign.check.subject import Subject
from txfuzz.campaign.check.trial import Trial
from txfuzz.check.finding.failures import failures, fits_no_order
from txfuzz.check.finding.result import Finding, Fix, LevelCounts, SetResult
from txfuzz.check.program import MOST_COMBINATIONS, Program
from txfuzz.check.run import SECONDS as SCHEDULE_SECONDS
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.database.api import SessionError
from txfuzz.errors import DatabaseUnavailable, UsageError

_COMES_BACK, _LOOK_EVERY = 10.0, 0.5  # seconds
_SMALLER = "What failed before the database was lost was made smaller when it had been opened again"
_NOT_SMALLER = "What failed before the database was lost could not be made smaller: {}"
_AFTERWARDS = 3.0  # seconds that an interruption waits for findings to be made smaller
_MENDING = "trying what mends it"
SCHEDULES = 2000  # of one program at one level
SECONDS = 60.0  # for all schedules of a check


@dataclass(frozen=True)
class CheckProgress:
    """transactions: the set, "book × book". schedules: followed so far, in all. failing: of those."""

    transactions: str
    isolation: str
    schedules: int
    failing: int
    doing: str = ""


Progress = Callable[[CheckProgress], None]


@dataclass(frozen=True)
class CheckLimits:
    """most: schedules of one program at one level. seconds: for all schedules of the check together.
    schedule_seconds: for one of them, after which it is broken off. combinations: of arguments of one set."""

    most: int = SCHEDULES
    seconds: float = SECONDS
    schedule_seconds: float = SCHEDULE_SECONDS
    combinations: int = MOST_COMBINATIONS


LIMITS = CheckLimits()


@dataclass(frozen=True)
class SetQuestion:
    """What is asked of each set. run, asked: levels; see CheckResult. limits, advice: see check_file()."""

    run: tuple[str, ...]
    asked: tuple[str, ...]
    limits: CheckLimits
    advice: bool = True


class SetChecker:
    """Checks sets on the same tables. interrupted: ends it. lost: why the database is of no more use;
    schedules: that were followed.

    reopen: the subject once more, for what failed before the database was lost; None where that cannot be.
    afterwards: what became of that, in a sentence; empty where there was nothing to do.
    """

    def __init__(
        self,
        trial: Trial,
        runner: ProgramRunner,
        question: SetQuestion,
        interrupted: Callable[[], bool],
        on_progress: Progress,
        reopen: Callable[[], Subject] | None = None,
    ) -> None:
        self._subject, self._capabilities = trial.subject, trial.capabilities
        self._trial, self._runner, self._question = trial, runner, question
        self._limits = question.limits
        self._interrupted, self._on_progress = interrupted, on_progress
        self._reopen, self._reopened = reopen, ExitStack()
        self._until: float | None = None  # findings are made smaller, once it was interrupted
        self.schedules = 0
        self.lost = self.afterwards = ""
        self._again = False  # is the database that is used now another one than was lost?

    @property
    def over(self) -> bool:
        return self._interrupted() or bool(self.lost)

    def _shrinking(self) -> float:
        """Seconds for making one finding smaller: after an interruption those that are left of a few."""
        if not self._interrupted():
            return SHRINKING
        if self._until is None:
            self._until = time.monotonic() + _AFTERWARDS
        return max(0.0, self._until - time.monotonic())

    def check(self, sets: Sequence[tuple[str, Sequence[Program]]], seconds: float) -> list[SetResult]:
        """seconds: for all their schedules; see shares. Sets that were not begun are left out."""
        cells = [
            {level: self._cell(name, chosen, level) for level in self._question.run} for name, chosen in sets
        ]
        try:
            follow_in_turn([cell for one in cells for cell, _ in one.values()], seconds, lambda: self.over)
        except (DatabaseUnavailable, SessionError) as error:
            self.lost = why_lost(error, self.schedules)
        with self._reopened:
            return [
                self._result(name, chosen, [counting for cell, counting in one.values() if cell.begun])
                for (name, chosen), one in zip(sets, cells, strict=True)
                if any(cell.begun for cell, _ in one.values())
            ]

    def _cell(self, name: str, chosen: Sequence[Program], level: str) -> tuple[Cell, Counting]:
        counting = Counting(level, self._subject.tables, self._subject.judge)

        def each(attempt: FollowedSchedule) -> bool:
            self.schedules += 1
            self._on_progress(CheckProgress(name, level, self.schedules, counting.failing))
            return not self._interrupted()

        schedules = SetSchedules(self._runner, chosen, counting, most=self._limits.most, each=each)
        decides = level in self._question.asked
        return Cell(schedules, decides, len(chosen), lambda: counting.counts().schedules), counting

    def _result(self, name: str, chosen: Sequence[Program], countings: Sequence[Counting]) -> SetResult:
        counts = tuple(each.counts() for each in countings)
        simplest = {each.isolation: each.simplest for each in countings if each.simplest}
        if not self.lost:
            try:
                return self._explained(name, chosen, counts, simplest)
            except (DatabaseUnavailable, SessionError) as error:
                self.lost = why_lost(error, self.schedules)
        if any(level in self._question.asked for level in simplest) and self._is_open_again():
            try:
                return self._explained(name, chosen, counts, simplest)
            except (DatabaseUnavailable, SessionError) as error:
                self._again, self.afterwards = False, _NOT_SMALLER.format(why_lost(error, self.schedules))
        return self._counted_only(name, chosen, counts, simplest)

    def _is_open_again(self) -> bool:
        """Can what had failed before the loss be followed on a server that is started for it, or on the same
        where it has come back? That is tried once."""
        if self._again or self.afterwards or self._interrupted():
            return self._again
        if self._reopen is None:
            self.afterwards = _NOT_SMALLER.format("that needs the database that was lost")
            return False
        until = time.monotonic() + _COMES_BACK
        while True:
            try:
                subject = self._reopened.enter_context(self._reopen())
                self._trial = replace(self._trial, subject=subject)
                self._runner = self._reopened.enter_context(self._trial.runner(subject.tables))
            except (DatabaseUnavailable, SessionError, UsageError) as error:
                if time.monotonic() > until or self._interrupted():
                    self.afterwards = _NOT_SMALLER.format(" ".join(str(error).split()))
                    return False
                time.sleep(_LOOK_EVERY)
            else:
                self._again, self.afterwards = True, _SMALLER
                return True

    def _explained(
        self,
        name: str,
        chosen: Sequence[Program],
        counts: tuple[LevelCounts, ...],
        simplest: Mapping[str, Sequence[FollowedSchedule]],
    ) -> SetResult:
        """With the finding at the weakest level that was asked for, and those that blame the database."""
        weakest = next((level for level in simplest if level in self._question.asked), None)
        findings: list[Finding] = []
        fixes: tuple[Fix, ...] = ()
        for level, (attempt, *_) in simplest.items():
            promised = promises(self._capabilities, attempt.program, level, self._trial.expect)
            promised = promised and fits_no_order(attempt)
            if level == weakest or (promised and level in self._question.asked):
                self._on_progress(CheckProgress(name, level, self.schedules, 0, "shrinking"))
                seconds = self._shrinking()
                findings.append(finding_of(self._trial, self._runner, attempt, seconds))
        if weakest is not None and self._question.advice and not self._interrupted():
            self._on_progress(CheckProgress(name, weakest, self.schedules, 0, _MENDING))
            fixes = tuple(
                fix
                for attempt in simplest[weakest]
                for fix in tried_fixes(
                    self._trial,
                    attempt,
                    chosen,
                    counts,
                    most=self._limits.most,
                    goes_on=lambda: self._goes_on_trying(name, weakest),
                )
            )
        return SetResult(name, len(chosen), counts, tuple(findings), fixes, self._subject.judge)

    def _goes_on_trying(self, name: str, level: str) -> bool:
        """Asked for each schedule; whoever watches is told that time passes."""
        self._on_progress(CheckProgress(name, level, self.schedules, 0, _MENDING))
        return not self._interrupted()

    def _counted_only(
        self,
        name: str,
        chosen: Sequence[Program],
        counts: tuple[LevelCounts, ...],
        simplest: Mapping[str, Sequence[FollowedSchedule]],
    ) -> SetResult:
        """With the finding as it was found, where nothing can be tried any more."""
        weakest = next((level for level in simplest if level in self._question.asked), None)
        found = []
        if weakest is not None:
            attempt = simplest[weakest][0]
            found = [Finding(attempt, attempt, failures(attempt, self._subject.judge), 0, 0)]
        return SetResult(name, len(chosen), counts, tuple(found), judge=self._subject.judge)


def why_lost(error: DatabaseUnavailable | SessionError, schedules: int) -> str:
    """The error itself goes on where nothing has run that could be shown."""
    if not schedules or (isinstance(error, SessionError) and not error.lost):
        raise error
    return " ".join((error.message if isinstance(error, SessionError) else str(error)).split())
