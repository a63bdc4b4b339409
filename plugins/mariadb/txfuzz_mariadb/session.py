"""The hot path: one connection, driven by one thread, a message for each statement."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

from txfuzz.plugin_api import (
    TEXT_DECODERS,
    WRITE_FUNCTION,
    BoundStep,
    Outcome,
    ReadValue,
    SessionError,
    Tables,
    UsageError,
)
from txfuzz.plugin_api import (
    Answer as SqlAnswer,
)

from .codes import DEADLOCK, NO_ROW, NOT_IN_TRANSACTION, SYNTAX_ERROR, WRONG_TYPE
from .connection import FAILURES, Answer, Link, session_error
from .levels import level
from .raw_steps import RawSteps
from .statements import ON_DUPLICATE_KEY, read_sql, write_sql

# MySQL and late MariaDB call it transaction_isolation, early MariaDB tx_isolation.
_SHOW_LEVEL = "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')"


class MariadbSession:
    """One connection; see txfuzz.database.api.Session.

    kill: asks the server to break off what the connection with this thread id runs.
    """

    def __init__(self, link: Link, tables: Tables, write_form: str, kill: Callable[[int], bool]) -> None:
        self._link = link
        self._tables = tables
        self._write_form = write_form
        self._kill = kill
        self._decode = TEXT_DECODERS[tables.kind]
        self._raw = RawSteps(self._run, lambda: link.in_transaction, tables)
        self._own: dict[tuple[str | None, str | None, int], tuple[str, ...]] = {}
        self._level = ""  # that of the connection's next transaction
        self.reported_levels: set[str] = set()  # those that the server itself has said it is at
        self._open = False  # a transaction is open and no error has been met in it
        self._begun = False  # the server may have one open
        self._cancelled = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way

    @property
    def thread_id(self) -> int:
        """The server's number of this connection, by which its tables name it."""
        return self._link.thread_id

    @property
    def usable(self) -> bool:
        return self._link.open

    # -- the port -------------------------------------------------------------------------

    def begin(self, isolation: str, *, read_only: bool = False) -> None:
        if self._open:
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, "a transaction is open already")
        self._cancelled = False
        wanted = level(isolation)
        if wanted != self._level:
            self._run(f"SET SESSION TRANSACTION ISOLATION LEVEL {wanted.upper()}")
            self._level = wanted
            self._check_level()
        self._raw.ran = False
        self._begun = True
        self._run("START TRANSACTION READ ONLY" if read_only else "START TRANSACTION")
        self._open = True

    def execute(self, step: BoundStep) -> ReadValue:
        self._require_open("this step")
        self._open = False  # until all is well
        seen = self._run_own(step)
        self._open = True
        return seen

    def execute_sql(self, step: BoundStep) -> SqlAnswer:
        """See txfuzz.database.api.RunsSql."""
        self._require_open("this step")
        self._open = False  # until all is well
        answer = self._raw.run(step, step.step.sql or "")
        self._open = True
        return answer

    def rollback_to(self, savepoint: str) -> None:
        """See txfuzz.database.api.GoesOn. A deadlock has ended the transaction, savepoints and all."""
        self._run(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self._open = True

    def commit(self) -> None:
        self._require_open("COMMIT")
        self._open = False
        if self._raw.ran:
            self._check_level()
        self._before_commit()
        try:
            self._link.run("COMMIT")
        except FAILURES as error:
            raise session_error(self._link, error, committing=True) from None
        self._begun = False

    def rollback(self) -> None:
        self._open = False
        if self._begun and self._link.open:
            try:
                self._link.run("ROLLBACK")
            except FAILURES:
                self._link.close()  # and with the connection ends the transaction; the next begin() says so
        self._begun = False

    def cancel(self) -> None:
        """Ask the server to break it off; if that fails, or the second time, cut the connection."""
        with self._guard:
            if not self._link.open:
                return
            asked, self._cancelled = self._cancelled, True
            if asked or not self._kill(self.thread_id):
                self._link.cut()

    def close(self) -> None:
        with self._guard, contextlib.suppress(*FAILURES):
            self._open = False
            self._link.close()

    # -- statements -----------------------------------------------------------------------

    def _require_open(self, what: str) -> None:
        if not self._open:
            raise SessionError(Outcome.FAIL, str(DEADLOCK), f"the transaction ended before {what}")

    def _run(self, sql: str, args: Mapping[str, int] | None = None) -> Answer:
        try:
            return self._link.run(sql, args)
        except FAILURES as error:
            raise session_error(self._link, error, committing=False) from None

    def _check_level(self) -> None:
        """A promise is held against the level of the session, by the server's own word.

        A statement cannot change that of an open transaction, only those of the ones that follow.
        """
        row = self._run(_SHOW_LEVEL).row
        said = "" if row is None else str(row[1]).replace("-", " ").lower()
        if said != self._level:
            message = f"the session is at {said!r}, not at {self._level!r}"
            self._level = ""
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, message)
        self.reported_levels.add(self._level)

    def _before_commit(self) -> None:
        """COMMIT is about to be sent."""
        if not self._link.open:
            raise SessionError(Outcome.FAIL, "2006", "the connection was lost before COMMIT", lost=True)

    def _run_own(self, step: BoundStep) -> ReadValue:
        """A step that is a micro-operation."""
        assert step.key is not None
        *earlier, last = self._statements(step.f, step.step.lock, step.key % self._tables.count)
        if step.f == "r":
            answer = self._run(last, {"key": int(step.key)})
            self._check_inside()
            try:
                return self._decode(answer.row[0] if answer.row else None)
            except ValueError as error:
                raise SessionError(Outcome.BUG, WRONG_TYPE, f"key {step.key}: {error}") from None
        assert step.value is not None
        # Plain numbers: the driver writes what another kind of number says of itself.
        parameters = {"key": int(step.key), "value": int(step.value)}
        for sql in earlier:
            if self._run(sql, parameters).changed == 1:
                self._check_inside()
                return None
        # ON DUPLICATE KEY UPDATE counts a row that was there twice.
        if not 1 <= self._run(last, parameters).changed <= (2 if self._write_form == ON_DUPLICATE_KEY else 1):
            raise SessionError(Outcome.BUG, NO_ROW, f"the {step.f} to key {step.key} changed no row")
        self._check_inside()
        return None

    def _check_inside(self) -> None:
        """A statement that ran by itself has been committed by itself: that would be no fail."""
        if not self._link.in_transaction:
            message = "the server had ended the transaction before this step"
            raise SessionError(Outcome.INFO, NOT_IN_TRANSACTION, message)

    def _statements(self, f: str | None, lock: str | None, index: int) -> tuple[str, ...]:
        """A later one runs only where the one before has found no row."""
        found = self._own.get((f, lock, index))
        if found is None:
            found = self._own[f, lock, index] = self._make(
                f, lock, self._tables.qualified(index).replace("%", "%%")
            )
        return found

    def _make(self, f: str | None, lock: str | None, table: str) -> tuple[str, ...]:
        kind = self._tables.kind
        if f == "r":
            try:
                return (read_sql(table, lock),)
            except UsageError as error:
                raise SessionError(Outcome.BUG, SYNTAX_ERROR, str(error)) from None
        if f != WRITE_FUNCTION[kind]:
            message = f"a {kind.value} history has no micro-operation {f!r}"
            raise SessionError(Outcome.BUG, WRONG_TYPE, message)
        return write_sql(kind, table, self._write_form)
