"""Advice that was tried: each proposed change is run over all schedules, and kept only if none fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from txfuzz.campaign.check.counting import Budget, Counting, count_schedules
from txfuzz.campaign.check.trial import Trial
from txfuzz.check.finding.failures import also_in_series
from txfuzz.check.finding.proposals import Proposal, constraints, locking_reads, stronger_levels
from txfuzz.check.finding.result import Fix, LevelCounts
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.outcome import Ending

_SECONDS = 10.0  # of one proposal
_TRIES = 2  # of one that leaves nothing that fails but something that could not be judged


def tried_fixes(
    trial: Trial,
    attempt: FollowedSchedule,
    programs: Sequence[Program],
    counts: Sequence[LevelCounts],
    *,
    most: int,
    goes_on: Callable[[], bool],
) -> tuple[Fix, ...]:
    """attempt: how the set fails at its level. counts: of the set, level by level."""
    return tuple(_tried(trial, attempt, programs, counts, most, goes_on))


def _tried(
    trial: Trial,
    attempt: FollowedSchedule,
    programs: Sequence[Program],
    counts: Sequence[LevelCounts],
    most: int,
    goes_on: Callable[[], bool],
) -> Iterator[Fix]:
    before = next(each for each in counts if each.isolation == attempt.isolation)
    for proposals in _proposals(trial, attempt, counts):
        for proposal in proposals:  # the first of its kind that helps is enough
            if not goes_on():
                return
            after = _counts_with(trial, proposal, attempt, programs, most, goes_on)
            if after is not None:
                yield Fix(proposal.about, proposal.sql, after.isolation, before, after)
                break


def _proposals(
    trial: Trial, attempt: FollowedSchedule, counts: Sequence[LevelCounts]
) -> Iterator[Iterator[Proposal]]:
    yield constraints(trial.subject.invariants, attempt.broken)
    if also_in_series(attempt):
        return  # no lock and no level can help
    yield locking_reads(attempt, trial.capabilities.locks)
    at = [each.isolation for each in counts].index(attempt.isolation)
    higher = [each for each in counts[at + 1 :] if each.failing == each.in_series and not each.unknown]
    codes = sorted({code for each in higher[:1] for code in each.aborted})
    yield stronger_levels(attempt, [each.isolation for each in higher[:1]], codes)


def _counts_with(
    trial: Trial,
    proposal: Proposal,
    attempt: FollowedSchedule,
    programs: Sequence[Program],
    most: int,
    goes_on: Callable[[], bool],
) -> LevelCounts | None:
    """What the schedules come to with the change; None unless all of them are in order."""
    level = proposal.isolation or attempt.isolation
    for _ in range(_TRIES):
        after = _counts_once(trial, proposal, attempt, programs, level, most, goes_on)
        if after is None or not after.unknown:
            return after
    return None


def _counts_once(
    trial: Trial,
    proposal: Proposal,
    attempt: FollowedSchedule,
    programs: Sequence[Program],
    level: str,
    most: int,
    goes_on: Callable[[], bool],
) -> LevelCounts | None:
    """None unless nothing fails; what could not be judged is counted."""
    changed = [program.changed(proposal.transactions) for program in programs]
    ready = trial.ready_with(proposal.setup)
    if ready is None:
        return None
    with ready:
        if not all(
            _commits_as_before(ready.runner, old, new, trial)
            for old, new in zip(programs, changed, strict=True)
        ):
            return None
        counting = Counting(level, trial.subject.tables, trial.subject.judge)
        count_schedules(
            ready.runner,
            changed,
            counting,
            most=most,
            budget=Budget(_SECONDS, len(changed)),
            each=lambda _: goes_on() and not counting.like(attempt),
        )
    # What goes wrong in series is not mended by what keeps transactions apart
    after = counting.counts()
    helped = after.schedules and not counting.like(attempt) and goes_on()
    return after if helped else None


def _commits_as_before(runner: ProgramRunner, old: Program, new: Program, trial: Trial) -> bool:
    """Does each transaction still commit by itself? A change that only refuses everything mends nothing."""
    for number in range(len(new.calls)):
        alone = Program(new.name, (new.calls[number],))
        followed = runner.follow(alone, trial.serial_level, ())
        ended = [each.ending for each in followed.outcome.transactions.values()]
        if followed.trace.stuck or any(ending is not Ending.COMMITTED for ending in ended):
            with trial.runner(trial.subject.tables) as before:
                was = before.follow(Program(old.name, (old.calls[number],)), trial.serial_level, ())
            if [each.ending for each in was.outcome.transactions.values()] != ended:
                return False
    return True
