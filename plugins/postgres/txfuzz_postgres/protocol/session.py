"""The hot path: one libpq connection, driven by one thread, with prepared statements.

Steps run one by one (begin, execute, commit), or BEGIN and COMMIT are sent with a step (execute_with),
which halves the round trips of small transactions.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.plugin_api import Answer, BoundStep, Outcome, ReadValue, SessionError, Tables

from ..statements import begin_sql, level
from .connection import BAD, cut, request_cancel
from .micro_operations import MicroOperations, call
from .raw_sql import RawSql
from .sqlstate import IN_FAILED_TRANSACTION, INVALID_TRANSACTION
from .wire import TEXT, Wire

IDLE = int(pq.TransactionStatus.IDLE)


class PostgresSession:
    """One connection; see txfuzz.database.api.Session and .Batching.

    batch: whether execute_with() sends BEGIN and COMMIT with a step or separately.
    """

    def __init__(self, conn: PGconn, tables: Tables, write_form: str, *, batch: bool = False) -> None:
        self._conn = conn
        self._wire = Wire(conn)
        self._own = MicroOperations(self._wire, tables, write_form)
        self._raw = RawSql(self._wire, tables)
        self._batch = batch
        self._begins: dict[tuple[str, bool, bool], str] = {}  # a level and its mode → BEGIN
        self._level = ""  # of the open transaction
        self.reported_levels: set[str] = set()  # those that the server itself has confirmed
        self._open = False  # a transaction is open and has had no error
        self._cancelled = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way
        self._show_level = self._wire.prepare("SHOW transaction_isolation", 0)
        self._commit = self._wire.prepare("COMMIT", 0)
        self._rollback = self._wire.prepare("ROLLBACK", 0)

    @property
    def number(self) -> int:
        """The pid of this connection's server process."""
        return self._conn.backend_pid

    def configure(self, sql: str) -> None:
        """Apply the session's settings, outside any transaction."""
        self._wire.last(sql.encode())

    def wait_with(self, wait: Callable[[int], None]) -> None:
        """See txfuzz.database.api.Patient."""
        self._wire.wait = wait

    # -- one message per statement --------------------------------------------------------

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        sql = self._starting(isolation, read_only, deferrable)
        self._wire.run(self._wire.prepare(sql, 0), ())
        if self._level not in self.reported_levels:
            self._check_level()
        self._open = True

    def execute(self, step: BoundStep) -> ReadValue:
        self._require_open("this step")
        try:
            return self._own.run(step)
        except BaseException:
            self._open = False
            raise

    def execute_sql(self, step: BoundStep) -> Answer:
        """See txfuzz.database.api.RunsSql."""
        self._require_open("this step")
        self._open = False  # until all is well
        answer = self._raw.run(step, step.step.sql or "")
        self._open = True
        return answer

    def rollback_to(self, savepoint: str) -> None:
        """See txfuzz.database.api.GoesOn."""
        self._wire.run(self._wire.prepare(f"ROLLBACK TO SAVEPOINT {savepoint}", 0), ())
        self._open = True

    def commit(self) -> None:
        self._require_open("COMMIT")
        self._open = False
        if self._raw.ran:
            self._check_level()
        self._before_commit()
        _check_commit(self._wire.run(self._commit, (), committing=True))

    # -- several statements in one message ------------------------------------------------

    def execute_with(self, step: BoundStep, *, begin: str | None, commit: bool) -> ReadValue:
        """See txfuzz.database.api.Batching."""
        if self._batch and (commit or begin is not None) and self._may_join(begin, commit):
            return self._execute_joined(step, begin, commit)
        if begin is not None:
            self.begin(begin)
        seen = self.execute(step)
        if commit:
            self.commit()
        return seen

    def _execute_joined(self, step: BoundStep, begin: str | None, commit: bool) -> ReadValue:
        """Send BEGIN with the step's first statement and COMMIT with its last.

        COMMIT is not sent with a statement that another may have to follow.
        """
        if begin is None:
            self._require_open("this step")
            message = b""
        else:
            message = self._starting(begin).encode() + b"; "
        self._open = False  # until all is well
        *earlier, last = self._own.statements(step)
        for name in earlier:
            found = self._wire.last(message + call(name, step)).command_tuples == 1
            message = b""
            if found:
                self._open = True
                if commit:
                    self.commit()
                return None
        message += call(last, step)
        if commit:
            # What has been committed has not failed, even if the result makes no sense.
            return self._own.judge(step, self._with_commit(message), TEXT, Outcome.INFO)
        seen = self._own.judge(step, self._wire.last(message))
        self._open = True
        return seen

    def _with_commit(self, message: bytes) -> PGresult:
        """Send COMMIT after the message; the result of the statement before it."""
        self._before_commit()
        *_, result, committed = self._wire.all(message + b"; COMMIT")
        _check_commit(committed)
        return result

    # -- beginnings and ends --------------------------------------------------------------

    def _starting(self, isolation: str, read_only: bool = False, deferrable: bool = False) -> str:
        """The statement that begins a transaction."""
        if self._open:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, "a transaction is already open")
        mode = isolation, read_only, deferrable
        sql = self._begins.get(mode)
        if sql is None:
            sql = begin_sql(level(isolation), read_only=read_only, deferrable=deferrable)
            self._begins[mode] = sql
        self._level = isolation
        self._raw.ran = False
        self._cancelled = False
        return sql

    def _may_join(self, begin: str | None, commit: bool) -> bool:
        """Not if the level has yet to be checked."""
        if begin is not None:
            return begin in self.reported_levels
        return not (commit and self._raw.ran)

    def _check_level(self) -> None:
        """Promises are checked at the level that the server itself reports for the transaction."""
        said = self._wire.run(self._show_level, ()).get_value(0, 0) or b""
        if said.decode() != level(self._level):
            message = f"the transaction runs at {said.decode()!r}, not at {level(self._level)!r}"
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, message)
        self.reported_levels.add(self._level)

    def _require_open(self, what: str) -> None:
        if not self._open:
            raise SessionError(Outcome.FAIL, IN_FAILED_TRANSACTION, f"the transaction ended before {what}")

    def _before_commit(self) -> None:
        """Called just before COMMIT is sent, alone or with a step."""
        if self._conn.status == BAD:
            raise self._wire.lost("the connection was lost before COMMIT", committing=False)

    def rollback(self) -> None:
        self._open = False
        conn = self._conn
        if conn.status != BAD and conn.transaction_status != IDLE:
            # If that fails, connection and transaction are lost; the next begin() will fail.
            with contextlib.suppress(SessionError):
                self._wire.run(self._rollback, ())

    def cancel(self) -> None:
        """Ask the server to cancel; if that fails, or the second time, cut the connection."""
        with self._guard:
            if self._conn.status == BAD:
                return
            asked, self._cancelled = self._cancelled, True
            if asked or not request_cancel(self._conn):
                cut(self._conn)

    def close(self) -> None:
        with self._guard:
            self._open = False
            self._conn.finish()


def _check_commit(result: PGresult) -> None:
    if result.command_status != b"COMMIT":
        raise SessionError(Outcome.FAIL, IN_FAILED_TRANSACTION, "the server answered COMMIT with ROLLBACK")
