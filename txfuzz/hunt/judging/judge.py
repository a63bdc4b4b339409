"""Judging a schedule of a hunt: is it wrong, and does it stay so?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome
from txfuzz.hunt.judging.anomalies import Anomaly, anomalies
from txfuzz.hunt.judging.wrong import NO_PROMISE, Promise, Wrong
from txfuzz.hunt.program import SmallProgram

RUNS_AGAIN = 3


class FollowsSchedules(Protocol):
    """Of one program."""

    def follow(self, level: str, schedule: tuple[str, ...]) -> FollowedSchedule: ...

    def confirm(self, attempt: FollowedSchedule) -> FollowedSchedule: ...


def proven(program: SmallProgram, attempt: FollowedSchedule) -> tuple[Anomaly, ...]:
    """The anomalies of an outcome that no serial order explains; one that is explained has none."""
    if attempt.trace.stuck or attempt.judgement.answer is not SerialAnswer.UNEXPLAINED:
        return ()
    return anomalies(program, attempt)


def wrong(
    program: SmallProgram,
    attempt: FollowedSchedule,
    promise: Promise,
    internal: Collection[str],
    found: Iterable[Anomaly] = (),
) -> Wrong | None:
    """What is wrong with it. promise: of its level. internal: how the codes of errors begin that are the
    database's own fault. found: the anomalies that it proves."""
    broken = failed(attempt, internal)
    if broken is not None:
        return broken
    if attempt.judgement.answer is SerialAnswer.UNEXPLAINED and (
        (promise.serial or Wrong.DIRTY_READ in promise.forbids) and _one_session(program, attempt.outcome)
    ):
        return Wrong.SINGLE
    if promise.serial:
        return Wrong.NO_ORDER if attempt.judgement.answer is SerialAnswer.UNEXPLAINED else None
    return next((each.kind for each in found if each.kind in promise.forbids), None)


def failed(attempt: FollowedSchedule, internal: Collection[str]) -> Wrong | None:
    """How the database has failed in it, whatever it promises: by going down, by an error of its own, or by
    not answering."""
    ended = attempt.outcome.transactions.values()
    if went_down(attempt):
        return Wrong.CRASH
    if any(each.lost for each in ended):
        return Wrong.LOST
    if internal and any(code.startswith(tuple(internal)) for each in ended for code in _codes(each)):
        return Wrong.INTERNAL
    return Wrong.STUCK if attempt.trace.stuck and not attempt.trace.still_open else None


def went_down(attempt: FollowedSchedule) -> bool:
    """Has the server itself gone, and not only a connection to it? Then nobody could ask for the rows."""
    outcome = attempt.outcome
    return not outcome.tables and any(each.lost for each in outcome.transactions.values())


def _one_session(program: SmallProgram, outcome: ProgramOutcome) -> bool:
    """Have transactions of one session committed, and those of others none, for certain?

    What was aborted has not been, unless a level lets others see it. Then whatever a session alone would
    have come to is all that is right.
    """
    endings = {label: each.ending for label, each in outcome.transactions.items()}
    if Ending.UNKNOWN in endings.values():
        return False
    labels = iter(program.labels)
    of_sessions = [[next(labels) for _ in session] for session in program.sessions]
    return sum(any(endings.get(label) is Ending.COMMITTED for label in own) for own in of_sessions) == 1


def _codes(outcome: CallOutcome) -> Iterable[str]:
    return (outcome.code, *outcome.retried, *(each.code for each in outcome.statements))


def shown_again(
    runs: FollowsSchedules,
    program: SmallProgram,
    attempt: FollowedSchedule,
    what: Wrong,
    internal: Collection[str],
    *,
    goes_on: Callable[[], bool] = lambda: True,
) -> tuple[FollowedSchedule, int, int]:
    """The attempt as it was followed last in the same way; how often the same schedule showed it again, of
    how many times. Where no order explains it, orders are run anew for that."""
    if what in (Wrong.NO_ORDER, Wrong.SINGLE):
        confirmed = runs.confirm(attempt)
        shown, tries = confirmed.failed_again
        if not confirmed.fails:
            return attempt, min(shown, tries - 1), tries
        return confirmed, shown, tries
    shown, last = 0, attempt
    for _ in range(RUNS_AGAIN):
        if not goes_on():  # each can take as long as a schedule may
            break
        again = runs.follow(attempt.isolation, attempt.trace.schedule)
        anomaly = what in {each.kind for each in proven(program, again)}
        if anomaly or wrong(program, again, NO_PROMISE, internal) is what:
            shown, last = shown + 1, again
    return last, shown, RUNS_AGAIN
