"""SQL follows a schedule without threads exactly as it does in threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from random import Random

import pytest

from txfuzz.campaign.hunt.opening import OpenedHunt, opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.check.attempt import Attempts
from txfuzz.check.contract import Call
from txfuzz.check.scheduling.trace import Trace
from txfuzz.check.serial.canonical import Masks
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome
from txfuzz.check.serial.stability import alike
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.scenario import ScenarioTables
from txfuzz.hunt.generate import RandomSource
from txfuzz.hunt.program import as_check
from txfuzz.transactions.model import Param, Returned, RollbackTo, Step, StepCondition, Transaction
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase

pytestmark = pytest.mark.server
PROGRAMS = 30
SEATS = (
    "CREATE TABLE seats (seat int PRIMARY KEY, by text, CHECK (by <> 'nobody'))",
    "INSERT INTO seats VALUES (1, NULL), (2, 'ann'), (3, 'bob')",
)
LEVELS = "read committed", "repeatable read", "serializable"


@pytest.fixture(scope="module")
def hunted() -> Iterator[OpenedHunt]:
    with opened_hunt(HuntSettings("postgres", sessions=3), None, ()) as opened:
        yield opened


@pytest.fixture(scope="module")
def tables() -> Iterator[ScenarioTables]:
    with PostgresAdapter().open(None) as database:
        assert isinstance(database, PostgresDatabase)
        with database.scenario(SEATS) as made:
            yield made


def seen(trace: Trace, outcome: ProgramOutcome) -> tuple[object, ...]:
    """All that may not differ: anything but the order in which rows are stored."""
    ended = {name: (answers(each.value), repr(each.error)) for name, each in trace.ended.items()}
    rows = {table: sorted(map(repr, each.rows)) for table, each in outcome.tables.items()}
    return trace.steps, ended, trace.stuck, rows


def answers(outcome: CallOutcome | None) -> tuple[object, ...]:
    if outcome is None:
        return ()
    told = [
        (each.step, each.rows and (each.rows.columns, sorted(map(repr, each.rows.rows)), each.rows.origins))
        for each in outcome.statements
    ]
    changed = [(each.changed, each.code) for each in outcome.statements]
    return (replace(outcome, statements=()), told, changed)


def both_ways(
    tables: ScenarioTables,
    calls: list[Call],
    schedule: list[str],
    *,
    seconds: float = 5.0,
    asks: bool = False,
) -> list[tuple[Trace, ProgramOutcome]]:
    found = []
    for threads in (True, False):
        with Attempts(tables, seconds, threads=threads) as attempts:
            found.append(attempts.follow(calls, schedule, asks=asks))
    return found


def alike_in_all(in_threads: tuple[Trace, ProgramOutcome], without: tuple[Trace, ProgramOutcome]) -> None:
    for one, other in zip(seen(*in_threads), seen(*without), strict=True):
        assert one == other, f"in threads:\n{one}\nwithout:\n{other}"


def deadlocked(outcome: ProgramOutcome) -> bool:
    """Which of two transactions that ends depends on a timer of the server's."""
    return any("40P01" in (each.code, *each.retried) for each in outcome.transactions.values())


@pytest.mark.slow
def test_programs_of_a_hunt(hunted: OpenedHunt) -> None:
    source, random = RandomSource(hunted.scope, 7), Random(7)
    done = waited = aborted = 0
    number = 0
    with ExitStack() as stack:
        ways: dict[object, list[Attempts]] = {}
        while done < PROGRAMS:
            program = source.program(number := number + 1)
            if program is None:
                continue
            done += 1
            opened = hunted.tables.opened(program.layout, program.states)
            attempts = ways.setdefault(
                opened,
                [
                    stack.enter_context(Attempts(opened.tables, 5.0, threads=threads))
                    for threads in (True, False)
                ],
            )
            calls = as_check(program).bound(random.choice(LEVELS))
            schedule = [
                label
                for label, points in zip(program.labels, program.points, strict=True)
                for _ in range(points)
            ]
            random.shuffle(schedule)
            in_threads, without = (each.follow(calls, schedule) for each in attempts)
            if deadlocked(in_threads[1]) and deadlocked(without[1]):
                continue
            alike_in_all(in_threads, without)
            waited += any(step.waited for step in without[0].steps)
            aborted += any(each.ending is Ending.ABORTED for each in without[1].transactions.values())
            if not any(each.lost for each in without[1].transactions.values()):
                series = [each.serially(calls, opened.tables.reset)[1] for each in attempts]
                assert alike(*series, Masks())
    assert waited > PROGRAMS / 10
    assert aborted > PROGRAMS / 10


LOOK = Step(
    None, sql="SELECT by FROM seats WHERE seat = :seat", args=(("seat", Param("seat")),),
    returns=(("holder", "by"),),
)  # fmt: skip
STEPS = (
    LOOK,
    Step(None, sql="SELECT by FROM seats WHERE seat = :seat FOR UPDATE", args=(("seat", Param("seat")),)),
    Step(
        None, sql="UPDATE seats SET by = :who WHERE seat = :seat",
        args=(("who", Param("who")), ("seat", Param("seat"))), when=(StepCondition("holder", "eq", None),),
    ),
    Step(None, sql="UPDATE seats SET by = coalesce(:holder, 'x') || '%' WHERE seat = 1",
         args=(("holder", Returned("holder")),)),
    Step(None, sql="UPDATE seats SET by = 'nobody' WHERE seat = 2", on_error=(("23514", "skip"),)),
    Step(None, sql="UPDATE seats SET by = 'nobody' WHERE seat = 3"),
    Step(None, sql="SAVEPOINT mine"),
    Step(None, sql="INSERT INTO seats VALUES (1, 'eve')", on_error=(("23505", RollbackTo("mine")),)),
    Step(None, sql="INSERT INTO seats VALUES (:seat + 3, :who)", args=(("seat", Param("seat")),
         ("who", Param("who"))), on_error=(("23505", "stop"),)),
    Step(None, sql="DELETE FROM seats WHERE by = :who", args=(("who", Param("who")),), rows=((0, "abort"),)),
    Step(None, sql="SELECT seat FROM seats WHERE seat = 2 FOR UPDATE NOWAIT"),
    Step(None, sql="SELECT count(*), '{a,b}'::text[], 1.50, NULL FROM seats -- '"),
    Step(None, sql="SELECT 1; SELECT 2"),
    Step(None, sql="SELECT pg_try_advisory_xact_lock(1)"),
)  # fmt: skip


def test_steps_of_a_scenario(tables: ScenarioTables) -> None:
    random = Random(3)
    codes, waited, kinds = set[str](), 0, set[Ending]()
    for number in range(40):
        calls: list[Call] = []
        for name in "ab":
            steps = [LOOK, STEPS[6], *random.choices(STEPS + STEPS[1:5] * 3, k=random.randint(1, 4))]
            transaction = Transaction(
                name, tuple(steps), params=(("seat", (1, 2)), ("who", ("ann", "bob"))), retry=number % 2
            )
            arguments = {"seat": random.choice((1, 2)), "who": random.choice(("ann", "bob"))}
            calls.append(SqlTransaction(transaction).call(name, arguments, random.choice(LEVELS)))
        schedule = random.choices("ab", k=14)
        in_threads, without = both_ways(tables, calls, schedule, asks=number % 3 == 0)
        if deadlocked(in_threads[1]) and deadlocked(without[1]):
            continue
        alike_in_all(in_threads, without)
        waited += any(step.waited for step in without[0].steps)
        for each in without[1].transactions.values():
            codes |= {each.code, *(statement.code for statement in each.statements)}
            kinds.add(each.ending)
    assert waited >= 3
    assert codes >= {"", "23505", "23514", "42601"}
    assert kinds == {Ending.COMMITTED, Ending.ABORTED}


def calls_of(*bodies: tuple[str, ...]) -> list[Call]:
    return [
        SqlTransaction(Transaction(name, tuple(Step(None, sql=each) for each in body))).call(
            name, {}, "read committed"
        )
        for name, body in zip("abc", bodies, strict=False)
    ]


def test_a_lost_connection_is_lost(tables: ScenarioTables) -> None:
    calls = calls_of(
        ("UPDATE seats SET by = 'x' WHERE seat = 1", "SELECT pg_terminate_backend(pg_backend_pid())"),
        ("UPDATE seats SET by = 'y' WHERE seat = 1",),
    )
    for schedule in (["a", "b", "a"], ["a", "a", "a"], ["b", "a"]):
        in_threads, without = both_ways(tables, calls, schedule)
        alike_in_all(in_threads, without)
        assert without[1].transactions["a"].lost


def test_what_does_not_end_is_cancelled(tables: ScenarioTables) -> None:
    calls = calls_of(("UPDATE seats SET by = 'x' WHERE seat = 1", "SELECT pg_sleep(60)"), ("SELECT 1",))
    in_threads, without = both_ways(tables, calls, ["a", "a"], seconds=0.3)
    alike_in_all(in_threads, without)
    assert (
        without[0].stuck
        == "it did not end within 0.3 s: a was at step 2 (SELECT pg_sleep(60)), b was at step 1 (SELECT 1)"
    )


@pytest.mark.flaky(reruns=2)
def test_a_deadlock_ends_one_of_the_two(tables: ScenarioTables) -> None:
    one, two = (f"UPDATE seats SET by = 'x' WHERE seat = {seat}" for seat in (1, 2))
    for trace, outcome in both_ways(tables, calls_of((one, two), (two, one)), ["a", "b", "a", "b"]):
        assert sorted(each.code for each in outcome.transactions.values()) == ["", "40P01"]
        # The timer of the first that waits runs out first, mostly before the second one waits; after the
        # machine stood still they may both wait.
        assert trace.steps[2].waited
