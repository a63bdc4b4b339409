"""Tables of the user's own design in SQLite: who waits, who is refused at once, and what is restored."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from txfuzz.database.api import SessionError
from txfuzz.database.scenario import ScenarioTables
from txfuzz.testing.sessions import Later
from txfuzz_sqlite.adapter import SqliteAdapter

LEVEL = "serializable"
SETUP = (
    "PRAGMA foreign_keys = ON",
    "CREATE TABLE t (k INTEGER PRIMARY KEY, v int)",
    "INSERT INTO t VALUES (1, 0), (2, 0)",
    "CREATE TABLE child (t int REFERENCES t, word text)",
)
READ = "SELECT * FROM t"
WRITE = "UPDATE t SET v = v + 1 WHERE k = 1"


def refused(tables: ScenarioTables, *statements: str, first: str, second: str = "") -> str:
    """The code by which the second session is refused at once, after the first one has run its own."""
    one, two = tables.session(), tables.session()
    one.begin(LEVEL)
    one.run(first, {})
    two.begin(LEVEL)
    for statement in statements[:-1]:
        two.run(statement, {})
    if second:
        one.run(second, {})
        one.commit()
    with pytest.raises(SessionError) as caught:
        two.run(statements[-1], {})
    for each in (one, two):
        each.rollback()
        each.close()
    assert caught.value.code in tables.retried
    return caught.value.code


@pytest.mark.parametrize("mode", ["wal", "rollback-journal"])
def test_what_waiting_cannot_mend_is_refused_at_once(mode: str) -> None:
    with SqliteAdapter(mode=mode).open(None) as database, database.scenario(SETUP) as tables:  # type: ignore[attr-defined]
        assert refused(tables, READ, WRITE, first=WRITE) == "SQLITE_BUSY"
        if mode == "wal":
            assert refused(tables, READ, WRITE, first=READ, second=WRITE) == "SQLITE_BUSY_SNAPSHOT"


def test_commit_waits_for_readers_and_new_readers_for_the_commit() -> None:
    with (
        SqliteAdapter(mode="rollback-journal").open(None) as database,
        database.scenario(SETUP) as tables,  # type: ignore[attr-defined]
    ):
        reader, writer, late = (tables.session() for _ in range(3))
        for each in (reader, writer, late):
            each.begin(LEVEL)
        reader.run(READ, {})
        writer.run(WRITE, {})
        commit = Later(writer.commit)
        assert not commit.done(0.05)
        assert tables.waiting((reader, writer, late)) == {1: frozenset({0})}
        look = Later(lambda: late.run(READ, {}))
        assert not look.done(0.05)
        assert tables.waiting((reader, writer, late)) == {1: frozenset({0}), 2: frozenset({0, 1})}
        reader.commit()
        commit.result("COMMIT")
        found = look.result("a read").rows
        assert found is not None
        assert found.rows == ((1, 1), (2, 0))
        for each in (reader, writer, late):
            each.close()


def test_the_schema_and_what_hangs_on_it_are_restored() -> None:
    with SqliteAdapter().open(None) as database, database.scenario(SETUP) as tables:  # type: ignore[attr-defined]
        session = tables.session()
        with pytest.raises(SessionError, match="FOREIGN KEY"):  # as the setup has it
            session.run("INSERT INTO child VALUES (7, 'x')", {})
        before = tables.tables()
        for statement in ("DROP TABLE child", "CREATE TABLE more (k int)", "DELETE FROM t"):
            session.run(statement, {})
        tables.reset()
        assert tables.tables() == before
        session.run("INSERT INTO child VALUES (1, 'x')", {})
        session.close()
        tables.reset()
        assert tables.facts().generated == {"t.k": "t.k", "child.t": "t.k"}


def test_the_users_own_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.db"
    with sqlite3.connect(file) as theirs:
        theirs.execute("CREATE TABLE t (theirs int)")
    theirs.close()
    before = file.read_bytes()
    with SqliteAdapter(mode="rollback-journal").open(f"sqlite:///{file}") as database:
        with database.scenario(SETUP) as tables:  # type: ignore[attr-defined]
            assert str(tmp_path) not in tables.url()
            place = Path(tables.url().removeprefix("sqlite:///"))
            assert place.exists()
        assert not place.exists()
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_code_of_others_waits_where_its_own_timeout_would() -> None:
    with SqliteAdapter().open(None) as database, database.scenario(SETUP) as tables:  # type: ignore[attr-defined]
        holder = tables.session()
        holder.begin(LEVEL)
        holder.run(WRITE, {})
        path = tables.url().removeprefix("sqlite:///")

        def write(timeout: float) -> int:
            connection = sqlite3.connect(path, timeout=timeout)
            adopted = tables.adopt(connection)
            try:
                return adopted.run(lambda: connection.execute(WRITE), WRITE).rowcount
            finally:
                connection.close()

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write(0)
        call = Later(lambda: write(5))
        assert not call.done(0.05)
        holder.commit()
        assert call.result("a write whose lock was released") == 1
        holder.close()


def test_a_session_that_is_closed_under_a_call_ends_it() -> None:
    with SqliteAdapter().open(None) as database, database.scenario(SETUP) as tables:  # type: ignore[attr-defined]
        session = tables.session()
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        call = Later(lambda: session.run(endless, {}))
        assert not call.done(0.1)
        session.close()
        with pytest.raises(SessionError):
            call.result("a call that was interrupted")
