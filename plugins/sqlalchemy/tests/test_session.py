"""What a session does when something has gone wrong: it neither goes on nor connects again by itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mariadb_server import needs_mariadb
from txfuzz.plugin_api import Kind, Outcome, SessionError
from txfuzz.testing.sessions import read, transact, write
from txfuzz_sqlalchemy.adapter import SqlalchemyAdapter
from txfuzz_sqlalchemy.database import SqlalchemyDatabase
from txfuzz_sqlalchemy.session import SqlalchemySession

LISTS, SERIALIZABLE = Kind.LIST_APPEND, "serializable"


def opened(url: str, **options: Any) -> SqlalchemyDatabase:
    database = SqlalchemyAdapter(**SqlalchemyAdapter.options_for(url), **options).open(url)
    assert isinstance(database, SqlalchemyDatabase)
    return database


def scalar(session: SqlalchemySession, sql: str) -> object:
    return session._connection.exec_driver_sql(sql).scalar()


def test_what_a_refused_commit_leaves_open_is_undone(tmp_path: Path) -> None:
    """Without a write-ahead log, a reader keeps a writer from committing."""
    with opened(f"sqlite:///{tmp_path / 'data'}", lock_wait_ms=20) as database:
        database.prepare(LISTS, fresh=True)
        with closing(database.session(LISTS)) as reader, closing(database.session(LISTS)) as writer:
            reader.begin(SERIALIZABLE)
            reader.execute(read(1))
            with pytest.raises(SessionError) as refused:
                transact(writer, SERIALIZABLE, write(LISTS, 1, 1))
            assert (refused.value.outcome, refused.value.code) == (Outcome.FAIL, "SQLITE_BUSY")
            writer.rollback()
            reader.rollback()
            transact(writer, SERIALIZABLE, write(LISTS, 2, 1))
            assert transact(reader, SERIALIZABLE, read(1), read(2)) == [(), (1,)]


@pytest.mark.server
def test_a_session_does_not_connect_again_by_itself(postgres: str) -> None:
    """What it would run then would be at the server's own level."""
    with opened(postgres) as database:
        database.prepare(LISTS, fresh=True)
        with closing(database.session(LISTS)) as session:
            session.begin(SERIALIZABLE)
            session.execute(read(1))
            number = scalar(session, "SELECT pg_backend_pid()")
            database.run(lambda on: on.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 5000)"))
            session.rollback()  # which finds that out
            with pytest.raises(SessionError) as lost:
                session.begin(SERIALIZABLE)
            assert (lost.value.outcome, lost.value.lost) == (Outcome.FAIL, True)


@needs_mariadb
@pytest.mark.server
def test_a_typo_is_a_bug_in_mariadb_too(mariadb: str) -> None:
    with opened(mariadb) as database, closing(database.session(LISTS)) as session:
        with pytest.raises(SessionError) as wrong, session._errors():
            scalar(session, "SELEC 1")
        assert (wrong.value.outcome, wrong.value.code) == (Outcome.BUG, "1064")
