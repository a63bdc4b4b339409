"""Transactions on tables of the user's own design, checked on the embedded server: what is true comes out."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from txfuzz.check.contract import SqlInvariant
from txfuzz.check.program import Program, programs
from txfuzz.check.run import ProgramResult, ProgramRunner
from txfuzz.check.story import explanation, story
from txfuzz.check.transaction import SqlTransaction
from txfuzz.database.api import Outcome, SessionError
from txfuzz.database.scenario import HoldsScenarios, ScenarioTables
from txfuzz.transactions.model import Param, Step, StepCondition, Transaction
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase

pytestmark = pytest.mark.server
LEVELS = READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = "read committed", "repeatable read", "serializable"


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        assert isinstance(opened, HoldsScenarios)
        yield opened


def sql(text: str, *params: str, **more: object) -> Step:
    return Step(None, sql=text, args=tuple((name, Param(name)) for name in params), **more)


def runner(tables: ScenarioTables, *invariants: SqlInvariant) -> ProgramRunner:
    return ProgramRunner(tables, invariants, serial_level=SERIALIZABLE)


def first_pair(transaction: Transaction) -> Program:
    [(_, (program, *_))] = programs((SqlTransaction(transaction),), (), Random(1))
    return program


SEATS = (
    "CREATE TABLE seats (seat int PRIMARY KEY, booked_by text)",
    "INSERT INTO seats VALUES (1, NULL)",
)
LOOK = sql("SELECT booked_by FROM seats WHERE seat = 1", returns=(("holder", "booked_by"),))
LOCK = sql("SELECT booked_by FROM seats WHERE seat = 1 FOR UPDATE", returns=(("holder", "booked_by"),))
TAKE = sql(
    "UPDATE seats SET booked_by = :who WHERE seat = 1", "who", when=(StepCondition("holder", "eq", None),)
)


def book(first: Step, retry: int = 0) -> Transaction:
    return Transaction("book", (first, TAKE), params=(("who", ("ann", "bob")),), retry=retry)


def checked(database: PostgresDatabase, transaction: Transaction) -> dict[str, ProgramResult]:
    with database.scenario(SEATS) as tables, runner(tables) as ready:
        program = first_pair(transaction)
        return {level: ready.check(program, level) for level in LEVELS}


def test_a_double_booking_is_found_in_the_first_schedules_and_explained(database: PostgresDatabase) -> None:
    found = checked(database, book(LOOK))
    broken = found[READ_COMMITTED]
    assert broken.complete
    assert (broken.schedules, len(broken.failing), broken.explained) == (14, 12, 2)
    with database.scenario(SEATS) as tables, runner(tables) as ready:
        assert ready.check(broken.program, READ_COMMITTED, most=3).failing
    attempt = broken.failing[0]
    assert explanation(attempt) == (
        "book (ann) saw booked_by NULL in line 1, and so did book (bob) in line 2; "
        "whichever went first, the other would have seen booked_by 'ann' or booked_by 'bob'.",
    )
    assert [(line.transaction, line.came) for line in story(attempt)] == [
        ("book (ann)", "booked_by NULL"),
        ("book (bob)", "booked_by NULL"),
        ("book (bob)", "1 row changed"),
        ("book (bob)", "committed"),
        ("book (ann)", "1 row changed"),
        ("book (ann)", "committed"),
    ]


def test_stronger_levels_abort_one_of_them(database: PostgresDatabase) -> None:
    found = checked(database, book(LOOK))
    for level in (REPEATABLE_READ, SERIALIZABLE):
        assert not found[level].failing
        assert found[level].aborted == {"40001": 12}
        assert found[level].explained == found[level].schedules == 14
        assert found[level].waited == 6


def test_a_lock_on_the_read_mends_it_and_retries_belong_to_the_transaction(
    database: PostgresDatabase,
) -> None:
    for level, result in checked(database, book(LOCK)).items():
        assert not result.failing, level
        assert result.unknown == 0
    retried = checked(database, book(LOOK, retry=3))
    assert retried[SERIALIZABLE].aborted == {"40001": 12}
    assert not retried[SERIALIZABLE].failing


def test_times_that_python_does_not_know_are_values_like_others(database: PostgresDatabase) -> None:
    odd = "'infinity'::timestamptz AS a, '24:00'::time AS b, ARRAY['4000-01-01 BC'::date] AS c"
    with database.scenario((f"CREATE TABLE t AS SELECT {odd}, now() AS d",)) as tables:
        ((*odd_ones, now),) = tables.tables()["t"].rows
        assert odd_ones == ["infinity", "24:00:00", ["4000-01-01 BC"]]
        assert now.tzinfo is not None


ACCOUNTS = (
    "CREATE TABLE accounts (name text PRIMARY KEY, amount int NOT NULL)",
    "INSERT INTO accounts VALUES ('a', 60), ('b', 60)",
    "CREATE TABLE log "
    "(id serial PRIMARY KEY, at timestamptz DEFAULT now(), account text REFERENCES accounts)",
)
WITHDRAW = Transaction(
    "withdraw",
    (
        sql("SELECT sum(amount) AS total FROM accounts", returns=(("total", "total"),)),
        sql(
            "UPDATE accounts SET amount = amount - 100 WHERE name = :account",
            "account",
            when=(StepCondition("total", "ge", 100),),
        ),
        sql("INSERT INTO log (account) VALUES (:account) RETURNING id", "account"),
    ),
    params=(("account", ("a", "b")),),
    retry=2,
)
NO_DEBT = SqlInvariant("the sum is never negative", "SELECT sum(amount) FROM accounts HAVING sum(amount) < 0")


def test_write_skew_shows_below_serializable_and_clocks_and_identifiers_are_no_evidence(
    database: PostgresDatabase,
) -> None:
    with database.scenario(ACCOUNTS) as tables, runner(tables, NO_DEBT) as ready:
        assert tables.facts().clocks == {"log.at"}
        assert tables.facts().generated == {"log.id": "log.id"}
        program = first_pair(WITHDRAW)
        for level in (READ_COMMITTED, REPEATABLE_READ):
            result = ready.check(program, level)
            assert (result.schedules, len(result.failing), result.unknown) == (70, 68, 0), level
            assert all(NO_DEBT.name in each.broken for each in result.failing)
        result = ready.check(program, SERIALIZABLE)
        assert (len(result.failing), result.unknown) == (0, 0)
        assert result.aborted["40001"] > 0


def test_chance_is_no_anomaly(database: PostgresDatabase) -> None:
    roll = Transaction("roll", (sql("SELECT random() AS dice"),))
    with database.scenario(("CREATE TABLE t (k int)",)) as tables, runner(tables) as ready:
        result = ready.check(first_pair(roll), READ_COMMITTED)
        assert not result.failing
        assert result.unknown == result.schedules
        assert "differs from one run to the next" in result.reason


def test_rows_and_sequences_are_restored_before_every_attempt(database: PostgresDatabase) -> None:
    with database.scenario(ACCOUNTS) as tables:
        before = tables.tables()
        session = tables.session()
        session.begin(READ_COMMITTED)
        first = session.run("INSERT INTO log (account) VALUES (:account) RETURNING id", {"account": "a"})
        session.run("DELETE FROM accounts WHERE name = :name AND '%' <> ':x'", {"name": "b"})
        session.commit()
        assert tables.tables() != before
        tables.reset()
        assert tables.tables() == before
        session.begin(READ_COMMITTED)
        again = session.run("INSERT INTO log (account) VALUES (:account) RETURNING id", {"account": "a"})
        session.rollback()
        session.close()
        assert first.rows is not None
        assert again == first


def test_nothing_is_left_behind(database: PostgresDatabase) -> None:
    with database.scenario(SEATS):
        pass
    with pytest.raises(SessionError, match="does not exist"):
        database.scenario(("INSERT INTO nowhere VALUES (1)",))
    found = database.run(
        lambda on: on.exec_driver_sql(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'txfuzz_scenario%%'"
        ).scalar()
    )
    assert found == 0


def test_a_deadlock_ends_and_the_victim_is_counted(database: PostgresDatabase) -> None:
    setup = ("CREATE TABLE t (k int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0), (2, 0)")
    one = Transaction(
        "one", (sql("UPDATE t SET v = v + 1 WHERE k = 1"), sql("UPDATE t SET v = v + 1 WHERE k = 2"))
    )
    two = Transaction(
        "two", (sql("UPDATE t SET v = v * 2 WHERE k = 2"), sql("UPDATE t SET v = v * 2 WHERE k = 1"))
    )
    with database.scenario(setup) as tables, runner(tables) as ready:
        [(_, (program,))] = programs((SqlTransaction(one), SqlTransaction(two)), ("one", "two"), Random(1))
        result = ready.check(program, READ_COMMITTED)
        assert result.complete
        assert not result.failing
        assert result.aborted["40P01"] > 0
        assert result.waited > 0


def test_a_transaction_that_has_failed_does_not_commit(database: PostgresDatabase) -> None:
    with database.scenario(SEATS) as tables:
        session = tables.session()
        session.begin(READ_COMMITTED)
        with pytest.raises(SessionError, match="division by zero"):
            session.run("SELECT 1 / 0", {})
        with pytest.raises(SessionError) as caught:  # the server answers ROLLBACK, and that is no error
            session.commit()
        assert (caught.value.outcome, caught.value.code) == (Outcome.FAIL, "25P02")
        session.close()


INHERITED = (
    "CREATE TABLE cities (id serial PRIMARY KEY, name text)",
    "CREATE TABLE capitals (state text) INHERITS (cities)",
    "INSERT INTO cities (name) VALUES ('Lyon')",
    "INSERT INTO capitals (name, state) VALUES ('Paris', 'FR')",
)
PARTED = (
    "CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY, day int) PARTITION BY RANGE (day)",
    "CREATE TABLE early PARTITION OF events FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE late PARTITION OF events FOR VALUES FROM (10) TO (20)",
    "INSERT INTO events (day) VALUES (1), (11)",
)


def test_rows_of_children_are_their_own(database: PostgresDatabase) -> None:
    with database.scenario(INHERITED) as tables:
        before = tables.tables()
        assert {name: len(rows.rows) for name, rows in before.items()} == {"cities": 1, "capitals": 1}
        session = tables.session()
        session.begin(READ_COMMITTED)
        session.run("UPDATE cities SET name = 'Rome'", {})
        session.run("INSERT INTO cities (name) VALUES ('Bari')", {})
        session.commit()
        assert len(tables.tables()["cities"].rows) == 2
        tables.reset()
        assert tables.tables() == before


def test_rows_of_partitions_are_shown_with_their_table(database: PostgresDatabase) -> None:
    with database.scenario(PARTED) as tables:
        before = tables.tables()
        assert list(before) == ["events"]
        assert tables.facts().generated == {"events.id": "events.id"}
        session = tables.session()
        session.begin(READ_COMMITTED)
        session.run("UPDATE events SET day = 12 WHERE day = 1", {})
        session.run("INSERT INTO late (id, day) OVERRIDING SYSTEM VALUE VALUES (7, 13)", {})
        session.commit()
        assert sorted(day for _, day in tables.tables()["events"].rows) == [11, 12, 13]
        tables.reset()
        assert tables.tables() == before
