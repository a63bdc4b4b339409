"""What a check came to: counts of every set of transactions at every level, findings and tried fixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from txfuzz.check.crowd import CrowdResult
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.transaction import SqlTransaction


@dataclass(frozen=True)
class LevelCounts:
    """The schedules of one set of transactions at one isolation level, over all its programs.

    in_series: of those that fail, those that do nothing that a serial order would not do, too. failures:
    what went wrong, in words → in how many schedules. explained: those in order, by the judge. aborted: code
    → in how many, of those by which the database asks for another try. failed: the same for other codes.
    waited: those in which somebody waited for a lock. complete: every schedule was run. reasons: why some
    could not be judged. at_most: how many schedules there can be, 0 where nobody knows.
    deadlocks: the codes, of those in aborted, that mean a deadlock. ran: the steps that ran in any, by
    transaction and number from 0. met: those of them that have returned or changed a row in any. changed: the
    transactions of which a statement has changed one, whether that was committed or not. constraints: the
    codes, of those in failed, by which a constraint refuses a change.
    """

    isolation: str
    schedules: int = 0
    failing: int = 0
    in_series: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    explained: int = 0
    unknown: int = 0
    waited: int = 0
    aborted: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    complete: bool = True
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    at_most: int = 0
    deadlocks: tuple[str, ...] = ()
    ran: tuple[tuple[str, int], ...] = ()
    met: tuple[tuple[str, int], ...] = ()
    changed: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()

    @property
    def judged(self) -> int:
        return self.schedules - self.unknown


@dataclass(frozen=True)
class Finding:
    """The simplest schedule that fails at a level.

    attempt: as it was followed last, after shrinking. original: as it was found. failures: what it has in
    common with how it was found. shown, tries: how often it failed in the same way when it was followed
    again. promised: the level promises what was broken, so that the database is to blame. setup: the
    statements that it needs, None where the tables are made by code.
    """

    attempt: FollowedSchedule
    original: FollowedSchedule
    failures: tuple[str, ...]
    shown: int
    tries: int
    promised: bool = False
    setup: tuple[str, ...] | None = None

    @property
    def isolation(self) -> str:
        return self.attempt.isolation

    @property
    def left_out(self) -> tuple[str, ...]:
        """What shrinking has left out of the transactions: "step 3 of withdraw"."""
        kept = _steps(self.attempt)
        return tuple(
            f"step {number + 1} of {name}"
            for name, steps in _steps(self.original).items()
            for number in _missing(steps, kept.get(name, ()))
        )

    @property
    def blames_database(self) -> bool:
        return self.promised and self.shown == self.tries


@dataclass(frozen=True)
class ReplayedSchedule:
    """A kept schedule that was followed again. failures: of the attempt that is shown, which may be others
    than those that it was kept for. reason: why that attempt could not be judged."""

    name: str
    server: str
    finding: Finding
    failures: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Fix:
    """A change that was tried over all schedules and left none that fails as before.

    about: the change, "FOR UPDATE in step 1 of book". sql: the statements as they are with it, a line each.
    isolation: at which level it was tried. before, after: what the schedules came to without it and with it.
    """

    about: str
    sql: str
    isolation: str
    before: LevelCounts
    after: LevelCounts


@dataclass(frozen=True)
class SetResult:
    """A set of transactions: every pair, or the one that was named. name: "book × book". programs: how many
    combinations of arguments were run. judge: "serial", or "invariants" for these alone."""

    name: str
    programs: int
    levels: tuple[LevelCounts, ...]
    findings: tuple[Finding, ...] = ()
    fixes: tuple[Fix, ...] = ()
    judge: str = "serial"

    def level(self, isolation: str) -> LevelCounts:
        return next(each for each in self.levels if each.isolation == isolation)


@dataclass(frozen=True)
class CheckResult:
    """levels: that were run, from weak to strong. asked: those that decide the verdict. masked:
    "table.column" of what was no evidence. notes: sentences about the check as a whole. lost: why the
    database was of no more use before all schedules had run. crowds: of each level that was asked for, if
    there was one. renamed: of what is masked, the identifiers that the database gives out: it counts which
    rows have the same one."""

    name: str
    source: str
    adapter: str
    server: str
    levels: tuple[str, ...]
    asked: tuple[str, ...]
    expect: str
    sets: tuple[SetResult, ...]
    masked: tuple[str, ...] = ()
    seed: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    lost: str = ""
    crowds: tuple[CrowdResult, ...] = ()
    renamed: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for one in self.sets for finding in one.findings)

    @property
    def failing(self) -> tuple[SetResult, ...]:
        """The sets of which a schedule fails at a level that was asked for."""
        return tuple(
            each for each in self.sets if any(each.level(level).failing for level in self.asked_of(each))
        )

    @property
    def broken_by_crowd(self) -> tuple[str, ...]:
        """The levels at which a crowd broke an invariant."""
        return tuple(each.isolation for each in self.crowds if each.broken)

    @property
    def unjudged(self) -> tuple[SetResult, ...]:
        """The sets of which nothing could be judged at some level that was asked for."""
        return tuple(
            each for each in self.sets if any(not each.level(level).judged for level in self.asked_of(each))
        )

    def asked_of(self, one: SetResult) -> tuple[str, ...]:
        """The levels asked for at which this set was run: an interruption leaves some out."""
        return tuple(each.isolation for each in one.levels if each.isolation in self.asked)


def _steps(attempt: FollowedSchedule) -> dict[str, tuple[str, ...]]:
    return {
        each.name: tuple(str(step.sql) for step in each.transaction.steps)
        for each, _ in attempt.program.calls
        if isinstance(each, SqlTransaction)
    }


def _missing(steps: tuple[str, ...], kept: tuple[str, ...]) -> Iterator[int]:
    """The numbers of the steps that are not among those kept, which are in the same order."""
    left = list(kept)
    for number, step in enumerate(steps):
        if left and left[0] == step:
            left.pop(0)
        else:
            yield number
