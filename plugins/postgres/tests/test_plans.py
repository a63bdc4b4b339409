"""Statements that are planned once, and what happens where a plan does not fit any more."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import psycopg
import pytest

from txfuzz.database.api import SessionError
from txfuzz.database.scenario import StatementAnswer
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.plans import KeptPlans
from txfuzz_postgres.protocol.scripts import Scripts
from txfuzz_postgres.scenario.session import PostgresScenarioSession
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
    plans.make(["SELECT 3", "SELECT 4"])
    assert plans.name("SELECT 3"), "no name is given twice"
    assert plans.name("SELECT 4")


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


@pytest.mark.parametrize(
    "step",
    [
        "CREATE TRIGGER notes AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION noted()",
        "CREATE RULE stays AS ON DELETE TO items DO INSTEAD NOTHING",
        "ALTER TABLE parts ADD FOREIGN KEY (item) REFERENCES items",
        "DO $$ BEGIN ALTER TABLE parts ADD FOREIGN KEY (item) REFERENCES items; END $$",
    ],
    ids=["trigger", "rule", "foreign key", "block"],
)
def test_what_a_step_makes_does_not_run_where_rows_are_restored(
    database: PostgresDatabase, step: str
) -> None:
    parts = ("CREATE TABLE a_log (n int)", "CREATE TABLE parts (item int)", "INSERT INTO parts VALUES (1)")
    noted = TRIGGER[1].replace("log", "a_log")
    with database.scenario((*ITEMS, *parts, noted)) as tables:
        before = tables.tables()
        with contextlib.closing(tables.session()) as session:
            session.begin("read committed")
            session.run(step, {})
            session.commit()
        for _ in range(2):
            tables.reset()
            assert tables.tables() == before


def test_what_code_makes_does_not_run_where_rows_are_restored(database: PostgresDatabase) -> None:
    with database.scenario(
        (*ITEMS, "CREATE TABLE parts (item int)", "INSERT INTO parts VALUES (1)")
    ) as tables:
        assert isinstance(tables, PostgresScenario)
        before = tables.tables()
        with contextlib.closing(tables._ready()) as connection:
            tables.adopt(connection)
            connection.execute("ALTER TABLE parts ADD FOREIGN KEY (item) REFERENCES items")
        for _ in range(2):
            tables.reset()
            assert tables.tables() == before


def test_a_reset_that_is_late_is_not_tried_again(database: PostgresDatabase) -> None:
    with database.scenario(ITEMS) as tables, contextlib.closing(tables.session()) as session:
        assert isinstance(tables, PostgresScenario)
        tables.reset()
        session.begin("read committed")
        session.run("UPDATE items SET n = 1", {})
        tables._control.execute("SET statement_timeout = '500ms'")
        began = time.monotonic()
        with pytest.raises(SessionError) as late:
            tables.reset()
        assert late.value.code == "57014"
        assert time.monotonic() - began < 0.9
        session.rollback()
        tables.reset()


@pytest.fixture
def kept(database: PostgresDatabase) -> Iterator[tuple[PostgresScenario, PostgresScenarioSession]]:
    with database.scenario(ITEMS) as tables:
        assert isinstance(tables, PostgresScenario)
        with contextlib.closing(tables.session()) as session:
            session.keep_plans()
            yield tables, session


def ran(session: PostgresScenarioSession, *statements: str) -> list[StatementAnswer]:
    session.begin("read committed")
    answers = [session.run(each, {}) for each in statements]
    session.commit()
    return answers


def test_a_session_that_was_lost_is_told_by_its_next_request(
    kept: tuple[PostgresScenario, PostgresScenarioSession],
) -> None:
    tables, session = kept
    ran(session, "SELECT 1")
    tables.query(f"SELECT pg_terminate_backend({session.pid}, 5000)")
    tables.reset()
    with pytest.raises(SessionError) as lost:
        session.begin("read committed")
    assert lost.value.lost


def test_a_transaction_that_has_failed_keeps_nothing_from_being_planned_later(
    kept: tuple[PostgresScenario, PostgresScenarioSession],
) -> None:
    tables, session = kept
    session.begin("read committed")
    session.run("SELECT id FROM items", {})
    with pytest.raises(SessionError):
        session.run("SELECT nothing", {})
    tables.reset()
    session.rollback()
    tables.reset()
    [found] = ran(session, "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%items'")
    assert found.rows is not None
    assert found.rows.rows == (("SELECT id FROM items",),)


def test_plans_that_a_step_throws_away_are_not_missed(
    kept: tuple[PostgresScenario, PostgresScenarioSession],
) -> None:
    tables, session = kept
    count = "SELECT count(*) FROM items"
    for _ in range(2):
        ran(session, count)
        tables.reset()
    for _ in range(2):
        _, counted = ran(session, "DEALLOCATE ALL", count)
        assert counted.rows is not None
        assert counted.rows.rows == ((2,),)
        tables.reset()


def test_a_plan_that_settings_force_is_made_under_them(database: PostgresDatabase) -> None:
    """Also on another connection, and not by a setting of one transaction alone."""
    rows = ("INSERT INTO items SELECT number, 0 FROM generate_series(1, 2000) AS number", "ANALYZE items")
    shown = "EXPLAIN EXECUTE txfuzz_{}"
    plan = "SELECT n FROM items WHERE id = 7"
    named = f"SELECT name FROM pg_prepared_statements WHERE statement = '{plan}'"
    with database.scenario((ITEMS[0], *rows)) as tables, contextlib.closing(tables.session()) as session:
        session.settle(("SET enable_indexscan = off", "SET enable_bitmapscan = off"))
        session.keep_plans()
        for another in ("SELECT 1", "SELECT set_config('x.y', '1', false)"):
            ran(session, another)
            tables.reset()
            ran(session, plan)
            tables.reset()
            ran(session, "SET LOCAL enable_indexscan = on", plan)
            tables.reset()
            ran(session, plan)
            [name] = ran(session, named)
            assert name.rows is not None
            [explained] = ran(session, shown.format(str(name.rows.rows[0][0]).removeprefix("txfuzz_")))
            assert explained.rows is not None
            assert "Seq Scan" in str(explained.rows.rows), explained.rows.rows
