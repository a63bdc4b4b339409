"""What a round came to, as the serial judge and the story know it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from txfuzz.check.scheduling.trace import Decision, Point, Trace
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.hunt.program import in_sql
from txfuzz.hunt.race.race import Race
from txfuzz.hunt.race.rounds import Answers, Round, RoundRunner


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
