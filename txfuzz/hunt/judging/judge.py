"""Judging a schedule of a hunt: is it wrong, does it stay so, is it a hole that is known?"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from txfuzz.check.run import FollowedSchedule, ProgramRunner
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import CallOutcome
from txfuzz.hunt.judging.anomalies import Anomaly, anomalies
from txfuzz.hunt.judging.known import KnownHole
from txfuzz.hunt.judging.wrong import NO_PROMISE, Promise, Wrong
from txfuzz.hunt.program import SmallProgram

RUNS_AGAIN = 3


def proven(program: SmallProgram, attempt: FollowedSchedule) -> tuple[Anomaly, ...]:
    """The anomalies of an outcome that no serial order explains; one that is explained has none."""
    if attempt.trace.stuck or attempt.judgement.answer is not SerialAnswer.UNEXPLAINED:
        return ()
    return anomalies(program, attempt)


def wrong(
    attempt: FollowedSchedule, promise: Promise, internal: Collection[str], found: Iterable[Anomaly] = ()
) -> Wrong | None:
    """What is wrong with it. promise: of its level. internal: how the codes of errors begin that are the
    database's own fault. found: the anomalies that it proves."""
    ended = attempt.outcome.transactions.values()
    if any(each.lost for each in ended):
        return Wrong.LOST
    if any(code.startswith(tuple(internal)) for each in ended for code in _codes(each)) and internal:
        return Wrong.INTERNAL
    if attempt.trace.stuck:
        return Wrong.STUCK
    if promise.serial:
        return Wrong.NO_ORDER if attempt.judgement.answer is SerialAnswer.UNEXPLAINED else None
    return next((each.kind for each in found if each.kind in promise.forbids), None)


def _codes(outcome: CallOutcome) -> Iterable[str]:
    return (outcome.code, *outcome.retried, *(each.code for each in outcome.statements))


def shown_again(
    runner: ProgramRunner,
    program: SmallProgram,
    attempt: FollowedSchedule,
    what: Wrong,
    internal: Collection[str],
) -> tuple[FollowedSchedule, int, int]:
    """The attempt as it was followed last in the same way; how often the same schedule showed it again, of
    how many times. Where no order explains it, orders are run anew for that."""
    if what is Wrong.NO_ORDER:
        confirmed = runner.confirm(attempt)
        shown, tries = confirmed.failed_again
        if not confirmed.fails:
            return attempt, min(shown, tries - 1), tries
        return confirmed, shown, tries
    shown, last = 0, attempt
    for _ in range(RUNS_AGAIN):
        again = runner.follow(attempt.program, attempt.isolation, attempt.trace.schedule)
        anomaly = what in {each.kind for each in proven(program, again)}
        if anomaly or wrong(again, NO_PROMISE, internal) is what:
            shown, last = shown + 1, again
    return last, shown, RUNS_AGAIN


def known_hole(
    holes: Iterable[KnownHole],
    program: SmallProgram,
    attempt: FollowedSchedule,
    what: Wrong,
    promise: Promise,
    version: tuple[int, ...],
) -> KnownHole | None:
    """The hole that this is, where it is known. version: the server's, empty where that is unknown."""
    for hole in holes:
        used = (
            _without_effect(program, attempt) if hole.unchanged else {use.form.name for use in program.uses}
        )
        if (
            not hole.raced  # which no order of statements shows
            and (used & hole.forms or not hole.forms)
            and (what in hole.wrong or not hole.wrong)
            and hole.model in ("", promise.model)
            and (not hole.layouts or program.layout.name in hole.layouts)
            and (not hole.levels or attempt.isolation in hole.levels)
            and (hole.since is None or not version or version >= hole.since)
            and (hole.until is None or not version or version < hole.until)
        ):
            return hole
    return None


def _without_effect(program: SmallProgram, attempt: FollowedSchedule) -> set[str]:
    """The forms that have changed no row."""
    found = set()
    for label, uses in zip(program.labels, program.transactions, strict=True):
        outcome = attempt.outcome.transactions.get(label)
        answers = {each.step: each for each in outcome.statements} if outcome is not None else {}
        step = 0
        for use in uses:
            own = [answers.get(step + number) for number in range(len(use.form.statements))]
            step += len(own)
            counts = [
                each.changed if each.rows is None else len(each.rows.rows) for each in own if each is not None
            ]
            if not any(counts):
                found.add(use.form.name)
    return found
