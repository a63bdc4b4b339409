"""Raw SQL steps: tied to a micro-operation or not, and never a lie in the history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.kind import Kind
from txfuzz.workload.model import Choice, NewValue, Step
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.session import PostgresSession

pytestmark = pytest.mark.server

ANY = Choice(keys=(1,))


def raw(sql: str, f: str | None = None, key: int | None = None, /, **args: int) -> BoundStep:
    named = tuple((name, NewValue() if name == "v" else ANY) for name in args)
    step = Step(f, sql=sql, args=named)
    return BoundStep(step, f, key, args=args)


def append(key: int, value: int) -> BoundStep:
    return BoundStep(Step("append"), "append", key, value)


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
        session.execute(step)
    assert caught.value.outcome is Outcome.BUG
    assert not caught.value.lost
    with pytest.raises(SessionError):
        session.commit()
    session.rollback()
    return caught.value


def test_reads_and_writes_go_to_the_table_of_the_key(s: PostgresSession) -> None:
    s.execute(append(1, 10))
    s.execute(append(2, 20))
    assert s.execute(raw(READ, "r", 1, key=1)) == (10,)
    assert s.execute(raw(READ, "r", 2, key=2)) == (20,)
    assert s.execute(raw(READ, "r", 4, key=4)) == ()
    assert s.execute(raw(WRITE, "append", 2, key=2, v=21)) is None
    assert s.execute(raw(READ, "r", 2, key=2)) == (20, 21)
    s.commit()


def test_a_step_without_micro_operation_finds_its_table_by_its_first_argument(s: PostgresSession) -> None:
    s.execute(append(3, 10))
    s.execute(raw("SELECT 1 / (SELECT count(*) FROM {table} WHERE key = :k)", k=3))
    error = bug(s, raw("LOCK TABLE {table} IN EXCLUSIVE MODE"))
    assert "needs a key" in error.message


def test_statements_without_results(s: PostgresSession) -> None:
    for sql in ("SAVEPOINT a", "SET LOCAL enable_seqscan = off", "ROLLBACK TO a", "RELEASE a"):
        assert s.execute(raw(sql)) is None
    assert s.execute(raw("LOCK TABLE {table} IN SHARE MODE", k=1)) is None
    s.execute(append(1, 1))
    s.commit()


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
    assert session.execute(raw(f"SELECT {column}, 'more' AS other", "r", 1)) == expected
    session.close()


def test_a_write_that_changes_no_row_is_a_bug(s: PostgresSession) -> None:
    assert "changed no row" in bug(s, raw(WRITE, "append", 1, key=1, v=5)).message


def test_a_write_that_changes_several_rows_is_a_bug(s: PostgresSession) -> None:
    s.execute(append(1, 10))
    s.execute(append(3, 30))
    step = raw("UPDATE {table} SET val = val || :v", "append", 1, v=5)
    assert "changed 2 rows" in bug(s, step).message


def test_a_write_that_is_none_is_a_bug(s: PostgresSession) -> None:
    assert "changed no row" in bug(s, raw("SAVEPOINT x", "append", 1)).message


def test_a_read_that_selects_something_else_is_a_bug(s: PostgresSession) -> None:
    assert "array of integers" in bug(s, raw("SELECT 'text'", "r", 1)).message


def test_a_read_that_selects_nothing_is_a_bug(s: PostgresSession) -> None:
    assert "must return rows" in bug(s, raw("SAVEPOINT x", "r", 1)).message


@pytest.mark.parametrize(
    "sql", ["COMMIT", "COMMIT AND CHAIN", "ROLLBACK", "BEGIN", "PREPARE TRANSACTION 'a'"]
)
def test_transaction_control_is_refused_before_it_happens(s: PostgresSession, sql: str) -> None:
    s.execute(append(1, 1))
    assert "may not begin or end" in bug(s, raw(sql)).message
    s.begin("serializable")
    assert s.execute(raw(READ, "r", 1, key=1)) == ()


def test_a_write_may_not_be_undone_unseen(s: PostgresSession) -> None:
    s.execute(append(1, 1))
    s.execute(raw("SAVEPOINT a"))
    s.execute(raw("ROLLBACK TO a"))
    s.execute(append(1, 2))
    assert "would undo a write" in bug(s, raw("ROLLBACK TO a")).message


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
        s.execute(raw("COPY pg_class TO STDOUT"))
    assert caught.value.lost


def test_a_deallocated_statement_is_a_bug(s: PostgresSession) -> None:
    s.execute(append(1, 1))
    s.execute(raw("DEALLOCATE ALL"))
    with pytest.raises(SessionError) as caught:
        s.execute(append(1, 2))
    assert (caught.value.outcome, caught.value.code) == (Outcome.BUG, "26000")


def test_tables_of_raw_sql_land_in_our_schema(s: PostgresSession, database: PostgresDatabase) -> None:
    s.execute(raw("CREATE TABLE beside (id int)"))
    s.execute(raw(f"SELECT 1 FROM {database.describe()['schema']}.beside"))
    s.rollback()
