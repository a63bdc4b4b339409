"""Tables that the user designed, in a database of ours; see txfuzz.plugin_api.ScenarioTables."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from txfuzz.plugin_api import AdoptedSession, Closeable, ColumnFacts, Rows, ScenarioSession, run_setup

from ..files import DatabaseFile
from ..options import JOURNAL_MODE, SqliteOptions
from .lock_waits import LockWaits
from .schema import quoted, read_facts, read_tables
from .sessions import SqliteAdoptedSession, SqliteScenarioSession, answer, session_error

Result = TypeVar("Result")
PATIENCE = 2.0  # seconds that we wait for a lock that somebody's own code has left behind
RETRIED = frozenset(
    {
        "SQLITE_BUSY",
        "SQLITE_BUSY_RECOVERY",
        "SQLITE_BUSY_SNAPSHOT",
        "SQLITE_BUSY_TIMEOUT",
        "SQLITE_LOCKED",
        "SQLITE_LOCKED_SHAREDCACHE",
    }
)
CONSTRAINTS = frozenset(
    {
        "SQLITE_CONSTRAINT",
        "SQLITE_CONSTRAINT_CHECK",
        "SQLITE_CONSTRAINT_DATATYPE",
        "SQLITE_CONSTRAINT_FOREIGNKEY",
        "SQLITE_CONSTRAINT_NOTNULL",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "SQLITE_CONSTRAINT_ROWID",
        "SQLITE_CONSTRAINT_UNIQUE",
    }
)
# Settings of a connection, not of the database: as the setup leaves them, every session has them
_INHERITED = ("foreign_keys", "recursive_triggers", "ignore_check_constraints")


class SqliteScenario(Closeable):
    """Made by SqliteDatabase.scenario(). file: a new one of ours, which is removed on close()."""

    retried = RETRIED
    constraints = CONSTRAINTS

    def __init__(self, file: DatabaseFile, options: SqliteOptions, setup: Sequence[str]) -> None:
        self._file, self._options = file, options
        self._waits = LockWaits()
        self._kept = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._control = self._connect(PATIENCE)
        try:
            if (mode := JOURNAL_MODE.get(options.mode)) is not None:
                self._control.execute(f"PRAGMA journal_mode = {mode}")
            run_setup(setup, lambda each: _checked(lambda: self._control.execute(each).fetchall()))
            if self._control.in_transaction:
                _checked(self._control.commit)
            self.keep()
        except BaseException:
            self.close()
            raise

    def _connect(self, seconds: float) -> sqlite3.Connection:
        made = sqlite3.connect(
            self._file.uri, seconds, isolation_level=None, check_same_thread=False, uri=True
        )
        made.execute(f"PRAGMA synchronous = {self._options.synchronous or 'off'}")
        return made

    def close(self) -> None:
        self._control.close()
        self._kept.close()
        if self._file.path is not None:
            self._file.remove()
        self._file.close()

    def facts(self) -> ColumnFacts:
        return self._facts

    def url(self) -> str:
        if self._file.path is not None:
            return f"sqlite:///{self._file.path}"
        return f"sqlite:///{self._file.uri}&uri=true"

    # -- rows ---------------------------------------------------------------------------------

    def keep(self) -> None:
        _checked(self._keep)

    def _keep(self) -> None:
        self._control.backup(self._kept)
        self._shown = read_tables(self._control)
        self._facts = read_facts(self._control)
        self._version = self._changes()

    def _changes(self) -> int:
        """Another number after every commit of another connection."""
        return int(self._control.execute("PRAGMA data_version").fetchone()[0])

    def reset(self) -> None:
        """Page by page: row numbers, sequences and all that belongs to the schema with them."""
        _checked(self._restore)

    def _restore(self) -> None:
        if self._changes() == self._version:
            return
        until = time.monotonic() + PATIENCE

        def give_up(status: int, remaining: int, total: int) -> None:
            if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > until:
                raise sqlite3.OperationalError(
                    "the rows cannot be restored, because a transaction is still open"
                )

        self._kept.backup(self._control, progress=give_up, sleep=0.002)
        self._version = self._changes()

    def tables(self) -> Mapping[str, Rows]:
        return {
            table: self.query(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)}")
            for table, columns in self._shown.items()
        }

    def query(self, sql: str) -> Rows:
        found = _checked(lambda: answer(self._control.execute(sql)))
        return found.rows or Rows((), ())

    # -- sessions -----------------------------------------------------------------------------

    def session(self) -> SqliteScenarioSession:
        made = self._connect(0.0)
        for name in _INHERITED:
            value = self._control.execute(f"PRAGMA {name}").fetchone()
            if value is not None:
                made.execute(f"PRAGMA {name} = {int(value[0])}")
        return SqliteScenarioSession(made, self._waits, self._options)

    def adopt(self, connection: Any) -> SqliteAdoptedSession:
        return SqliteAdoptedSession(connection, self._waits, self._options)

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        ours = SqliteScenarioSession | SqliteAdoptedSession
        places = [at for at, each in enumerate(sessions) if isinstance(each, ours)]
        users = [each.locks for each in sessions if isinstance(each, ours)]
        return {
            places[at]: frozenset(places[other] for other in others)
            for at, others in self._waits.among(users).items()
        }


class SqliteExistingTables(SqliteScenario):
    """Made by SqliteAdapter.existing(). file: the user's own."""

    def __init__(self, file: DatabaseFile, options: SqliteOptions) -> None:
        self._file, self._options = file, options
        self._waits = LockWaits()
        self._control = self._connect(PATIENCE)
        self.keep()

    def keep(self) -> None:
        self._shown = read_tables(self._control)
        self._facts = read_facts(self._control)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        self._control.close()


def _checked(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except sqlite3.Error as error:
        raise session_error(error) from None
