"""From a schedule that fails to a finding: made smaller, and followed again."""

from __future__ import annotations

from txfuzz.campaign.check.levels import promises
from txfuzz.campaign.check.trial import Trial
from txfuzz.check.failures import failures
from txfuzz.check.result import Finding
from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.shrink import Small, shrink
from txfuzz.check.transaction import SqlTransaction

TRIES = 3
_SECONDS = 5.0  # of shrinking


def finding_of(trial: Trial, runner: ProgramRunner, attempt: FollowedSchedule) -> Finding:
    """runner: on the tables on which the attempt was made."""
    subject = trial.subject
    promised = promises(trial.capabilities, attempt.program, attempt.isolation, trial.expect)
    setup = None if subject.scenario is None else subject.scenario.setup
    if setup is not None and all(isinstance(each, SqlTransaction) for each, _ in attempt.program.calls):
        small = shrink(attempt, setup, trial.ready, judge=subject.judge, seconds=_SECONDS)
        ready = trial.ready(small.setup)
        if ready is not None:
            with ready:
                found = _followed_again(ready.runner, small, attempt, subject.judge, promised)
            if found.shown:
                return found
    return _followed_again(runner, Small(setup or (), attempt), attempt, subject.judge, promised)


def _followed_again(
    runner: ProgramRunner, small: Small, original: FollowedSchedule, judge: str, promised: bool
) -> Finding:
    wanted = failures(small.attempt, judge)
    shown, last = 0, small.attempt
    for _ in range(TRIES):
        again = runner.follow(small.attempt.program, small.attempt.isolation, small.attempt.trace.schedule)
        if set(wanted) <= set(failures(again, judge)):
            shown, last = shown + 1, again
    return Finding(last, original, wanted, shown, TRIES, promised, small.setup or None)
