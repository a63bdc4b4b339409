"""Sessions of PostgreSQL in tests: steps, transactions in as few messages as possible, calls that block."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.transactions.model import Step
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.session import PostgresSession

LISTS = Kind.LIST_APPEND
SERIALIZABLE, SNAPSHOT, COMMITTED = "serializable", "repeatable read", "read committed"


def r(key: int, lock: str | None = None) -> BoundStep:
    return BoundStep(Step("r", lock=lock), "r", key)


def append(key: int, value: int) -> BoundStep:
    return BoundStep(Step("append"), "append", key, value)


def run(session: PostgresSession, *steps: BoundStep, isolation: str = SERIALIZABLE) -> list[ReadValue]:
    last = len(steps) - 1
    return [
        session.execute_with(step, begin=None if at else isolation, commit=at == last)
        for at, step in enumerate(steps)
    ]


def refused(call: Callable[[], object]) -> SessionError:
    with pytest.raises(SessionError) as caught:
        call()
    return caught.value


class Later(threading.Thread):
    """A blocking call in a thread, and the error that it ended with."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._call()
        except Exception as error:
            self.error = error

    def outcome(self) -> SessionError:
        self.join(20)
        assert not self.is_alive()
        assert isinstance(self.error, SessionError)
        return self.error


def administrator(database: PostgresDatabase) -> psycopg.Connection:
    return psycopg.connect(database._target.conninfo("test"), autocommit=True)


def at_commit(database: PostgresDatabase, body: str) -> None:
    """From now on, COMMIT of a transaction that has inserted rows runs this in a deferred trigger."""
    with administrator(database) as admin:
        admin.execute(
            "CREATE OR REPLACE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN {body}; RETURN NULL; END$$"
        )
        admin.execute(
            f"CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON {database.tables(LISTS).qualified(0)} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.at_commit()"
        )


def wait_until(database: PostgresDatabase, session: PostgresSession, event: str) -> None:
    """Until the session's server process waits for this."""
    with administrator(database) as admin:
        for _ in range(1000):
            sql = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND %s IN (wait_event, wait_event_type)"
            if admin.execute(sql, [session.number, event]).fetchone():
                return
            time.sleep(0.005)
    raise AssertionError(f"the session does not wait for {event}")


def over(session: PostgresSession) -> None:
    """After an error nothing more runs in the transaction, and the next transaction is a new one."""
    error = refused(lambda: session.execute_with(append(99, 99), begin=None, commit=True))
    assert (error.outcome, error.code) == (Outcome.FAIL, "25P02")
    session.rollback()
    assert run(session, r(99)) == [()]
