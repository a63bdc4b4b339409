"""Raw SQL steps on PostgreSQL: what they result in, and what they must not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.transactions.model import Choice, NewValue, Step
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.session import PostgresSession

pytestmark = pytest.mark.server

ANY = Choice(keys=(1,))


def raw(sql: str, f: str | None = None, key: int | None = None, /, **args: int) -> BoundStep:
    named = tuple((name, NewValue() if name == "v" else ANY) for name in args)
    step = Step(f, sql=sql, args=named)
    return BoundStep(step, f, key, args=args)


def append(key: int, value: int) -> BoundStep:
    return BoundStep(Step("append"), "append", key, value)


def read(session: PostgresSession, key: int) -> ReadValue:
    return session.execute(BoundStep(Step("r"), "r", key))


READ = "SELECT val FROM {table} WHERE key = :key FOR UPDATE"
WRITE = "UPDATE {table} SET val = val || :v WHERE key = :key"


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter(tables=2).open(None) as opened:
        yield opened


@pytest.fixture
def s(database: PostgresDatabase) -> Iterator[PostgresSession]:
    database.prepare(Kind.LIST_APPEND, fresh=True)
    session = database.session(Kind.LIST_APPEND)
    session.begin("serializable")
    yield session
    session.close()


def bug(session: PostgresSession, step: BoundStep) -> SessionError:
    with pytest.raises(SessionError) as caught:
        session.execute_sql(step)
    assert caught.value.outcome is Outcome.BUG
    assert not caught.value.lost
    with pytest.raises(SessionError):
        session.commit()
    session.rollback()
    return caught.value


def cells(session: PostgresSession, step: BoundStep) -> list[Any]:
    """The first column of each row."""
    answer = session.execute_sql(step)
    return [answer.decode(row[0]) for row in answer.rows]


def test_reads_and_writes_go_to_the_table_of_the_key(s: PostgresSession) -> None:
    s.execute(append(1, 10))
    s.execute(append(2, 20))
    assert cells(s, raw(READ, "r", 1, key=1)) == [(10,)]
    assert cells(s, raw(READ, "r", 2, key=2)) == [(20,)]
    assert cells(s, raw(READ, "r", 4, key=4)) == []
    assert s.execute_sql(raw(WRITE, "append", 2, key=2, v=21)).count == 1
    assert s.execute_sql(raw(WRITE, "append", 4, key=4, v=21)).count == 0
    assert cells(s, raw(READ, "r", 2, key=2)) == [(20, 21)]
    s.commit()


def test_a_step_without_micro_operation_finds_its_table_by_its_first_argument(s: PostgresSession) -> None:
    s.execute(append(3, 10))
    s.execute_sql(raw("SELECT 1 / (SELECT count(*) FROM {table} WHERE key = :k)", k=3))
    error = bug(s, raw("LOCK TABLE {table} IN EXCLUSIVE MODE"))
    assert "needs a key" in error.message


def test_statements_without_results(s: PostgresSession) -> None:
    for sql in ("SAVEPOINT a", "SET LOCAL enable_seqscan = off", "ROLLBACK TO a", "RELEASE a"):
        assert s.execute_sql(raw(sql)).count == 0
    assert s.execute_sql(raw("LOCK TABLE {table} IN SHARE MODE", k=1)).columns == ()
    s.execute(append(1, 1))
    s.commit()


def test_columns_and_rows_are_told(s: PostgresSession) -> None:
    for key in (1, 3):
        s.execute(append(key, key))
    answer = s.execute_sql(raw("SELECT key, val FROM {table} WHERE key IN (:a, :b) ORDER BY key", a=1, b=3))
    assert answer.columns == ("key", "val")
    assert [(int(key), answer.decode(val)) for key, val in answer.rows] == [(1, (1,)), (3, (3,))]
    returned = s.execute_sql(raw("UPDATE {table} SET val = val || :v WHERE key = :k RETURNING key", k=1, v=9))
    assert (returned.count, returned.columns) == (1, ("key",))


def test_a_procedure_call_counts_no_rows(database: PostgresDatabase) -> None:
    session = database.session(Kind.LIST_APPEND)
    session.configure("CREATE PROCEDURE pg_temp.nothing() LANGUAGE sql AS 'SELECT 1'")
    session.begin("read committed")
    assert session.execute_sql(raw("CALL pg_temp.nothing()")).count is None
    session.close()


@pytest.mark.parametrize(
    ("kind", "column", "expected"),
    [
        (Kind.LIST_APPEND, "'{1,2}'::int[]", (1, 2)),
        (Kind.LIST_APPEND, "NULL::bigint[]", ()),
        (Kind.RW_REGISTER, "7::smallint", 7),
        (Kind.RW_REGISTER, "NULL::bigint", None),
    ],
)
def test_what_a_raw_read_may_select(
    database: PostgresDatabase, kind: Kind, column: str, expected: ReadValue
) -> None:
    session = database.session(kind)
    session.begin("read committed")
    assert cells(session, raw(f"SELECT {column}, 'more' AS other", "r", 1)) == [expected]
    session.close()


def test_a_read_that_selects_something_else_cannot_be_decoded(s: PostgresSession) -> None:
    with pytest.raises(ValueError, match="array of integers"):
        cells(s, raw("SELECT 'text'", "r", 1))


@pytest.mark.parametrize(
    "sql", ["COMMIT", "COMMIT AND CHAIN", "ROLLBACK", "BEGIN", "PREPARE TRANSACTION 'a'"]
)
def test_transaction_control_is_refused_before_it_happens(s: PostgresSession, sql: str) -> None:
    s.execute(append(1, 1))
    assert "may not begin or end" in bug(s, raw(sql)).message
    s.begin("serializable")
    assert read(s, 1) == ()


@pytest.mark.parametrize(
    "sql",
    [
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET LOCAL transaction_isolation = 'read committed'",
        "set /* x */ transaction_isolation to 'read committed'",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET default_transaction_isolation = 'read committed'",
        "SELECT set_config('transaction_isolation', 'read committed', true)",
        "UPDATE pg_settings SET setting = 'read committed' WHERE name = 'transaction_isolation'",
        "RESET default_transaction_isolation",
    ],
)
def test_a_level_is_not_changed_by_a_step(s: PostgresSession, sql: str) -> None:
    assert "or change its isolation" in bug(s, raw(sql)).message


def test_what_changes_no_level_may_be_set(s: PostgresSession) -> None:
    s.execute_sql(raw("SET TRANSACTION READ ONLY, DEFERRABLE"))
    assert read(s, 1) == ()
    s.commit()
    assert s.reported_levels == {"serializable"}


def test_the_level_is_asked_of_the_server_before_commit(s: PostgresSession) -> None:
    """In PostgreSQL only SET can change it; in compatible databases other statements may."""
    s.execute_sql(raw("SELECT 1"))
    s._level = "repeatable read"
    with pytest.raises(SessionError, match="runs at 'serializable', not at 'repeatable read'") as caught:
        s.commit()
    assert caught.value.outcome is Outcome.BUG
    s.rollback()


def test_modes_of_a_transaction(database: PostgresDatabase) -> None:
    session = database.session(Kind.LIST_APPEND)
    session.begin("serializable", read_only=True, deferrable=True)
    shown = session.execute_sql(
        raw("SELECT current_setting('transaction_read_only'), current_setting('transaction_deferrable')")
    )
    assert [bytes(cell) for cell in shown.rows[0]] == [b"on", b"on"]
    session.rollback()
    session.begin("serializable")
    session.execute(append(1, 1))
    session.close()


def test_a_transaction_goes_on_after_an_error(s: PostgresSession) -> None:
    s.execute(append(1, 1))
    s.execute_sql(raw("SAVEPOINT a"))
    with pytest.raises(SessionError) as caught:
        s.execute_sql(raw("INSERT INTO {table} (key) VALUES (:k)", k=1))
    assert caught.value.code == "23505"
    s.rollback_to("a")
    s.execute(append(1, 2))
    assert read(s, 1) == (1, 2)
    s.commit()


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", "42601"),
        ("SELECT nothing FROM {table}", "42703"),
        ("SELECT 1/0", "22012"),
        ("SELECT $1", "08P01"),
        ("SELECT 1; SELECT 2", "42601"),
        ("VACUUM", "25001"),
        ("-- nothing", "42601"),
        ("SELECT :unknown", "42P02"),
    ],
)
def test_sql_that_does_not_work_is_a_bug(database: PostgresDatabase, sql: str, code: str) -> None:
    session = database.session(Kind.RW_REGISTER)
    database.prepare(Kind.RW_REGISTER, fresh=False)
    session.begin("read committed")
    step = raw(sql, key=2) if "unknown" not in sql else raw(sql)
    assert bug(session, step).code == code
    session.close()


def test_copy_is_refused_and_ends_the_session(s: PostgresSession) -> None:
    with pytest.raises(SessionError, match="copy") as caught:
        s.execute_sql(raw("COPY pg_class TO STDOUT"))
    assert caught.value.lost


def test_a_deallocated_statement_is_a_bug(s: PostgresSession) -> None:
    s.execute(append(1, 1))
    s.execute_sql(raw("DEALLOCATE ALL"))
    with pytest.raises(SessionError) as caught:
        s.execute(append(1, 2))
    assert (caught.value.outcome, caught.value.code) == (Outcome.BUG, "26000")


def test_tables_of_raw_sql_land_in_our_schema(s: PostgresSession, database: PostgresDatabase) -> None:
    s.execute_sql(raw("CREATE TABLE beside (id int)"))
    s.execute_sql(raw(f"SELECT 1 FROM {database.describe()['schema']}.beside"))
    s.rollback()
