"""COMMIT against the embedded server: the one statement whose loss leaves the outcome unknown."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.transactions.model import Step
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.session import PostgresSession

pytestmark = pytest.mark.server

LISTS = Kind.LIST_APPEND
SERIALIZABLE = "serializable"


def append(key: int, value: int) -> BoundStep:
    return BoundStep(Step("append"), "append", key, value)


def read(session: PostgresSession, key: int) -> ReadValue:
    session.begin(SERIALIZABLE)
    seen = session.execute(BoundStep(Step("r"), "r", key))
    session.commit()
    return seen


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        yield opened


@pytest.fixture
def s(database: PostgresDatabase) -> Iterator[PostgresSession]:
    database.prepare(LISTS, fresh=True)
    session = database.session(LISTS)
    yield session
    session.close()


def administrator(database: PostgresDatabase) -> psycopg.Connection:
    return psycopg.connect(database._target.conninfo("test"), autocommit=True)


class Later(threading.Thread):
    """A call that blocks, made in a thread, and the error that it must end with."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._call()
        except Exception as error:
            self._error = error

    def outcome(self) -> SessionError:
        self.join(20)
        assert not self.is_alive()
        assert isinstance(self._error, SessionError)
        return self._error


def slow_commit(database: PostgresDatabase) -> None:
    """Make COMMIT of writing transactions slow, with a deferred trigger."""
    with administrator(database) as admin:
        admin.execute(
            "CREATE OR REPLACE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'"
        )
        admin.execute(
            f"CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON {database.tables(LISTS).qualified(0)} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.dawdle()"
        )


def wait_until_sleeping(database: PostgresDatabase, session: PostgresSession) -> None:
    with administrator(database) as admin:
        for _ in range(1000):
            sql = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
            if admin.execute(sql, [session.number]).fetchone():
                return
            time.sleep(0.005)
    raise AssertionError("COMMIT does not sleep")


def test_a_connection_lost_at_commit_is_info(s: PostgresSession, database: PostgresDatabase) -> None:
    slow_commit(database)
    s.begin(SERIALIZABLE)
    s.execute(append(1, 1))
    committing = Later(s.commit)
    wait_until_sleeping(database, s)
    with administrator(database) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [s.number])
    error = committing.outcome()
    assert (error.outcome, error.lost) == (Outcome.INFO, True)
    assert error.code in ("57P01", "08006")  # libpq may tell only that the line is closed
    assert error.message


def test_a_line_cut_at_commit_is_info(s: PostgresSession, database: PostgresDatabase) -> None:
    slow_commit(database)
    s.begin(SERIALIZABLE)
    s.execute(append(1, 1))
    committing = Later(s.commit)
    wait_until_sleeping(database, s)
    pid = s.number
    os.kill(pid, signal.SIGSTOP)  # so that it cannot hear of a cancellation
    s.cancel()
    s.cancel()
    error = committing.outcome()
    with administrator(database) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [pid])
    os.kill(pid, signal.SIGCONT)
    assert (error.outcome, error.lost) == (Outcome.INFO, True)


def test_a_cancelled_commit_is_fail_since_the_server_says_so(
    s: PostgresSession, database: PostgresDatabase
) -> None:
    slow_commit(database)
    s.begin(SERIALIZABLE)
    s.execute(append(1, 1))
    committing = Later(s.commit)
    wait_until_sleeping(database, s)
    s.cancel()
    error = committing.outcome()
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "57014", False)
    with pytest.raises(SessionError, match="ended before COMMIT"):
        s.commit()
    s.rollback()
    assert read(s, 1) == ()


def test_a_commit_answered_by_rollback_is_fail(s: PostgresSession) -> None:
    s.begin(SERIALIZABLE)
    s.execute(append(1, 1))
    s._conn.exec_(b"SELECT 1/0")  # behind the session's back
    with pytest.raises(SessionError) as caught:
        s.commit()
    error = caught.value
    assert error.outcome is Outcome.FAIL
    assert "ROLLBACK" in error.message
    assert read(s, 1) == ()
