"""From a schedule that fails to a finding: made smaller, and followed again."""

from __future__ import annotations

from collections.abc import Sequence

from txfuzz.campaign.check.levels import promises
from txfuzz.campaign.check.trial import Trial
from txfuzz.check.finding.failures import failures, fits_no_order
from txfuzz.check.finding.result import Finding
from txfuzz.check.finding.shrink import shrink
from txfuzz.check.run import FollowedSchedule, ProgramRunner

TRIES = 3
SECONDS = 5.0  # of shrinking


def finding_of(
    trial: Trial, runner: ProgramRunner, attempt: FollowedSchedule, seconds: float = SECONDS
) -> Finding:
    """runner: on the tables on which the attempt was made. seconds: of shrinking."""
    judge = trial.subject.judge
    promised = promises(trial.capabilities, attempt.program, attempt.isolation, trial.expect)
    scenario = trial.subject.scenario
    if scenario is None:
        return _again(runner, attempt, attempt, judge, promised, None)
    small = shrink(attempt, scenario.setup, trial.ready, judge=judge, seconds=seconds)
    ready = trial.ready(small.setup)
    if ready is not None:
        with ready:
            found = _again(ready.runner, small.attempt, attempt, judge, promised, small.setup)
        if found.shown:
            return found
    return _again(runner, attempt, attempt, judge, promised, scenario.setup)


def _again(
    runner: ProgramRunner,
    attempt: FollowedSchedule,
    original: FollowedSchedule,
    judge: str,
    promised: bool,
    setup: tuple[str, ...] | None,
) -> Finding:
    wanted, schedule = failures(attempt, judge), attempt.trace.schedule
    return followed_again(runner, attempt, schedule, original, wanted, judge, promised, setup)


def followed_again(
    runner: ProgramRunner,
    attempt: FollowedSchedule,
    schedule: Sequence[str],
    original: FollowedSchedule,
    wanted: tuple[str, ...],
    judge: str,
    promised: bool,
    setup: tuple[str, ...] | None,
    tries: int = TRIES,
) -> Finding:
    """wanted: what has to go wrong each time. attempt: is shown, unless a later one shows it."""
    shown = 0
    for _ in range(tries):
        again = runner.follow(attempt.program, attempt.isolation, schedule)
        if wanted and set(wanted) <= set(failures(again, judge)):
            shown, attempt = shown + 1, again
    # An invariant that a serial order breaks as well is the transactions' own affair
    promised = promised and fits_no_order(attempt)
    return Finding(attempt, original, wanted, shown, tries, promised, setup)
