"""A failing schedule to be typed by hand."""

from __future__ import annotations

from dataclasses import replace

from double_booking import SETUP, column, double_booking
from txfuzz.check.contract import SqlInvariant
from txfuzz.check.finding.result import Finding
from txfuzz.check.finding.script import typed_schedule
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.scheduling.trace import Decision, Point, Trace
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.transaction import CommitPoint, SqlTransaction, StatementPoint
from txfuzz.database.sql.windows import COLUMN
from txfuzz.report.check.story import schedule_lines
from txfuzz.transactions.model import Mode, Step, Transaction

SECOND = " " * COLUMN  # the window beside the first


def begin(isolation: str, mode: Mode) -> tuple[str, ...]:
    return (f"BEGIN {isolation}",)


def test_each_line_says_where_it_is_entered_and_what_it_shows() -> None:
    attempt = double_booking(waits=4, broken={"one each": column("who", "ann")})
    finding = Finding(attempt, attempt, ("neither book saw the other",), 3, 3, setup=SETUP)
    text = typed_schedule(finding, (SqlInvariant("one each", "SELECT who FROM t;"),), begin)
    assert text.splitlines()[5:] == [
        "/* setup */ CREATE TABLE seats (seat int PRIMARY KEY, booked_by text);",
        "/* setup */ INSERT INTO seats VALUES (1, NULL);",
        "",
        "/* A     */ BEGIN read committed;",
        "/* A     */ SELECT booked_by FROM seats WHERE seat = 1;",
        "            -- (1) booked_by NULL",
        f"{SECOND}/* B     */ BEGIN read committed;",
        f"{SECOND}/* B     */ SELECT booked_by FROM seats WHERE seat = 1;",
        f"{SECOND}            -- (2) booked_by NULL",
        f"{SECOND}/* B     */ UPDATE seats SET booked_by = 'bob' WHERE seat = 1;",
        f"{SECOND}            -- (3) 1 row changed",
        f"{SECOND}/* B     */ COMMIT;",
        f"{SECOND}            -- (4) committed",
        "/* A     */ UPDATE seats SET booked_by = 'ann' WHERE seat = 1;",
        "            -- (5) waits for B, then 1 row changed",
        "/* A     */ COMMIT;",
        "            -- (6) committed",
        "",
        "/* after */ SELECT who FROM t;",
        "            -- gives who 'ann': one each",
        "",
        "-- Why this is wrong:",
        "-- book (ann) saw booked_by NULL in line 1, and so did book (bob) in line 2; whichever went "
        "first, the other would have seen booked_by 'ann' or booked_by 'bob'.",
        "-- Broken: one each. The query for it gives who 'ann'.",
    ]
    code = replace(finding, setup=None)
    assert "-- Make the tables first, as the setup in Python does." in typed_schedule(code, (), begin)


def test_a_savepoint_is_left_where_the_wait_is_over() -> None:
    """The window of a statement that waits takes nothing until the other one has let it go."""
    insert, label = "INSERT INTO users VALUES ('ann')", "create"
    step = Step(None, sql=insert, on_error=(("23505", "skip"),))
    program = Program("create × create", ((SqlTransaction(Transaction(label, (step,))), {}),) * 2)
    one, two = program.labels
    points = [Point(name, what) for what in (StatementPoint(0, insert), CommitPoint()) for name in (one, two)]
    trace = Trace(
        (
            Decision(points[0], ()),
            Decision(points[1], (), waited=True, waited_for=(one,)),
            Decision(points[2], (), let_go=(two,)),
            Decision(points[3], ()),
        ),
        {},
    )
    first = CallOutcome(Ending.COMMITTED, (StatementOutcome(0, changed=1),))
    second = CallOutcome(Ending.COMMITTED, (StatementOutcome(0, code="23505"),))
    judgement = SerialJudgement(SerialAnswer.UNEXPLAINED)
    attempt = FollowedSchedule(
        program, "read committed", trace, ProgramOutcome({one: first, two: second}), judgement
    )
    finding = Finding(attempt, attempt, ("x",), 3, 3, setup=())
    lines = typed_schedule(finding, (), begin).splitlines()[6:]
    assert [line.strip() for line in lines[: lines.index("-- Why this is wrong:") - 1]] == [
        "/* A     */ BEGIN read committed;",
        "/* A     */ SAVEPOINT txfuzz_step;",
        f"/* A     */ {insert};",
        "-- (1) 1 row changed",
        "/* A     */ RELEASE SAVEPOINT txfuzz_step;",
        "/* B     */ BEGIN read committed;",
        "/* B     */ SAVEPOINT txfuzz_step;",
        f"/* B     */ {insert};",
        "-- (2) waits for A, then error 23505",
        "/* A     */ COMMIT;",
        "-- (3) committed",
        "/* B     */ ROLLBACK TO SAVEPOINT txfuzz_step;",
        "/* B     */ COMMIT;",
        "-- (4) committed",
    ]
    anyone = replace(
        attempt, trace=replace(trace, steps=tuple(replace(s, waited_for=()) for s in trace.steps))
    )
    text = typed_schedule(replace(finding, attempt=anyone), (), begin)
    assert "-- (2) waits, then error 23505" in text
    assert "→ waits, then: error 23505" in "\n".join(schedule_lines(replace(finding, attempt=anyone)))
