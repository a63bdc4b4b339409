"""What a round came to, as the serial judge and the story know it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from txfuzz.check.run import FollowedSchedule
from txfuzz.check.scheduling.trace import Decision, Point, Trace
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.database.scenario import SentAnswer
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.program import as_check, in_sql
from txfuzz.hunt.race.race import Race
from txfuzz.hunt.race.rounds import Answers, Round, RoundRunner

_UNANSWERED = SentAnswer(b"")


def outcome_of(race: Race, round_: Round, runner: RoundRunner) -> ProgramOutcome:
    labels = race.program.labels
    ended = {
        label: _ended(at, answers, race.program.points[at], runner)
        for at, (label, answers) in enumerate(zip(labels, round_.answers, strict=True))
    }
    tables = {name: runner.rows(sent) for name, sent in zip(runner.names, round_.tables, strict=True)}
    return ProgramOutcome(ended, tables)


def _ended(at: int, answers: Answers, points: int, runner: RoundRunner) -> CallOutcome:
    """points: the statements and COMMIT."""
    statements = []
    for step, sent in enumerate(answers[: points - 1]):
        if not sent.code:
            answer = runner.answer(at, sent)
            statements.append(StatementOutcome(step, answer.rows, answer.changed))
    last = answers[-1] if answers else None
    if last is not None and last.code:
        return CallOutcome(Ending.ABORTED, tuple(statements), last.code, message=last.message)
    if len(answers) < points:
        return CallOutcome(Ending.UNKNOWN, tuple(statements))
    return CallOutcome(Ending.COMMITTED, tuple(statements))


def unended(
    race: Race, answers: tuple[Answers, ...], order: tuple[int, ...], what: Wrong
) -> FollowedSchedule:
    """A round that came to no end, as a schedule: up to the first statement of each transaction that has no
    answer."""
    points = race.program.points
    cut = tuple((*each, _UNANSWERED)[:most] for each, most in zip(answers, points, strict=True))
    ended = {
        label: _unended(each, most, what)
        for label, each, most in zip(race.program.labels, answers, points, strict=True)
    }
    return FollowedSchedule(
        as_check(race.program),
        "",
        trace_of(race, Round(cut, (), order)),
        ProgramOutcome(ended),
        SerialJudgement(SerialAnswer.UNKNOWN, reason=what.value),
    )


def _unended(answers: Answers, points: int, what: Wrong) -> CallOutcome:
    """What was answered is not read any more: the session may be gone."""
    statements = tuple(
        StatementOutcome(step) for step, sent in enumerate(answers[: points - 1]) if not sent.code
    )
    failed = next((sent for sent in answers if sent.code), None)
    if failed is not None:
        return CallOutcome(Ending.ABORTED, statements, failed.code, message=failed.message)
    if len(answers) >= points:
        return CallOutcome(Ending.COMMITTED, statements)
    return CallOutcome(Ending.ABORTED, statements, "no answer", message=what.value)


def trace_of(race: Race, round_: Round) -> Trace:
    """The round as a schedule: what came before, what was let go at the same time, in the order of the
    offsets, and what came after."""
    before = [(at, step) for at, held in enumerate(race.held) for step in range(held)]
    now = [(at, race.held[at]) for at in round_.sent]
    after = [
        (at, step)
        for at, (held, points) in enumerate(zip(race.held, race.program.points, strict=True))
        for step in range(held + 1, points)
    ]
    return Trace(tuple(_decisions(race, round_, chain(before, now, after))), {})


def _decisions(race: Race, round_: Round, steps: Iterator[tuple[int, int]]) -> Iterator[Decision]:
    transactions, labels = in_sql(race.program), race.program.labels
    for at, step in steps:
        if step >= len(round_.answers[at]):
            continue  # an error had ended the transaction
        texts = transactions[at].steps
        what = StatementPoint(step, str(texts[step].sql)) if step < len(texts) else CommitPoint()
        yield Decision(Point(labels[at], what), ())
