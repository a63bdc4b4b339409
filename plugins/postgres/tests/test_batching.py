"""BEGIN and COMMIT in one message with a step: the same results, and errors on a live connection."""

from __future__ import annotations

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
    at_commit,
    over,
    r,
    refused,
    run,
    wait_until,
)
from txfuzz.database.api import BoundStep, Outcome
from txfuzz.transactions.model import Choice, Step
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.session import PostgresSession
from txfuzz_postgres.protocol.values import FROM_TEXT

pytestmark = pytest.mark.server

FORMS = ("on-conflict", "update-else-insert")


@pytest.fixture(scope="module")
def databases() -> Iterator[dict[str, PostgresDatabase]]:
    with PostgresAdapter(append="on-conflict").open(None) as first:
        second = PostgresDatabase(PostgresAdapter(), first._target, first._server)
        yield {"on-conflict": first, "update-else-insert": second}
        second._control.close()


@pytest.fixture(params=FORMS)
def database(request: pytest.FixtureRequest, databases: dict[str, PostgresDatabase]) -> PostgresDatabase:
    databases[request.param].prepare(LISTS, fresh=True)
    return databases[request.param]


@pytest.fixture
def upserting(databases: dict[str, PostgresDatabase]) -> PostgresDatabase:
    """With appends in one statement, which COMMIT can be sent with."""
    databases["on-conflict"].prepare(LISTS, fresh=True)
    return databases["on-conflict"]


@pytest.fixture
def sessions() -> Iterator[Callable[[PostgresDatabase], PostgresSession]]:
    made: list[PostgresSession] = []

    def make(database: PostgresDatabase) -> PostgresSession:
        made.append(database.session(LISTS))
        return made[-1]

    yield make
    for session in made:
        session.close()


# -- the same results ---------------------------------------------------------------------


def test_reads_and_writes(database: PostgresDatabase, sessions: Callable[..., PostgresSession]) -> None:
    s = sessions(database)
    assert run(s, append(1, 10)) == [None]
    assert run(s, r(1)) == [(10,)]
    assert run(s, r(1), append(1, 11), r(1), append(2, 20)) == [(10,), None, (10, 11), None]
    assert run(s, append(1, 12), r(1)) == [None, (10, 11, 12)]
    assert run(s, r(2), r(3)) == [(20,), ()]


def test_every_step_sees_the_level_asked_for(upserting: PostgresDatabase) -> None:
    first, second = upserting.session(LISTS), upserting.session(LISTS)
    for isolation, seen in ((COMMITTED, (7,)), (SNAPSHOT, ())):
        upserting.prepare(LISTS, fresh=True)
        assert first.execute_with(r(1), begin=isolation, commit=False) == ()
        run(second, append(1, 7))
        assert first.execute_with(r(1), begin=None, commit=True) == seen
    first.close()
    second.close()


@pytest.mark.parametrize("size", [80, 200, 2000, 30_000])
def test_lists_of_any_length_come_with_commit(upserting: PostgresDatabase, size: int) -> None:
    """Short results arrive in one piece with those after them, long ones in several."""
    with administrator(upserting) as admin:
        table = upserting.tables(LISTS).qualified(0)
        admin.execute(f"INSERT INTO {table} SELECT 1, array_agg(n) FROM generate_series(1, {size}) AS n")
    s = upserting.session(LISTS)
    for _ in range(3):
        assert run(s, r(1)) == [tuple(range(1, size + 1))]
        assert run(s, r(2), r(1), append(3, 1), r(1))[-1] == tuple(range(1, size + 1))
    s.close()


def test_a_transaction_takes_as_many_messages_as_steps(
    upserting: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = upserting.session(LISTS)
    run(s, r(1))  # the server is asked for the level of the first transaction
    sent: list[str] = []
    for name in ("run", "last", "all"):
        whole = getattr(s._wire, name)
        monkeypatch.setattr(
            s._wire, name, lambda *args, name=name, whole=whole: (sent.append(name), whole(*args))[1]
        )
    run(s, r(1))
    run(s, r(1), append(1, 1))
    run(s, r(1), r(2), append(1, 2))
    assert sent == ["all", "last", "all", "last", "run", "all"]
    s.close()


def test_without_batch_every_statement_has_its_message(databases: dict[str, PostgresDatabase]) -> None:
    adapter = PostgresAdapter(append="on-conflict", batch=False)
    first = databases["on-conflict"]
    variant = PostgresDatabase(adapter, first._target, first._server)
    variant.prepare(LISTS, fresh=True)
    s = variant.session(LISTS)
    assert run(s, append(1, 1), r(1)) == [None, (1,)]
    assert s._conn.transaction_status == 0
    s.close()
    variant._control.close()


def test_raw_statements_travel_alone(upserting: PostgresDatabase) -> None:
    s = upserting.session(LISTS)
    sql = "SELECT val FROM {table} WHERE key = :key FOR UPDATE"
    step = Step("r", sql=sql, args=(("key", Choice((1,))),), key_arg="key")
    raw = BoundStep(step, "r", 1, args={"key": 1})
    s.begin("serializable")
    assert s.execute_sql(raw).rows == []
    s.execute_with(append(1, 1), begin=None, commit=True)
    s.begin("serializable")
    (row,) = s.execute_sql(raw).rows
    assert FROM_TEXT[LISTS](row[0]) == (1,)
    assert s.execute_with(r(1), begin=None, commit=True) == (1,)
    s.close()


# -- errors on a live connection ----------------------------------------------------------


def test_a_serialization_failure_at_the_first_step(
    database: PostgresDatabase, sessions: Callable[..., PostgresSession]
) -> None:
    first, second = sessions(database), sessions(database)
    run(first, append(1, 10))
    first.execute_with(append(1, 11), begin=SNAPSHOT, commit=False)
    waiting = Later(lambda: second.execute_with(append(1, 12), begin=SNAPSHOT, commit=False))
    wait_until(database, second, "Lock")
    first.commit()
    error = waiting.outcome()
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "40001", False)
    over(second)


def test_a_serialization_failure_at_the_last_step_commits_nothing(
    database: PostgresDatabase, sessions: Callable[..., PostgresSession]
) -> None:
    first, second = sessions(database), sessions(database)
    run(first, append(1, 10))
    second.execute_with(append(2, 20), begin=SNAPSHOT, commit=False)
    run(first, append(1, 11))
    error = refused(lambda: second.execute_with(append(1, 12), begin=None, commit=True))
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "40001", False)
    over(second)
    assert run(first, r(1), r(2)) == [(10, 11), ()]


def test_write_skew_is_refused(database: PostgresDatabase, sessions: Callable[..., PostgresSession]) -> None:
    first, second = sessions(database), sessions(database)
    run(first, append(1, 10), append(2, 20))
    for session in (first, second):
        session.execute_with(r(1), begin=SERIALIZABLE, commit=False)
        session.execute_with(r(2), begin=None, commit=False)
    first.execute_with(append(1, 31), begin=None, commit=True)
    error = refused(lambda: second.execute_with(append(2, 32), begin=None, commit=True))
    assert (error.outcome, error.code) == (Outcome.FAIL, "40001")
    over(second)
    assert run(first, r(1), r(2)) == [(10, 31), (20,)]


@pytest.mark.parametrize("last", [r(1), append(2, 2)], ids=["read", "append"])
def test_a_commit_that_fails_is_fail(
    database: PostgresDatabase, sessions: Callable[..., PostgresSession], last: BoundStep
) -> None:
    at_commit(database, "RAISE EXCEPTION SQLSTATE '40001'")
    s = sessions(database)
    s.execute_with(append(1, 1), begin=SERIALIZABLE, commit=False)
    error = refused(lambda: s.execute_with(last, begin=None, commit=True))
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "40001", False)
    over(s)
    assert run(s, r(1), r(2)) == [(), ()]


def test_a_whole_transaction_in_one_message_that_fails(
    database: PostgresDatabase, sessions: Callable[..., PostgresSession]
) -> None:
    at_commit(database, "RAISE EXCEPTION SQLSTATE '40001'")
    s = sessions(database)
    error = refused(lambda: run(s, append(1, 1)))
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "40001", False)
    s.rollback()
    assert run(s, r(1)) == [()]


def test_a_cancelled_commit_is_fail(upserting: PostgresDatabase) -> None:
    at_commit(upserting, "PERFORM pg_sleep(30)")
    s = upserting.session(LISTS)
    committing = Later(lambda: run(s, r(1), append(1, 1)))
    wait_until(upserting, s, "PgSleep")
    s.cancel()
    error = committing.outcome()
    assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "57014", False)
    over(s)
    s.close()


def test_a_bug_is_a_bug_in_any_message(upserting: PostgresDatabase) -> None:
    s = upserting.session(LISTS)
    wrong = BoundStep(Step("w"), "w", 1, 1)
    for begin, commit in ((SERIALIZABLE, False), (SERIALIZABLE, True)):
        assert (
            refused(lambda b=begin, c=commit: s.execute_with(wrong, begin=b, commit=c)).outcome is Outcome.BUG
        )
        s.rollback()
    run(s, r(1), append(1, 1))  # prepares both
    with administrator(upserting) as admin:
        admin.execute(f"DROP TABLE {upserting.tables(LISTS).qualified(0)}")
    for commit in (False, True):
        error = refused(lambda c=commit: s.execute_with(r(1), begin=SERIALIZABLE, commit=c))
        assert (error.outcome, error.code) == (Outcome.BUG, "42P01")
        s.rollback()
    assert s._conn.transaction_status == 0
    s.close()


def test_what_was_committed_without_sense_is_unknown(upserting: PostgresDatabase) -> None:
    """A trigger swallows the append, and COMMIT was sent with it: neither fail nor ok."""
    with administrator(upserting) as admin:
        admin.execute(
            "CREATE OR REPLACE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'"
        )
        admin.execute(
            f"CREATE TRIGGER swallow BEFORE INSERT ON {upserting.tables(LISTS).qualified(0)} "
            "FOR EACH ROW EXECUTE FUNCTION public.swallow()"
        )
    s = upserting.session(LISTS)
    error = refused(lambda: run(s, r(1), append(1, 1)))
    assert (error.outcome, error.code) == (Outcome.INFO, "02000")
    error = refused(lambda: run(s, append(1, 1), r(1)))
    assert (error.outcome, error.code) == (Outcome.BUG, "02000")
    s.close()
