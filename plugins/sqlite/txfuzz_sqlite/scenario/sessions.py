"""Sessions on a scenario's tables: our own, and connections that somebody else uses."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from txfuzz.plugin_api import (
    Begin,
    Cell,
    Commit,
    Outcome,
    Request,
    Rollback,
    Rows,
    Run,
    SessionError,
    StatementAnswer,
    level_among,
)

from ..codes import MISUSE, code_of, name_of, outcome_of
from ..options import READ_UNCOMMITTED, SHARED_CACHE, SqliteOptions
from .lock_waits import LockUser, LockWaits

Result = TypeVar("Result")
LONGEST_STATEMENT = 5.0  # seconds; as long as a schedule may take
_LOOK_EVERY = 1_000_000  # instructions of SQLite's machine: a few hundredths of a second


class SqliteScenarioSession:
    """See txfuzz.plugin_api.AnswersLater. What is asked is done at once, in the thread that asks; where it
    has to wait for a lock, it is tried again by whoever asks for the answer."""

    def __init__(self, connection: sqlite3.Connection, waits: LockWaits, options: SqliteOptions) -> None:
        self._connection, self._options = connection, options
        self.locks = LockUser(connection, waits)
        self._closed = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way
        self._answer: StatementAnswer | None = None
        self._committing = False
        self._until = math.inf  # when what was asked is broken off, which nobody else could do
        self._broken_off: sqlite3.Error | None = None
        connection.set_progress_handler(self._takes_too_long, _LOOK_EVERY)

    # -- requests -----------------------------------------------------------------------------

    def ask(self, request: Request, along: int = 0) -> None:
        """See txfuzz.plugin_api.AnswersLater."""
        sql = "COMMIT"
        arguments: Mapping[str, Cell] = {}
        match request:
            case Begin():
                sql = self._beginning(request.isolation, request.read_only, request.deferrable)
            case Run():
                sql, arguments = request.sql, request.arguments
            case Rollback():
                self.rollback()
                self._answer = StatementAnswer()
                return
        self._answer, self._committing, self._broken_off = None, isinstance(request, Commit), None
        self._until = time.monotonic() + LONGEST_STATEMENT
        self.locks.start(lambda: answer(self._connection.execute(sql, arguments)), sql)
        self._try()

    def answered(self) -> StatementAnswer | None:
        if self._answer is None:
            self._try()
        return self._answer

    def fileno(self) -> None:
        return None

    def _try(self) -> None:
        if self._broken_off is not None:  # only now is it known to have been cancelled
            if self.locks.cancelled:
                raise self._failed(self._broken_off, committing=self._committing)
            return
        try:
            found = self.locks.tried()
        except sqlite3.Error as error:
            if code_of(error) == sqlite3.SQLITE_INTERRUPT and time.monotonic() > self._until:
                self._broken_off = error
                return
            raise self._failed(error, committing=self._committing) from None
        if isinstance(found, StatementAnswer):
            self._answer = found

    def _takes_too_long(self) -> bool:
        return time.monotonic() > self._until

    # -- the same at once ---------------------------------------------------------------------

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        self._run(self._beginning(isolation, read_only, deferrable), {})

    def _beginning(self, isolation: str, read_only: bool, deferrable: bool) -> str:
        if read_only or deferrable:
            raise SessionError(Outcome.BUG, MISUSE, "SQLite has no READ ONLY or DEFERRABLE transactions")
        if self._options.mode == SHARED_CACHE:
            self._run(read_uncommitted(isolation, self._options), {})
        return f"BEGIN {self._options.begin.upper()}"

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
        self._until = math.inf
        try:
            return self.locks.run(lambda: answer(self._connection.execute(sql, arguments)), sql)
        except sqlite3.Error as error:
            raise self._failed(error, committing=committing) from None

    def _failed(self, error: sqlite3.Error, *, committing: bool) -> SessionError:
        still_open = not self._closed and self._connection.in_transaction
        return session_error(error, committing=committing, still_open=still_open, lost=self._closed)


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
