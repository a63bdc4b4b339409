"""Schedules of small programs as if they had been followed."""

from __future__ import annotations

from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.scheduling.trace import Decision, Point, Trace
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.database.scenario import Rows

COMMIT = "COMMIT"
Answer = int | list[int] | str  # rows changed, the values that were seen, or COMMIT


def attempt(
    *moves: tuple[str, Answer], final: dict[str, int] | None = None, aborted: str = ""
) -> FollowedSchedule:
    """moves: who went on, and what came of it. final: table → the value of its row."""
    steps, answers = [], {label: list[StatementOutcome]() for label, _ in sorted(set(moves_of(moves)))}
    for label, came in moves:
        point: CommitPoint | StatementPoint = CommitPoint()
        if came != COMMIT:
            number = len(answers[label])
            point = StatementPoint(number, "…")
            seen = Rows(("v",), tuple((value,) for value in came)) if isinstance(came, list) else None
            answers[label].append(StatementOutcome(number, seen, came if isinstance(came, int) else None))
        steps.append(Decision(Point(label, point), ()))
    outcome = ProgramOutcome(
        {
            label: CallOutcome(Ending.ABORTED if label == aborted else Ending.COMMITTED, tuple(each))
            for label, each in answers.items()
        },
        {name: Rows(("k", "v"), ((1, value),)) for name, value in (final or {}).items()},
    )
    return FollowedSchedule(
        Program("", ()), "", Trace(tuple(steps), {}), outcome, SerialJudgement(SerialAnswer.UNEXPLAINED)
    )


def moves_of(moves: tuple[tuple[str, Answer], ...]) -> list[tuple[str, str]]:
    return [(label, "") for label, _ in moves]
