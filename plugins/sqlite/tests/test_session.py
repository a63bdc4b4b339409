"""Sessions on SQLite, and where its files are: what ends a transaction, what an error means, what stays."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raw_steps import run_raw
from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep, Outcome, Session, SessionError
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.testing.sessions import read, transact, write
from txfuzz.transactions.model import Step
from txfuzz_sqlite.adapter import SqliteAdapter
from txfuzz_sqlite.codes import outcome_of
from txfuzz_sqlite.database import SqliteDatabase
from txfuzz_sqlite.session import compile_raw

LISTS = Kind.LIST_APPEND
SERIALIZABLE = "serializable"


def prepared(url: str | None = None, **options: Any) -> SqliteDatabase:
    database = SqliteAdapter(busy_timeout_ms=50, **options).open(url)
    database.prepare(LISTS, fresh=True)
    database.insert_rows(LISTS, range(1, 4))
    return database


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    with prepared() as found:
        yield found


def refused(call: Callable[[], object]) -> SessionError:
    with pytest.raises(SessionError) as caught:
        call()
    return caught.value


def nothing_more(session: Session) -> None:
    """The transaction is over: no step runs, and COMMIT does not succeed."""
    assert refused(lambda: session.execute(write(LISTS, 3, 99))).outcome is Outcome.FAIL
    assert refused(session.commit).outcome is Outcome.FAIL
    session.rollback()


# -- what ends a transaction ------------------------------------------------------------------


def test_a_commit_that_is_refused_leaves_nothing_open() -> None:
    """COMMIT waits for a reader, returns BUSY but keeps the transaction, so it must be rolled back."""
    with prepared(mode="rollback-journal") as database:
        reader, writer = database.session(LISTS), database.session(LISTS)
        reader.begin(SERIALIZABLE)
        reader.execute(read(1))
        writer.begin(SERIALIZABLE)
        writer.execute(write(LISTS, 1, 1))
        error = refused(writer.commit)
        assert (error.outcome, error.code, error.lost) == (Outcome.FAIL, "SQLITE_BUSY", False)
        nothing_more(writer)
        reader.commit()
        assert transact(writer, SERIALIZABLE, read(1), read(3)) == [(), ()]
        reader.close()
        writer.close()


def test_a_snapshot_that_is_too_old_cannot_write(database: SqliteDatabase) -> None:
    one, two = database.session(LISTS), database.session(LISTS)
    one.begin(SERIALIZABLE)
    one.execute(read(1))
    transact(two, SERIALIZABLE, write(LISTS, 2, 5))
    assert one.execute(read(2)) == ()  # as it was when the transaction first looked
    error = refused(lambda: one.execute(write(LISTS, 1, 1)))
    assert (error.outcome, error.code) == (Outcome.FAIL, "SQLITE_BUSY_SNAPSHOT")
    nothing_more(one)
    assert transact(one, SERIALIZABLE, read(1), read(2), read(3)) == [(), (5,), ()]
    one.close()
    two.close()


@pytest.mark.parametrize("mode", ["wal", "shared-cache"])
def test_there_is_one_writer(mode: str) -> None:
    with prepared(mode=mode, begin="immediate") as database:
        one, two = database.session(LISTS), database.session(LISTS)
        one.begin(SERIALIZABLE)
        error = refused(lambda: two.begin(SERIALIZABLE))
        assert error.outcome is Outcome.FAIL
        assert error.code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
        two.rollback()
        one.commit()
        two.begin(SERIALIZABLE)
        two.rollback()
        one.close()
        two.close()


@pytest.mark.parametrize("mode", ["wal", "shared-cache"])
def test_who_holds_nothing_waits_for_a_lock(mode: str) -> None:
    with SqliteAdapter(mode=mode, busy_timeout_ms=5000).open(None) as database:
        database.prepare(LISTS, fresh=True)
        one, two = database.session(LISTS), database.session(LISTS)
        one.begin(SERIALIZABLE)
        one.execute(write(LISTS, 1, 1))
        two.begin(SERIALIZABLE)
        later = threading.Timer(0.2, one.commit)
        later.start()
        two.execute(write(LISTS, 2, 2))
        later.join()
        two.commit()
        assert transact(two, SERIALIZABLE, read(1), read(2)) == [(1,), (2,)]
        one.close()
        two.close()


def test_dirty_reads_need_a_shared_cache_and_the_pragma() -> None:
    with prepared(mode="shared-cache") as database:
        writer, reader = database.session(LISTS), database.session(LISTS)
        writer.begin(SERIALIZABLE)
        writer.execute(write(LISTS, 1, 1))
        assert transact(reader, "read uncommitted", read(1)) == [(1,)]
        reader.begin(SERIALIZABLE)
        error = refused(lambda: reader.execute(read(1)))
        assert (error.outcome, error.code) == (Outcome.FAIL, "SQLITE_LOCKED_SHAREDCACHE")
        reader.rollback()
        writer.rollback()
        assert transact(reader, SERIALIZABLE, read(1)) == [()]
        writer.close()
        reader.close()


def test_a_long_statement_can_be_broken_off(database: SqliteDatabase) -> None:
    session = database.session(LISTS)
    session.begin(SERIALIZABLE)
    session.execute(write(LISTS, 1, 1))
    threading.Timer(0.2, session.cancel).start()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    error = refused(lambda: run_raw(session, raw(endless)))
    assert (error.outcome, error.code) == (Outcome.FAIL, "SQLITE_INTERRUPT")
    nothing_more(session)
    assert transact(session, SERIALIZABLE, read(1)) == [()]
    session.close()


@pytest.mark.parametrize(
    ("code", "committing", "still_open", "outcome"),
    [
        (sqlite3.SQLITE_BUSY, False, True, Outcome.FAIL),
        (sqlite3.SQLITE_LOCKED_SHAREDCACHE, False, True, Outcome.FAIL),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, False, True, Outcome.FAIL),
        (sqlite3.SQLITE_FULL, False, False, Outcome.FAIL),
        (sqlite3.SQLITE_ERROR, False, True, Outcome.BUG),
        (sqlite3.SQLITE_CONSTRAINT_NOTNULL, False, True, Outcome.BUG),
        (sqlite3.SQLITE_BUSY, True, True, Outcome.FAIL),
        (sqlite3.SQLITE_IOERR, True, True, Outcome.FAIL),
        (sqlite3.SQLITE_IOERR, True, False, Outcome.INFO),
        (sqlite3.SQLITE_FULL, True, False, Outcome.INFO),
    ],
)
def test_codes(code: int, committing: bool, still_open: bool, outcome: Outcome) -> None:
    assert outcome_of(code, committing=committing, still_open=still_open) is outcome


# -- raw SQL ----------------------------------------------------------------------------------


def raw(sql: str, f: str | None = None, **args: int) -> BoundStep:
    """A raw step on key `k`, with the value `v` if it writes one."""
    names = tuple((name, None) for name in args)
    step = replace(Step(f, sql=sql, key_arg="k", value_arg="v"), args=names)  # type: ignore[arg-type]
    value = args.get("v") if f in ("append", "w") else None
    return BoundStep(step, f, args.get("k") if f else None, value, args)


def test_raw_steps(database: SqliteDatabase) -> None:
    session = database.session(LISTS)
    session.begin(SERIALIZABLE)
    run_raw(session, raw("SAVEPOINT here"))
    run_raw(session, raw("UPDATE {table} SET val = 'x' WHERE key = :k", k=3))
    run_raw(session, raw("ROLLBACK TO here"))
    run_raw(session, raw("UPDATE {table} SET val = val || :v || ',' WHERE key = :k", "append", k=1, v=5))
    assert run_raw(session, raw("SELECT val FROM {table} WHERE key = :k", "r", k=1)) == (5,)
    assert session.execute(read(3)) == ()
    session.commit()
    session.close()


@pytest.mark.parametrize(
    ("sql", "f", "said"),
    [
        ("SELEC 1", None, "syntax error"),
        ("SELECT elsewhere FROM {table}", None, "no such column"),
        ("COMMIT", None, "may not begin or end"),
        ("PRAGMA read_uncommitted = 1", None, "may not begin or end"),
        ("UPDATE {table} SET val = '1,' WHERE key >= :k AND :v", "append", "changed 3 rows"),
        ("DELETE FROM {table} WHERE key = :k", "r", "must return rows"),
        ("SELECT key FROM {table} WHERE key = :k", "r", "must select text"),
        ("SELECT :missing", None, "missing"),
    ],
)
def test_raw_steps_that_are_refused(database: SqliteDatabase, sql: str, f: str | None, said: str) -> None:
    session = database.session(LISTS)
    session.begin(SERIALIZABLE)
    args = {"k": 1} if f == "r" else {"k": 1, "v": 1} if f else {}
    error = refused(lambda: run_raw(session, raw(sql, f, **args)))
    assert error.outcome is Outcome.BUG
    assert said in error.message
    session.rollback()
    session.close()


def test_what_raw_statements_are() -> None:
    for sql in ("/* a */ ROLLBACK TO SAVEPOINT x", "SAVEPOINT x", "SELECT 'COMMIT'"):
        assert compile_raw(sql).sql == sql
    with pytest.raises(UsageError, match="END: a step may not"):
        compile_raw("-- well\nEND")


def test_a_transaction_goes_on_after_an_error(database: SqliteDatabase) -> None:
    session = database.session(LISTS)
    session.begin(SERIALIZABLE)
    run_raw(session, raw("SAVEPOINT here"))
    session.execute(write(LISTS, 1, 1))
    error = refused(lambda: run_raw(session, raw("INSERT INTO {table} (key, val) VALUES (:k, '')", k=1)))
    assert error.code == "SQLITE_CONSTRAINT_PRIMARYKEY"
    session.rollback_to("here")
    session.execute(write(LISTS, 1, 2))
    assert session.execute(read(1)) == (2,)
    session.commit()
    session.close()


def test_a_write_that_finds_no_row_has_done_nothing(database: SqliteDatabase) -> None:
    session = database.session(LISTS)
    session.begin(SERIALIZABLE)
    step = raw("UPDATE {table} SET val = '1,' WHERE key = :k + 90 AND :v", "append", k=1, v=1)
    assert session.execute_sql(step).count == 0
    session.commit()
    session.close()


# -- places -----------------------------------------------------------------------------------


def test_a_file_of_the_users_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a file.db"
    with sqlite3.connect(path) as mine:
        mine.execute("CREATE TABLE mine (a)")
    mine.close()
    with prepared(f"sqlite:///{tmp_path}/a%20file.db") as database:
        session = database.session(LISTS)
        transact(session, SERIALIZABLE, write(LISTS, 1, 1))
        session.close()
        assert path.with_name("a file.db-wal").exists()
        assert database.describe()["journal_mode"] == "wal"
        assert database.describe()["url"] == f"sqlite:///{path}"
    assert [each.name for each in tmp_path.iterdir()] == ["a file.db"]
    mine = sqlite3.connect(path)
    assert mine.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    assert mine.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    mine.close()


def test_a_file_that_was_not_there_goes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with prepared("sqlite:///new.db"):
        assert (tmp_path / "new.db").exists()
    assert not list(tmp_path.iterdir())


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kept.db"
    with prepared(url, keep=True, tables=2):
        pass
    with SqliteAdapter(keep=True, tables=2).open(url) as database:
        assert database.prepare(LISTS, fresh=False) == 3
    with SqliteAdapter(keep=True).open(url) as database:
        assert database.prepare(LISTS, fresh=True) == 0
    mine = sqlite3.connect(tmp_path / "kept.db")
    mine.execute("DROP TABLE txfuzz_list_append")
    mine.execute("CREATE TABLE txfuzz_list_append (a)")
    mine.commit()
    mine.close()
    with (
        SqliteAdapter(keep=True).open(url) as database,
        pytest.raises(UsageError, match="not a txfuzz table"),
    ):
        database.prepare(LISTS, fresh=False)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ada:hush@db/app", "URL looks like sqlite:///path/to/file"),
        ("sqlite://", "names a file"),
        ("sqlite:///:memory:", "names a file"),
        ("sqlite:///x?mode=ro", "takes no parameters"),
        ("sqlite:////nowhere/at/all/x.db", "there is no directory /nowhere/at/all"),
        ("sqlite:////tmp", "/tmp is a directory"),
    ],
)
def test_urls_that_cannot_be_used(url: str, said: str) -> None:
    with pytest.raises((UsageError, DatabaseUnavailable)) as caught:
        SqliteAdapter().open(url)
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("just words, and enough of them to look like a file of something" * 40)
    with pytest.raises(DatabaseUnavailable, match="file is not a database"):
        SqliteAdapter().open(f"sqlite:///{tmp_path}/text")
    assert [each.name for each in tmp_path.iterdir()] == ["text"]


KILLED = """
import os, signal
from txfuzz_sqlite.adapter import SqliteAdapter
database = SqliteAdapter().open(None)
print(database.describe()["url"], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_9_leaves_no_directory(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", KILLED],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert ran.stdout.startswith(f"sqlite:///{tmp_path}")
    until = time.monotonic() + 20
    while list(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    assert not list(tmp_path.iterdir())


def test_no_place_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(DatabaseUnavailable, match="no directory for a SQLite database"):
        SqliteAdapter().open(None)
