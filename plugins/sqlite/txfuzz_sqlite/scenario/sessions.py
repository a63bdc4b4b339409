"""Sessions on a scenario's tables: our own, and connections that somebody else uses."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from txfuzz.plugin_api import Cell, Outcome, Rows, SessionError, StatementAnswer, level_among

from ..codes import MISUSE, code_of, name_of, outcome_of
from ..options import READ_UNCOMMITTED, SHARED_CACHE, SqliteOptions
from .lock_waits import LockUser, LockWaits

Result = TypeVar("Result")


class SqliteScenarioSession:
    """See txfuzz.plugin_api.ScenarioSession."""

    def __init__(self, connection: sqlite3.Connection, waits: LockWaits, options: SqliteOptions) -> None:
        self._connection, self._options = connection, options
        self.locks = LockUser(connection, waits)
        self._closed = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        if read_only or deferrable:
            raise SessionError(Outcome.BUG, MISUSE, "SQLite has no READ ONLY or DEFERRABLE transactions")
        if self._options.mode == SHARED_CACHE:
            self._run(read_uncommitted(isolation, self._options), {})
        self._run(f"BEGIN {self._options.begin.upper()}", {})

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        return self._run(sql, arguments)

    def commit(self) -> None:
        self._run("COMMIT", {}, committing=True)

    def rollback(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self.locks.run(lambda: self._connection.execute("ROLLBACK"), "ROLLBACK")

    def cancel(self) -> None:
        with self._guard, contextlib.suppress(sqlite3.Error):
            self.locks.cancel()
            if not self._closed:
                self._connection.interrupt()

    def close(self) -> None:
        self.cancel()
        with self._guard, contextlib.suppress(sqlite3.Error):
            self._closed = True
            self.locks.close()

    def _run(self, sql: str, arguments: Mapping[str, Cell], *, committing: bool = False) -> StatementAnswer:
        try:
            return self.locks.run(lambda: answer(self._connection.execute(sql, arguments)), sql)
        except sqlite3.Error as error:
            still_open = not self._closed and self._connection.in_transaction
            raise session_error(
                error, committing=committing, still_open=still_open, lost=self._closed
            ) from None


class SqliteAdoptedSession:
    """connection: sqlite3's. It waits where its own time-out says so, but here; see
    txfuzz.plugin_api.AdoptedSession."""

    def __init__(self, connection: sqlite3.Connection, waits: LockWaits, options: SqliteOptions) -> None:
        self._connection, self._options = connection, options
        self._level = ""
        self._patience = self._pragma("busy_timeout")  # in milliseconds
        self._pragma("busy_timeout = 0")
        self.locks = LockUser(connection, waits, patient=self._patience != 0)

    def begin_at(self, isolation: str) -> None:
        """Only connections that share a cache have a choice."""
        shared = self._options.mode == SHARED_CACHE
        if shared and isolation != self._level and not self._connection.in_transaction:
            self._pragma(read_uncommitted(isolation, self._options).removeprefix("PRAGMA "))
            self._level = isolation

    def run(self, call: Callable[[], Result], statement: str) -> Result:
        return self.locks.run(call, statement)

    def code(self, error: BaseException) -> str:
        return name_of(error) if isinstance(error, sqlite3.Error) else ""

    def leave(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._pragma(f"busy_timeout = {self._patience}")
            if self._level:
                self._pragma("read_uncommitted = 0")

    def cancel(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.locks.cancel()
            self._connection.interrupt()

    def _pragma(self, what: str) -> int:
        cursor = sqlite3.Cursor(self._connection)  # whatever the user's own has become
        cursor.row_factory = None
        row = cursor.execute(f"PRAGMA {what}").fetchone()
        return int(row[0]) if row else 0


def answer(cursor: sqlite3.Cursor) -> StatementAnswer:
    """All rows are fetched, or the statement would keep its lock."""
    if cursor.description is None:
        return StatementAnswer(changed=cursor.rowcount if cursor.rowcount >= 0 else None)
    return StatementAnswer(Rows(tuple(str(each[0]) for each in cursor.description), tuple(cursor.fetchall())))


def read_uncommitted(isolation: str, options: SqliteOptions) -> str:
    level = level_among(isolation, options.promises, "SQLite has no isolation level")
    return f"PRAGMA read_uncommitted = {int(level == READ_UNCOMMITTED)}"


def session_error(
    error: sqlite3.Error, *, committing: bool = False, still_open: bool = False, lost: bool = False
) -> SessionError:
    outcome = outcome_of(code_of(error), committing=committing, still_open=still_open)
    return SessionError(outcome, name_of(error), " ".join(str(error).split()), lost=lost)
