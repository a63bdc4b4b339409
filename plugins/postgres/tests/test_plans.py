"""Statements that are planned once, and what happens where a plan does not fit any more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from txfuzz.database.api import SessionError
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.plans import KeptPlans
from txfuzz_postgres.protocol.scripts import Scripts
from txfuzz_postgres.scenario.tables import PostgresScenario

pytestmark = pytest.mark.server
PLANNED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'txfuzz%'"
ITEMS = ("CREATE TABLE items (id int PRIMARY KEY, n int)", "INSERT INTO items VALUES (1, 0), (2, 0)")
TRIGGER = (
    "CREATE TABLE log (n int)",
    "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO log VALUES (1); RETURN NULL; END $$",
    "CREATE TRIGGER notes AFTER INSERT OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION noted()",
)
LATER = (
    "CREATE TABLE parts (item int REFERENCES items DEFERRABLE INITIALLY DEFERRED)",
    "INSERT INTO parts VALUES (1)",
)


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        assert isinstance(opened, PostgresDatabase)
        yield opened


@pytest.fixture
def connection(database: PostgresDatabase) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with database.scenario(ITEMS) as tables:
        assert isinstance(tables, PostgresScenario)
        yield tables._control


def test_a_statement_is_planned_once(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    scripts = Scripts(connection.pgconn)
    before = connection.execute(PLANNED).fetchall()[0][0]
    for number in range(3):
        one, two = scripts.run([f"SELECT {number // 2}", "SELECT id FROM items ORDER BY id"])
        assert one.get_value(0, 0) == b"%d" % (number // 2)
        assert [two.get_value(row, 0) for row in range(two.ntuples)] == [b"1", b"2"]
    assert connection.execute(PLANNED).fetchall()[0][0] == before + 3


def test_a_plan_that_does_not_fit_any_more_is_not_insisted_on(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    scripts = Scripts(connection.pgconn)
    script = ["BEGIN", "UPDATE items SET n = n + 1 WHERE id = 1", "SELECT * FROM items ORDER BY id", "COMMIT"]
    assert scripts.run(script)[2].nfields == 2
    connection.execute("ALTER TABLE items ADD COLUMN more int")
    assert scripts.run(script)[2].nfields == 3
    assert connection.execute("SELECT n FROM items WHERE id = 1").fetchall() == [(2,)], "and done once"


def test_an_error_is_told_and_leaves_no_transaction_open(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    scripts = Scripts(connection.pgconn)
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            scripts.run(["BEGIN", "DELETE FROM items", "SELECT 1 / (SELECT count(*) FROM items)", "COMMIT"])
        assert connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.execute("SELECT count(*) FROM items").fetchall() == [(2,)]
    with pytest.raises(psycopg.errors.UndefinedTable):
        scripts.run(["SELECT 1", "SELECT * FROM nowhere"])
    assert scripts.run(["SELECT 1"])[0].get_value(0, 0) == b"1"


def test_what_cannot_be_planned_keeps_nothing_else_from_it(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    plans = KeptPlans(connection.pgconn)
    plans.make(["SELECT 1", "SELECT nothing FROM nowhere", "no SQL at all", "SELECT 2"])
    named = [plans.name(each) is not None for each in ("SELECT 1", "SELECT nothing FROM nowhere", "SELECT 2")]
    assert named == [True, False, True]


def test_a_connection_that_is_lost_is_said_to_be(
    database: PostgresDatabase, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    scripts = Scripts(connection.pgconn)
    scripts.run(["SELECT 1"])
    with database.scenario(ITEMS) as others:
        others.query(f"SELECT pg_terminate_backend({connection.info.backend_pid}, 5000)")
        with pytest.raises(psycopg.OperationalError):
            scripts.run(["SELECT 1"])
        with pytest.raises(psycopg.OperationalError):
            scripts.run(["SELECT 1"])


@pytest.mark.parametrize("more", [(), TRIGGER, LATER], ids=["plain", "trigger", "foreign key"])
def test_rows_come_back_and_nothing_runs_by_itself_meanwhile(
    database: PostgresDatabase, more: tuple[str, ...]
) -> None:
    with database.scenario((*ITEMS, *more)) as tables:
        before = tables.tables()
        with contextlib.closing(tables.session()) as session:
            session.keep_plans()
            for _ in range(3):
                tables.reset()
                assert tables.tables() == before
                session.begin("read committed")
                session.run("UPDATE items SET n = 7 WHERE id = 2", {})
                session.run("INSERT INTO items VALUES (3, 0)", {})
                session.commit()
                assert len(tables.tables()["items"].rows) == 3
        tables.reset_and_run(["INSERT INTO items VALUES (4, 0)"])
        assert len(tables.tables()["items"].rows) == 3
        if more == TRIGGER:
            assert len(tables.tables()["log"].rows) == len(before["log"].rows) + 1


def test_plans_are_kept_only_where_that_was_asked_for(database: PostgresDatabase) -> None:
    """Or a user's statement after one that changes the schema would be refused for its plan."""
    with database.scenario(ITEMS) as tables, contextlib.closing(tables.session()) as session:
        for columns in (2, 3):
            session.begin("read committed")
            rows = session.run("SELECT * FROM items", {}).rows
            assert rows is not None
            assert len(rows.columns) == columns
            if columns == 2:
                session.run("ALTER TABLE items ADD COLUMN more int", {})
            session.commit()
            with contextlib.suppress(SessionError):
                tables.reset()
