"""BEGIN and COMMIT in one message with a step: the same answers, and never a wrong outcome."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from txfuzz.analysis.analyze import analyze_history
from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.execution.run import execute
from txfuzz.history.model import INFO
from txfuzz.history.reading import read_history
from txfuzz.kind import Kind
from txfuzz.workload.model import Choice, Ref, Scheduling, Step, Transaction, Weight, Workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.session import PostgresSession

pytestmark = pytest.mark.server

LISTS = Kind.LIST_APPEND
SERIALIZABLE, SNAPSHOT, COMMITTED = "serializable", "repeatable read", "read committed"
FORMS = ("on-conflict", "update-else-insert")


def r(key: int) -> BoundStep:
    return BoundStep(Step("r"), "r", key)


def append(key: int, value: int) -> BoundStep:
    return BoundStep(Step("append"), "append", key, value)


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
    """Where an append is one statement, which COMMIT can go with."""
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
    """A call that blocks, made in a thread, and the error that it ended with."""

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
    """From now on COMMIT of a transaction that has inserted runs this, in a deferred trigger."""
    with administrator(database) as admin:
        admin.execute(
            "CREATE OR REPLACE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN {body}; RETURN NULL; END$$"
        )
        admin.execute(
            f"CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON {database._tables(LISTS).qualified(0)} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.at_commit()"
        )


def wait_until(database: PostgresDatabase, session: PostgresSession, event: str) -> None:
    """Until the session's server process waits for this."""
    with administrator(database) as admin:
        for _ in range(1000):
            sql = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND %s IN (wait_event, wait_event_type)"
            if admin.execute(sql, [session.backend_pid, event]).fetchone():
                return
            time.sleep(0.005)
    raise AssertionError(f"the session does not wait for {event}")


def over(session: PostgresSession) -> None:
    """After an error nothing runs in the transaction any more, and the next one is a new one."""
    error = refused(lambda: session.execute_with(append(99, 99), begin=None, commit=True))
    assert (error.outcome, error.code) == (Outcome.FAIL, "25P02")
    session.rollback()
    assert run(session, r(99)) == [()]


# -- the same answers ---------------------------------------------------------------------


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
    """Short answers arrive in one piece with those after them, long ones in several."""
    with administrator(upserting) as admin:
        table = upserting._tables(LISTS).qualified(0)
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
    assert run(s, raw, append(1, 1)) == [(), None]
    assert run(s, r(1), raw) == [(1,), (1,)]
    s.close()


# -- errors while the connection lives ----------------------------------------------------


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
        admin.execute(f"DROP TABLE {upserting._tables(LISTS).qualified(0)}")
    for commit in (False, True):
        error = refused(lambda c=commit: s.execute_with(r(1), begin=SERIALIZABLE, commit=c))
        assert (error.outcome, error.code) == (Outcome.BUG, "42P01")
        s.rollback()
    assert s._conn.transaction_status == 0
    s.close()


def test_what_was_committed_without_sense_is_unknown(upserting: PostgresDatabase) -> None:
    """A trigger swallows the append, and COMMIT has gone with it: no fail, no ok."""
    with administrator(upserting) as admin:
        admin.execute(
            "CREATE OR REPLACE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'"
        )
        admin.execute(
            f"CREATE TRIGGER swallow BEFORE INSERT ON {upserting._tables(LISTS).qualified(0)} "
            "FOR EACH ROW EXECUTE FUNCTION public.swallow()"
        )
    s = upserting.session(LISTS)
    error = refused(lambda: run(s, r(1), append(1, 1)))
    assert (error.outcome, error.code) == (Outcome.INFO, "02000")
    error = refused(lambda: run(s, append(1, 1), r(1)))
    assert (error.outcome, error.code) == (Outcome.BUG, "02000")
    s.close()


# -- a connection that is lost ------------------------------------------------------------


@pytest.mark.parametrize("last", [r(1), append(2, 2)], ids=["read", "append"])
def test_a_server_process_that_ends_at_commit_is_info(upserting: PostgresDatabase, last: BoundStep) -> None:
    at_commit(upserting, "PERFORM pg_sleep(30)")
    s = upserting.session(LISTS)
    committing = Later(lambda: run(s, append(1, 1), last))
    wait_until(upserting, s, "PgSleep")
    with administrator(upserting) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [s.backend_pid])
    error = committing.outcome()
    assert (error.outcome, error.lost) == (Outcome.INFO, True)
    s.close()


def test_a_line_cut_at_commit_is_info(upserting: PostgresDatabase) -> None:
    at_commit(upserting, "PERFORM pg_sleep(30)")
    s = upserting.session(LISTS)
    committing = Later(lambda: run(s, r(1), append(1, 1)))
    wait_until(upserting, s, "PgSleep")
    pid = s.backend_pid
    os.kill(pid, signal.SIGSTOP)  # so that it cannot hear of a cancellation
    s.cancel()
    s.cancel()
    error = committing.outcome()
    with administrator(upserting) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [pid])
    os.kill(pid, signal.SIGCONT)
    assert (error.outcome, error.lost) == (Outcome.INFO, True)
    s.close()


@pytest.mark.parametrize(("how", "happened"), [(socket.SHUT_RD, True), (socket.SHUT_RDWR, False)])
def test_both_ways_to_cut_a_commit_are_info(upserting: PostgresDatabase, how: int, happened: bool) -> None:
    s, other = upserting.session(LISTS), upserting.session(LISTS)
    s.execute_with(r(1), begin=SERIALIZABLE, commit=False)
    s.cut_next_commit(how)  # type: ignore[attr-defined]
    error = refused(lambda: s.execute_with(append(1, 1), begin=None, commit=True))
    assert (error.outcome, error.lost) == (Outcome.INFO, True)
    s.close()
    wanted = (1,) if happened else ()
    for _ in range(200):
        if (seen := run(other, r(1))[0]) == wanted:
            break
        time.sleep(0.01)
    assert seen == wanted
    other.close()


def test_a_connection_lost_before_the_last_step_is_sent_is_fail(upserting: PostgresDatabase) -> None:
    s = upserting.session(LISTS)
    s.execute_with(append(1, 1), begin=SERIALIZABLE, commit=False)
    with administrator(upserting) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [s.backend_pid])
    error = refused(lambda: s.execute_with(r(1), begin=None, commit=False))
    assert (error.outcome, error.lost) == (Outcome.FAIL, True)
    error = refused(lambda: s.execute_with(r(1), begin=SERIALIZABLE, commit=True))
    assert (error.outcome, error.lost) == (Outcome.FAIL, True)
    s.close()


def test_nobody_else_stands_still_while_commit_takes_long(upserting: PostgresDatabase) -> None:
    """A notice that goes out ahead of the answers must not make us wait with the interpreter's lock."""
    at_commit(upserting, "RAISE NOTICE 'slowly'; PERFORM pg_sleep(0.5)")
    s = upserting.session(LISTS)
    committing = Later(lambda: run(s, append(1, 1), r(1)))
    ticks = 0
    while committing.is_alive():
        time.sleep(0.01)
        ticks += 1
    assert committing.error is None
    assert ticks > 10
    s.close()


# -- whole runs ---------------------------------------------------------------------------

KEYS = (1, 2, 3)
WORKLOAD = Workload(
    "w",
    (
        Transaction("add", (Step("r", Choice(KEYS, "k")), Step("append", Ref("k")))),
        Transaction("look", (Step("append", Choice(KEYS)), Step("r", Choice(KEYS)))),
        Transaction("one", (Step("append", Choice(KEYS)),)),
    ),
    (Weight("add", 1), Weight("look", 1), Weight("one", 1)),
    scheduling=Scheduling(clients=6, transactions=1500),
)


def test_a_run_under_contention_keeps_its_promise(database: PostgresDatabase, tmp_path: Path) -> None:
    summary = execute(WORKLOAD, database, tmp_path / "h.edn", isolation=SERIALIZABLE)
    history = read_history(tmp_path / "h.edn")
    assert summary.ok + summary.fail == 1500
    assert summary.fail > 10
    assert analyze_history(history, "serializable").verdict.value == "valid"


def test_commits_cut_in_a_run_are_unknown_and_no_lie(upserting: PostgresDatabase, tmp_path: Path) -> None:
    ended = threading.Event()

    def cut() -> None:
        from random import Random

        chance = Random(1)
        while not ended.wait(0.02):
            upserting.injector().cut_commits(2, chance)

    cutting = threading.Thread(target=cut, daemon=True)
    cutting.start()
    summary = execute(WORKLOAD, upserting, tmp_path / "h.edn", isolation=SERIALIZABLE)
    ended.set()
    cutting.join()
    history = read_history(tmp_path / "h.edn")
    assert summary.info > 0
    assert (history.type == INFO).sum() == summary.info
    assert analyze_history(history, "strict-serializable").verdict.value == "valid"
