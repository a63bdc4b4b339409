"""Who waits for whom is also told where the server's own functions miss it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import psycopg
import pytest

from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.lock_waits import LockWaits

pytestmark = pytest.mark.server
SETUP = ("CREATE TABLE a (k int PRIMARY KEY, v int)", "INSERT INTO a VALUES (1, 0)")
SERIALIZABLE = "BEGIN ISOLATION LEVEL SERIALIZABLE"


@pytest.fixture
def connections() -> Iterator[list[psycopg.Connection]]:
    """Two to the same database, and one to ask with."""
    with ExitStack() as stack:
        database = stack.enter_context(PostgresAdapter().open(None))
        assert isinstance(database, PostgresDatabase)
        url = str(stack.enter_context(database.scenario(SETUP)).url())
        yield [stack.enter_context(psycopg.connect(url, autocommit=True)) for _ in range(3)]


@pytest.mark.parametrize("before", [True, False], ids=["after a transaction that is kept", "alone"])
def test_a_wait_for_a_safe_snapshot(connections: list[psycopg.Connection], before: bool) -> None:
    """The server tells of none whose process has just committed a serializable transaction."""
    blocker, waiter, asking = connections
    blocker.execute(SERIALIZABLE)
    blocker.execute("SELECT v FROM a")
    if before:
        waiter.execute(SERIALIZABLE)
        waiter.execute("UPDATE a SET v = 1")
        waiter.execute("COMMIT")
    waiter.execute(f"{SERIALIZABLE} READ ONLY DEFERRABLE")
    read = threading.Thread(target=lambda: waiter.execute("SELECT v FROM a"))
    read.start()
    waits = LockWaits(lambda: asking.pgconn)
    pids = [waiter.info.backend_pid, blocker.info.backend_pid]
    end, found = time.monotonic() + 30, dict[int, frozenset[int]]()
    while not found and time.monotonic() < end:
        found = dict(waits.among(pids))
    again: Mapping[int, frozenset[int]] = waits.among(pids)
    blocker.execute("COMMIT")
    read.join()
    assert found == again == {pids[0]: frozenset({pids[1]})}
    assert waits.among(pids) == {}
