"""The double booking of a seat as a check finds it, without a database."""

from __future__ import annotations

from txfuzz.check.finding.result import CheckResult, Finding, Fix, LevelCounts, SetResult
from txfuzz.check.program import Program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.scheduling.trace import Decision, Point, Trace
from txfuzz.check.serial.canonical import Masks
from txfuzz.check.serial.difference import differences
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.check.transaction import CommitPoint, SqlTransaction, StatementPoint
from txfuzz.database.scenario import Rows
from txfuzz.transactions.model import Param, Step, StepCondition, Transaction

COMMITTED, SNAPSHOT, SERIALIZABLE = "read committed", "repeatable read", "serializable"
LOOK = "SELECT booked_by FROM seats WHERE seat = 1"
TAKE = "UPDATE seats SET booked_by = :who WHERE seat = 1"
SETUP = ("CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)", "INSERT INTO seats VALUES (1, NULL)")
# The same as a file of `txfuzz check`
SEATS = """version: 1
name: seats
database: {adapter: postgres, isolation: read committed}
setup: |
  CREATE TABLE seats (seat int PRIMARY KEY, booked_by text);
  INSERT INTO seats VALUES (1, NULL), (2, NULL);
workload:
  transactions:
    - name: book
      params: {who: [ann, bob]}
      steps:
        - sql: SELECT booked_by FROM seats WHERE seat = 1
          returns: {holder: booked_by}
        - when: {holder: null}
          sql: UPDATE seats SET booked_by = :who WHERE seat = 1
"""
BOOK = Transaction(
    "book",
    (
        Step(None, sql=LOOK, returns=(("holder", "booked_by"),)),
        Step(None, sql=TAKE, args=(("who", Param("who")),), when=(StepCondition("holder", "eq", None),)),
    ),
    params=(("who", ("ann", "bob")),),
)
PROGRAM = Program("book × book", tuple((SqlTransaction(BOOK), {"who": who}) for who in ("ann", "bob")))
ANN, BOB = PROGRAM.labels


def column(name: str, *values: object) -> Rows:
    return Rows((name,), tuple((each,) for each in values))


def looked(holder: str | None) -> StatementOutcome:
    return StatementOutcome(0, column("booked_by", holder))


def booked(holder: str | None = None) -> CallOutcome:
    """What a booking comes to that has seen this holder."""
    took = () if holder else (StatementOutcome(1, changed=1),)
    return CallOutcome(Ending.COMMITTED, (looked(holder), *took))


def seat_of(who: str) -> dict[str, Rows]:
    return {"seats": Rows(("seat", "booked_by"), ((1, who),))}


def steps(*names: str, waits: int | None = None) -> tuple[Decision, ...]:
    """Each transaction's look, take and COMMIT in turn. waits: the number of the step that waits."""
    came: dict[str, int] = {}
    found = []
    for number, name in enumerate(names):
        step = came[name] = came.get(name, -1) + 1
        what = (StatementPoint(0, LOOK), StatementPoint(1, TAKE), CommitPoint())[step]
        other = (BOB if name == ANN else ANN,)
        point = Point(name, what)
        found.append(Decision(point, (point,), number == waits, other if number == waits else ()))
    return tuple(found)


def double_booking(*, waits: int | None = None, broken: dict[str, Rows] | None = None) -> FollowedSchedule:
    outcome = ProgramOutcome({ANN: booked(), BOB: booked()}, seat_of("ann"))
    compared = []
    for order, last in (((ANN, BOB), "ann"), ((BOB, ANN), "bob")):
        serial = ProgramOutcome({order[0]: booked(), order[1]: booked(last)}, seat_of(last))
        compared.append((order, differences(outcome, serial, order, Masks())))
    (order, found), *others = compared
    trace = Trace(steps(ANN, BOB, BOB, BOB, ANN, ANN, waits=waits), {})
    judgement = SerialJudgement(SerialAnswer.UNEXPLAINED, order, found, tuple(others))
    return FollowedSchedule(PROGRAM, COMMITTED, trace, outcome, judgement, broken or {})


def checked(*, asked: tuple[str, ...] = (COMMITTED,), shown: int = 3, promised: bool = False) -> CheckResult:
    failing = {"neither book saw the other": 12}
    counts = (
        LevelCounts(COMMITTED, 14, 12, 0, failing, explained=2, waited=6),
        LevelCounts(SNAPSHOT, 14, explained=14, waited=6, aborted={"40001": 12}),
        LevelCounts(SERIALIZABLE, 14, explained=14, waited=6, aborted={"40001": 12}),
    )
    attempt = double_booking()
    finding = Finding(attempt, attempt, tuple(failing), shown, 3, promised, SETUP)
    after = LevelCounts(COMMITTED, 6, explained=6, waited=4)
    fix = Fix("FOR UPDATE in step 1 of book", f"{LOOK} FOR UPDATE", COMMITTED, counts[0], after)
    found = SetResult("book × book", 1, counts, (finding,), (fix,))
    return CheckResult(
        "seats", "seats.yaml", "server", "Server 1.2", (COMMITTED, SNAPSHOT, SERIALIZABLE), asked,
        "serializable", (found,), masked=("log.at", "log.id"), renamed=("log.id",),
    )  # fmt: skip
