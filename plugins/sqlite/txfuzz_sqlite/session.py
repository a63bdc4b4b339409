"""One connection of the library's, driven by one thread."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Mapping

from txfuzz.plugin_api import (
    TEXT_DECODERS,
    WRITE_FUNCTION,
    BoundStep,
    Outcome,
    ReadValue,
    SessionError,
    Tables,
)
from txfuzz.plugin_api import (
    Answer as SqlAnswer,
)

from .codes import code_of, is_locked, name_of, outcome_of
from .modes import READ_UNCOMMITTED, level
from .raw_steps import MISUSE, Answer, RawSteps
from .statements import read_sql, write_sql

PAUSE = 0.0005  # seconds between two looks at a lock
TURN = 1e-5  # seconds, as if a server were asked: the other clients get their turn


class SqliteSession:
    """See txfuzz.database.api.Session. begins: how a transaction begins, as in BEGIN IMMEDIATE."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        tables: Tables,
        *,
        mode: str,
        begins: str,
        write_form: str,
        busy_seconds: float,
    ) -> None:
        self._conn = conn
        self._tables = tables
        self._mode = mode
        self._begin = f"BEGIN {begins.upper()}"
        self._write_form = write_form
        self._busy_seconds = busy_seconds
        self._decode = TEXT_DECODERS[tables.kind]
        self._raw = RawSteps(self._run, tables)
        self._own: dict[tuple[str | None, int], tuple[str, ...]] = {}
        self._level = ""
        self._open = False  # a transaction is open and no error has been met in it
        self._touched = False  # it has read or written something, and may hold locks
        self._cancelled = False
        self._closed = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way

    # -- the port -------------------------------------------------------------------------

    def begin(self, isolation: str) -> None:
        if self._open:
            raise SessionError(Outcome.BUG, MISUSE, "a transaction is open already")
        wanted = level(self._mode, isolation)
        if wanted != self._level:
            self._run(f"PRAGMA read_uncommitted = {int(wanted == READ_UNCOMMITTED)}")
            self._level = wanted
        self._raw.ran = False
        self._touched = self._cancelled = False
        self._run(self._begin)
        self._open = True

    def execute(self, step: BoundStep) -> ReadValue:
        time.sleep(TURN)
        self._require_open("this step")
        self._open = False  # until all is well
        if step.step.lock is not None:
            raise SessionError(Outcome.BUG, MISUSE, f"SQLite has no locking read {step.step.lock!r}")
        seen = self._run_own(step)
        self._check_inside(step)
        return seen

    def execute_sql(self, step: BoundStep) -> SqlAnswer:
        """See txfuzz.database.api.RunsSql."""
        time.sleep(TURN)
        self._require_open("this step")
        self._open = False  # until all is well
        answer = self._raw.run(step, step.step.sql or "")
        self._check_inside(step)
        return answer

    def rollback_to(self, savepoint: str) -> None:
        """See txfuzz.database.api.GoesOn."""
        self._run(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self._open = True

    def _check_inside(self, step: BoundStep) -> None:
        if not self._conn.in_transaction:
            raise SessionError(Outcome.BUG, MISUSE, f"the step ended its transaction: {step.step.sql}")
        self._open = self._touched = True

    def commit(self) -> None:
        time.sleep(TURN)
        self._require_open("COMMIT")
        self._open = False
        self._run("COMMIT", committing=True)

    def rollback(self) -> None:
        """A COMMIT that was refused has left the transaction open, too."""
        self._open = False
        with contextlib.suppress(sqlite3.Error):
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")

    def cancel(self) -> None:
        """A statement is broken off at once; who waits for a lock ends with busy_timeout_ms at the latest."""
        with self._guard, contextlib.suppress(sqlite3.Error):
            self._cancelled = True
            if not self._closed:
                self._conn.interrupt()

    def close(self) -> None:
        with self._guard, contextlib.suppress(sqlite3.Error):
            self._open = False
            self._closed = True
            self._conn.close()

    # -- statements -----------------------------------------------------------------------

    def _require_open(self, what: str) -> None:
        if not self._open or not self._conn.in_transaction:
            self._open = False
            raise SessionError(Outcome.FAIL, MISUSE, f"the transaction ended before {what}")

    def _run(self, sql: str, args: Mapping[str, int] | None = None, *, committing: bool = False) -> Answer:
        try:
            return self._patiently(sql, args or {})
        except sqlite3.Error as error:
            still_open = not self._closed and self._conn.in_transaction
            outcome = outcome_of(code_of(error), committing=committing, still_open=still_open)
            message = " ".join(str(error).split())
            raise SessionError(outcome, name_of(error), message, lost=self._closed) from None

    def _patiently(self, sql: str, args: Mapping[str, int]) -> Answer:
        """Wait for another connection as SQLite does between files: where we hold nothing ourselves.

        Between the connections of a shared cache it leaves the waiting to us.
        """
        until = time.monotonic() + self._busy_seconds
        while True:
            try:
                cursor = self._conn.execute(sql, args)
                # All rows, else the statement would go on holding its lock.
                columns = tuple(str(each[0]) for each in cursor.description or ())
                return Answer(columns, cursor.fetchall(), cursor.rowcount)
            except sqlite3.Error as error:
                patient = is_locked(error) and not (self._touched or self._cancelled or self._closed)
                if not patient or time.monotonic() > until:
                    raise
                time.sleep(PAUSE)

    def _run_own(self, step: BoundStep) -> ReadValue:
        """A step that is a micro-operation."""
        assert step.key is not None
        *earlier, last = self._statements(step.f, step.key % self._tables.count)
        if step.f == "r":
            answer = self._run(last, {"key": step.key})
            try:
                return self._decode(answer.first)
            except ValueError as error:
                raise SessionError(Outcome.BUG, "SQLITE_MISMATCH", f"key {step.key}: {error}") from None
        assert step.value is not None
        parameters = {"key": step.key, "value": step.value}
        for sql in earlier:
            if self._run(sql, parameters).changed == 1:
                return None
        if self._run(last, parameters).changed != 1:
            raise SessionError(Outcome.BUG, MISUSE, f"the {step.f} to key {step.key} changed no row")
        return None

    def _statements(self, f: str | None, index: int) -> tuple[str, ...]:
        """A later one runs only where the one before has found no row."""
        found = self._own.get((f, index))
        if found is None:
            table, kind = self._tables.name(index), self._tables.kind
            if f not in ("r", WRITE_FUNCTION[kind]):
                message = f"a {kind.value} history has no micro-operation {f!r}"
                raise SessionError(Outcome.BUG, "SQLITE_MISMATCH", message)
            found = (read_sql(table),) if f == "r" else write_sql(kind, table, self._write_form)
            self._own[f, index] = found
        return found
