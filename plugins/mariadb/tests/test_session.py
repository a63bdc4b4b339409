"""Sessions on a real MariaDB: what ends a transaction, what an error means, raw SQL, waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mariadb_server import needs_mariadb
from raw_steps import run_raw
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Outcome, Session, SessionError
from txfuzz.testing.sessions import read, transact, write
from txfuzz.transactions.model import Step
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.database import MariadbDatabase, opened
from txfuzz_mariadb.protocol.url import Target
from txfuzz_mariadb.server.launcher import EmbeddedServer, launch

pytestmark = [needs_mariadb, pytest.mark.server]
LISTS = Kind.LIST_APPEND
REPEATABLE = "repeatable read"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with launch() as running:
        yield running


def on(server: EmbeddedServer, **options: Any) -> MariadbDatabase:
    """A new database on the running server, as by URL."""
    target = Target("mysql://here", unix_socket=str(server.socket), parameters={"user": server.user})
    return opened(MariadbAdapter(**options), target, None)


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[MariadbDatabase]:
    with on(server) as found:
        found.prepare(LISTS, fresh=True)
        found.insert_rows(LISTS, range(1, 4))
        yield found


def raw(sql: str, f: str | None = None, **args: int) -> BoundStep:
    """A raw step on key `k`, with the value `v` if it writes one."""
    names = tuple((name, None) for name in args)
    step = replace(Step(f, sql=sql, key_arg="k", value_arg="v"), args=names)  # type: ignore[arg-type]
    return BoundStep(
        step, f, args.get("k") if f else None, args.get("v") if f in ("append", "w") else None, args
    )


def refused(session: Session, step: BoundStep) -> SessionError:
    with pytest.raises(SessionError) as caught:
        session.execute(step) if step.step.sql is None else run_raw(session, step)
    return caught.value


def nothing_more(session: Session, error: SessionError, number: str) -> None:
    """The error has ended the transaction: no step runs, and COMMIT does not succeed."""
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, number, False)
    assert refused(session, write(LISTS, 3, 99)).outcome is Outcome.FAIL
    with pytest.raises(SessionError):
        session.commit()
    session.rollback()


def test_the_whole_transaction_ends_with_a_changed_record(server: EmbeddedServer) -> None:
    """Error 1020 of innodb_snapshot_isolation: earlier writes are gone, too."""
    with on(server, innodb_snapshot_isolation=True) as database:
        database.prepare(LISTS, fresh=True)
        database.insert_rows(LISTS, range(1, 4))
        one, two = database.session(LISTS), database.session(LISTS)
        one.begin(REPEATABLE)
        one.execute(read(1))
        one.execute(write(LISTS, 2, 1))
        transact(two, REPEATABLE, write(LISTS, 1, 5))
        nothing_more(one, refused(one, write(LISTS, 1, 6)), "1020")
        assert transact(two, REPEATABLE, read(1), read(2), read(3)) == [(5,), (), ()]
        assert transact(one, REPEATABLE, write(LISTS, 1, 6), read(1)) == [(5, 6)]
        one.close()
        two.close()


def test_a_deadlock_ends_one_of_two(database: MariadbDatabase) -> None:
    one, two = database.session(LISTS), database.session(LISTS)
    for session, key in ((one, 1), (two, 2)):
        session.begin(REPEATABLE)
        session.execute(write(LISTS, key, 1))
    errors: list[tuple[Session, SessionError]] = []

    def cross(session: Session, key: int) -> None:
        try:
            session.execute(write(LISTS, key, 2))
        except SessionError as error:
            errors.append((session, error))

    other = threading.Thread(target=cross, args=(one, 2))
    other.start()
    cross(two, 1)
    other.join()
    ((victim, error),) = errors
    nothing_more(victim, error, "1213")
    survivor = one if victim is two else two
    survivor.commit()
    assert transact(survivor, REPEATABLE, read(3)) == [()]
    one.close()
    two.close()


def test_a_wait_that_is_given_up_ends_the_transaction(server: EmbeddedServer) -> None:
    with on(server, lock_wait_timeout=1) as database:
        database.prepare(LISTS, fresh=True)
        database.insert_rows(LISTS, range(1, 4))
        one, two = database.session(LISTS), database.session(LISTS)
        one.begin(REPEATABLE)
        one.execute(write(LISTS, 1, 1))
        two.begin(REPEATABLE)
        two.execute(write(LISTS, 2, 2))
        nothing_more(two, refused(two, write(LISTS, 1, 2)), "1205")
        one.commit()
        assert transact(two, REPEATABLE, read(1), read(2), read(3)) == [(1,), (), ()]
        one.close()
        two.close()


def test_a_connection_that_the_server_ends_is_lost(database: MariadbDatabase) -> None:
    one, two = database.session(LISTS), database.session(LISTS)
    one.begin(REPEATABLE)
    one.execute(write(LISTS, 1, 1))
    two.begin(REPEATABLE)
    run_raw(two, raw(f"KILL CONNECTION {one.number}"))
    two.commit()
    error = refused(one, write(LISTS, 2, 1))
    assert error.outcome is Outcome.FAIL  # COMMIT was never sent
    assert error.lost
    one.rollback()
    with pytest.raises(SessionError):
        one.begin(REPEATABLE)
    one.close()
    assert transact(two, REPEATABLE, read(1), read(2)) == [(), ()]
    two.close()


def test_the_level_is_that_of_the_transaction(database: MariadbDatabase) -> None:
    session = database.session(LISTS)
    other = database.session(LISTS)
    for level, sees in ((REPEATABLE, ()), ("read committed", (7,)), (REPEATABLE, (7,))):
        session.begin(level)
        session.execute(read(1))
        if level == REPEATABLE and sees == ():
            transact(other, "serializable", write(LISTS, 1, 7))
        assert session.execute(read(1)) == sees
        session.commit()
    session.close()
    other.close()


def test_locking_reads_lock(database: MariadbDatabase) -> None:
    one, two = database.session(LISTS), database.session(LISTS)
    for session in (one, two):
        session.begin("read committed")
        assert session.execute(read(1, "share")) == ()
    waits = threading.Thread(target=lambda: two.execute(read(1, "update")))
    waits.start()
    told: Any = {}
    while not told:
        told = database.waiting([one, two])  # type: ignore[attr-defined]
    assert told == {1: frozenset({0})}
    one.commit()
    waits.join()
    two.commit()
    one.close()
    two.close()


# -- raw SQL ------------------------------------------------------------------------------


def test_raw_steps(database: MariadbDatabase) -> None:
    session = database.session(LISTS)
    session.begin(REPEATABLE)
    assert run_raw(session, raw("SELECT val FROM {table} WHERE key = :k FOR UPDATE", "r", k=1)) == ()
    run_raw(session, raw("SAVEPOINT here"))
    run_raw(session, raw("UPDATE {table} SET val = 'x' WHERE key = :k", k=3))
    run_raw(session, raw("ROLLBACK TO SAVEPOINT here"))
    upsert = (
        "INSERT INTO {table} (key, val) VALUES (:k, CONCAT(:v, ',')) "
        "ON DUPLICATE KEY UPDATE val = CONCAT(val, :v, ',')"
    )
    run_raw(session, raw(upsert, "append", k=1, v=5))
    run_raw(session, raw(upsert, "append", k=9, v=6))
    assert session.execute(read(1)) == (5,)
    assert session.execute(read(9)) == (6,)
    assert session.execute(read(3)) == ()
    session.commit()
    session.close()


@pytest.mark.parametrize(
    ("sql", "f", "said"),
    [
        ("SELEC 1", None, "syntax"),
        ("SELECT nothing FROM {table}", None, "nothing"),
        ("CREATE TABLE txfuzz_other (id INT)", None, "ended its transaction"),
        ("COMMIT", None, "may not begin or end"),
        ("UPDATE {table} SET val = '1,' WHERE key >= :k AND :v", "append", "changed 3 rows"),
        ("DELETE FROM {table} WHERE key = :k", "r", "must return rows"),
        ("SELECT key FROM {table} WHERE key = :k", "r", "must select text"),
    ],
)
def test_raw_steps_that_are_refused(database: MariadbDatabase, sql: str, f: str | None, said: str) -> None:
    session = database.session(LISTS)
    session.begin(REPEATABLE)
    args = {"k": 1} if f == "r" else {"k": 1, "v": 1} if f else {}
    error = refused(session, raw(sql, f, **args))
    assert error.outcome is Outcome.BUG
    assert said in error.message
    session.rollback()
    session.close()


def test_a_transaction_goes_on_after_an_error(database: MariadbDatabase) -> None:
    session = database.session(LISTS)
    session.begin(REPEATABLE)
    run_raw(session, raw("SAVEPOINT here"))
    session.execute(write(LISTS, 1, 1))
    error = refused(session, raw("INSERT INTO {table} (key, val) VALUES (:k, '')", k=1))
    assert (error.outcome, error.code) == (Outcome.FAIL, "1062")
    session.rollback_to("here")
    session.execute(write(LISTS, 1, 2))
    assert session.execute(read(1)) == (2,)
    session.commit()
    session.close()


def test_a_write_that_finds_no_row_has_done_nothing(database: MariadbDatabase) -> None:
    session = database.session(LISTS)
    session.begin(REPEATABLE)
    step = raw("UPDATE {table} SET val = '1,' WHERE key = :k + 90 AND :v", "append", k=1, v=1)
    assert session.execute_sql(step).count == 0
    session.commit()
    session.close()


def test_a_read_only_transaction_does_not_write(database: MariadbDatabase) -> None:
    session = database.session(LISTS)
    session.begin(REPEATABLE, read_only=True)
    assert session.execute(read(1)) == ()
    assert refused(session, write(LISTS, 1, 1)).code == "1792"
    session.rollback()
    session.begin(REPEATABLE)
    session.execute(write(LISTS, 1, 1))
    session.commit()
    assert session.reported_levels == {REPEATABLE}
    session.close()


def test_the_level_is_asked_of_the_server_before_commit(database: MariadbDatabase) -> None:
    session = database.session(LISTS)
    session.begin(REPEATABLE)
    session.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")  # as a procedure could
    run_raw(session, raw("SELECT 1"))
    with pytest.raises(SessionError, match="runs at 'read committed', not at 'repeatable read'"):
        session.commit()
    session.rollback()
    session.begin(REPEATABLE)
    assert session._level == REPEATABLE
    session.close()
