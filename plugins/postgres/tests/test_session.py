"""Sessions on the embedded server: what they see, and how every failure is classified."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from postgres_sessions import (
    COMMITTED,
    LISTS,
    SERIALIZABLE,
    SNAPSHOT,
    Later,
    administrator,
    append,
    r,
    refused,
)
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Database, Outcome, ReadValue, Session, SessionError
from txfuzz.errors import UsageError
from txfuzz.transactions.model import Step
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.session import PostgresSession

pytestmark = pytest.mark.server

REGISTERS = Kind.RW_REGISTER


def w(key: int, value: int) -> BoundStep:
    return BoundStep(Step("w"), "w", key, value)


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresDatabase]:
    with PostgresAdapter().open(None) as opened:
        yield opened


@pytest.fixture(autouse=True)
def fresh(database: PostgresDatabase) -> None:
    for kind in Kind:
        assert database.prepare(kind, fresh=True) == 0


@pytest.fixture
def sessions(database: PostgresDatabase) -> Iterator[Callable[..., PostgresSession]]:
    made: list[PostgresSession] = []

    def make(kind: Kind = LISTS) -> PostgresSession:
        made.append(database.session(kind))
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.fixture
def s(sessions: Callable[..., PostgresSession]) -> PostgresSession:
    return sessions()


def run(session: Session, *steps: BoundStep, isolation: str = SERIALIZABLE) -> list[ReadValue]:
    session.begin(isolation)
    seen = [session.execute(step) for step in steps]
    session.commit()
    return seen


def wait_until_blocked(database: PostgresDatabase, session: PostgresSession) -> None:
    with administrator(database) as admin:
        for _ in range(1000):
            row = admin.execute("SELECT cardinality(pg_blocking_pids(%s))", [session.number]).fetchone()
            if row and row[0]:
                return
            time.sleep(0.005)
    raise AssertionError("the session does not wait")


# -- what they see ------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["on-conflict", "update-else-insert"])
@pytest.mark.parametrize("tables", [1, 3])
def test_lists_and_registers(database: PostgresDatabase, form: str, tables: int) -> None:
    other = PostgresAdapter(append=form, tables=tables)
    variant = PostgresDatabase(other, database._target, database._server)
    try:
        for kind in Kind:
            variant.prepare(kind, fresh=True)
        lists, registers = variant.session(LISTS), variant.session(REGISTERS)
        seen = run(lists, r(1), append(1, 10), r(1), append(1, 11), append(2, 12), r(1), r(2), r(3))
        assert seen == [(), None, (10,), None, None, (10, 11), (12,), ()]
        assert run(registers, r(1), w(1, 10), r(1), w(1, 11), w(2, 12), r(1), r(2)) == [
            None, None, 10, None, None, 11, 12,
        ]  # fmt: skip
        assert variant.prepare(LISTS, fresh=False) == 2
        lists.close()
        registers.close()
    finally:
        variant._control.close()


def test_long_lists_and_large_values(s: PostgresSession) -> None:
    values = [2**62 + value for value in range(200)]
    run(s, *(append(2**62, value) for value in values), isolation=COMMITTED)
    assert run(s, r(2**62)) == [tuple(values)]


def test_inserted_rows_are_empty_and_may_be_written(database: PostgresDatabase, s: PostgresSession) -> None:
    database.insert_rows(LISTS, range(5, 8))
    database.insert_rows(REGISTERS, range(5, 8))
    assert database.prepare(LISTS, fresh=False) == 7
    assert run(s, r(5), append(5, 1), r(5), r(7, "update")) == [(), None, (1,), ()]


@pytest.mark.parametrize("lock", ["update", "no key update", "share", "key share"])
def test_locking_reads(
    sessions: Callable[..., PostgresSession], database: PostgresDatabase, lock: str
) -> None:
    first, second = sessions(), sessions()
    run(first, append(1, 10))
    first.begin(COMMITTED)
    assert first.execute(r(1, lock)) == (10,)
    second.begin(COMMITTED)
    waiting = Later(lambda: second.execute(r(1, "update")))
    wait_until_blocked(database, second)
    first.commit()
    waiting.join(20)
    assert waiting.error is None
    second.commit()


def test_an_unknown_lock_or_level(s: PostgresSession) -> None:
    with pytest.raises(UsageError, match="did you mean 'serializable'"):
        s.begin("serialisable")
    s.begin(SERIALIZABLE)
    error = refused(lambda: s.execute(r(1, "updat")))
    assert error.outcome is Outcome.BUG
    assert "did you mean 'update'" in error.message


def test_every_level_is_the_one_asked_for(s: PostgresSession) -> None:
    for isolation in PostgresAdapter().capabilities().isolation:
        s.begin(isolation)
        result = s._conn.exec_(b"SHOW transaction_isolation")
        assert result.get_value(0, 0) == isolation.encode()
        s.rollback()


def test_a_rolled_back_transaction_leaves_nothing(s: PostgresSession) -> None:
    s.begin(SERIALIZABLE)
    s.execute(append(1, 1))
    s.rollback()
    s.rollback()
    assert run(s, r(1)) == [()]


# -- ways to fail -------------------------------------------------------------------------


def over(session: PostgresSession) -> None:
    """After an error nothing more runs, and nothing is committed."""
    for call in (lambda: session.execute(append(99, 99)), session.commit):
        error = refused(call)
        assert error.outcome is Outcome.FAIL
    session.rollback()
    assert run(session, r(99)) == [()]


def test_a_serialization_failure_is_fail(sessions: Callable[..., PostgresSession]) -> None:
    first, second = sessions(), sessions()
    run(first, append(1, 10))
    first.begin(SNAPSHOT)
    second.begin(SNAPSHOT)
    first.execute(r(1))
    second.execute(r(1))
    first.execute(append(1, 11))
    first.commit()
    error = refused(lambda: second.execute(append(1, 12)))
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "40001", False)
    over(second)


def test_write_skew_is_refused_at_commit_or_before(sessions: Callable[..., PostgresSession]) -> None:
    first, second = sessions(), sessions()
    run(first, append(1, 10), append(2, 20))
    for session, key in ((first, 1), (second, 2)):
        session.begin(SERIALIZABLE)
        session.execute(r(1))
        session.execute(r(2))
        session.execute(append(key, 30 + key))
    first.commit()
    error = refused(second.commit)
    assert (error.outcome, error.code) == (Outcome.FAIL, "40001")
    over(second)


def test_a_deadlock_is_fail_for_one_of_two(
    sessions: Callable[..., PostgresSession], database: PostgresDatabase
) -> None:
    first, second = sessions(), sessions()
    run(first, append(1, 10), append(2, 20))
    first.begin(COMMITTED)
    second.begin(COMMITTED)
    first.execute(append(1, 11))
    second.execute(append(2, 21))
    crossing = [Later(lambda: first.execute(append(2, 12))), Later(lambda: second.execute(append(1, 22)))]
    for each in crossing:
        each.join(20)
    errors = [each.error for each in crossing]
    (victim,) = [error for error in errors if error is not None]
    assert isinstance(victim, SessionError)
    assert (victim.outcome, victim.code, victim.lost) == (Outcome.FAIL, "40P01", False)
    loser, winner = (first, second) if errors[0] else (second, first)
    over(loser)
    winner.commit()


def test_a_unique_violation_of_an_insert_is_fail(
    sessions: Callable[..., PostgresSession], database: PostgresDatabase
) -> None:
    first, second = sessions(), sessions()
    first.begin(COMMITTED)
    second.begin(COMMITTED)
    first.execute(append(1, 10))
    waiting = Later(lambda: second.execute(append(1, 20)))
    wait_until_blocked(database, second)
    first.commit()
    error = waiting.outcome()
    assert (error.outcome, error.code) == (Outcome.FAIL, "23505")
    over(second)


def test_a_connection_lost_before_commit_is_fail(s: PostgresSession, database: PostgresDatabase) -> None:
    s.begin(SERIALIZABLE)
    s.execute(append(1, 1))
    with administrator(database) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [s.number])
    error = refused(lambda: s.execute(r(1)))
    assert (error.outcome, error.lost) == (Outcome.FAIL, True)
    assert refused(s.commit).outcome is Outcome.FAIL
    s.rollback()
    error = refused(lambda: s.begin(SERIALIZABLE))
    assert (error.outcome, error.lost) == (Outcome.FAIL, True)
    s.close()
    s.close()
    s.cancel()
    assert run(database.session(LISTS), r(1)) == [()]


def test_cancel_ends_a_wait_for_a_lock(
    sessions: Callable[..., PostgresSession], database: PostgresDatabase
) -> None:
    first, second = sessions(), sessions()
    run(first, append(1, 10))
    first.begin(COMMITTED)
    first.execute(append(1, 11))
    second.begin(COMMITTED)
    waiting = Later(lambda: second.execute(append(1, 20)))
    wait_until_blocked(database, second)
    second.cancel()
    error = waiting.outcome()
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "57014", False)
    first.rollback()
    over(second)


def test_timeouts_are_fail(database: PostgresDatabase) -> None:
    hasty = PostgresAdapter(lock_timeout_ms=50, statement_timeout_ms=200)
    variant = PostgresDatabase(hasty, database._target, database._server)
    try:
        variant.prepare(LISTS, fresh=True)
        first, second = variant.session(LISTS), variant.session(LISTS)
        run(first, append(1, 10))
        first.begin(COMMITTED)
        first.execute(append(1, 11))
        second.begin(COMMITTED)
        error = refused(lambda: second.execute(append(1, 20)))
        assert (error.outcome, error.code) == (Outcome.FAIL, "55P03")
        second.rollback()
        second.begin(COMMITTED)
        sleep = BoundStep(Step(None, sql="SELECT pg_sleep(5)"), None)
        error = refused(lambda: second.execute_sql(sleep))
        assert (error.outcome, error.code) == (Outcome.FAIL, "57014")
        first.close()
        second.close()
    finally:
        variant._control.close()


def test_a_micro_operation_of_the_other_kind_is_a_bug(sessions: Callable[..., PostgresSession]) -> None:
    for kind, step in ((LISTS, w(1, 1)), (REGISTERS, append(1, 1))):
        session = sessions(kind)
        session.begin(SERIALIZABLE)
        error = refused(lambda session=session, step=step: session.execute(step))
        assert error.outcome is Outcome.BUG
        assert kind.value in error.message


def test_a_missing_table_is_a_bug(s: PostgresSession, database: PostgresDatabase) -> None:
    with administrator(database) as admin:
        admin.execute(f"DROP TABLE {database.tables(LISTS).qualified(0)}")
    s.begin(SERIALIZABLE)
    error = refused(lambda: s.execute(r(1)))
    assert (error.outcome, error.code) == (Outcome.BUG, "42P01")


def test_tables_may_be_made_anew_under_a_session(s: PostgresSession, database: PostgresDatabase) -> None:
    run(s, append(1, 1))
    database.prepare(LISTS, fresh=True)
    assert run(s, r(1), append(1, 2), r(1)) == [(), None, (2,)]


def test_the_database_satisfies_the_port(database: PostgresDatabase) -> None:
    opened: Database = database
    facts = opened.describe()
    assert facts["product"] == "PostgreSQL"
    assert facts["version"].split(".")[0].isdigit()
    assert facts["deadlock_timeout"] == "10ms"
    assert opened.warnings() == ()
