"""The hot path: one libpq connection, driven by one thread, with prepared statements.

Steps run one by one (begin, execute, commit), or BEGIN and COMMIT are sent with a step (execute_with),
which halves the round trips of small transactions.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.plugin_api import (
    BoundStep,
    Kind,
    Outcome,
    ReadValue,
    SessionCodes,
    SessionError,
    SqlSession,
    StatementResult,
    Tables,
)

from ..statements import begin_sql, compile_raw, level, read_form_sql, read_sql, write_sql
from .connection import BAD, cut, request_cancel
from .sqlstate import (
    DATATYPE_MISMATCH,
    IN_FAILED_TRANSACTION,
    INVALID_TRANSACTION,
    NO_DATA,
    NOT_REPLICATED,
    SYNTAX_ERROR,
    UNDEFINED_PARAMETER,
)
from .values import FROM_TEXT, list_from_binary
from .wire import BINARY, TEXT, Wire

IDLE = int(pq.TransactionStatus.IDLE)
IN_TRANSACTION = int(pq.TransactionStatus.INTRANS)


class PostgresSession(SqlSession):
    """One connection; see txfuzz.plugin_api.Session and .Batching.

    batch: whether execute_with() sends BEGIN and COMMIT with a step or separately. on_standby: where every
    transaction must be READ ONLY. waits_for_standbys: COMMIT waits for them; a wait that is cancelled ends
    with a warning and a COMMIT that standbys may not have.
    """

    codes = SessionCodes(
        ended=IN_FAILED_TRANSACTION,
        not_allowed=INVALID_TRANSACTION,
        syntax=SYNTAX_ERROR,
        wrong_type=DATATYPE_MISMATCH,
        no_row=NO_DATA,
        unbound=UNDEFINED_PARAMETER,
    )
    compile_raw = staticmethod(compile_raw)
    read_sql = staticmethod(read_sql)

    def __init__(
        self,
        conn: PGconn,
        tables: Tables,
        write_form: str,
        *,
        batch: bool = False,
        on_standby: bool = False,
        waits_for_standbys: bool = False,
    ) -> None:
        super().__init__(tables)
        self._conn = conn
        self._wire = Wire(conn)
        self._decode = FROM_TEXT[tables.kind]
        self._write_form = write_form
        self._batch = batch
        self.on_standby = on_standby
        self._waits_for_standbys = waits_for_standbys
        self._begins: dict[tuple[str, bool, bool], str] = {}  # a level and its mode → BEGIN
        self._level = ""  # of the open transaction
        self.reported_levels: set[str] = set()  # those that the server itself has confirmed
        self._cut: int | None = None  # see cut_next_commit()
        self._cancelled = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way
        self._show_level = self._wire.prepare("SHOW transaction_isolation", 0)
        self._commit = self._wire.prepare("COMMIT", 0)
        self._rollback = self._wire.prepare("ROLLBACK", 0)

    @property
    def number(self) -> int:
        """The pid of this connection's server process."""
        return self._conn.backend_pid

    @property
    def usable(self) -> bool:
        return self._conn.status != BAD

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

    def commit(self) -> None:
        self.require_open("COMMIT")
        self._open = False
        if self._raw_ran:
            self._check_level()
        self._before_commit()
        self._check_commit(self._wire.run(self._commit, (), committing=True))

    # -- statements -----------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        return self._conn.transaction_status == IN_TRANSACTION

    def require_open(self, what: str) -> None:
        """Without asking libpq: no micro-operation can end the transaction unnoticed."""
        if not self._open:
            raise SessionError(Outcome.FAIL, IN_FAILED_TRANSACTION, f"the transaction ended before {what}")

    def write_sql(self, table: str) -> tuple[str, ...]:
        return write_sql(self._tables.kind, table, self._write_form)

    def form_sql(self, f: str, table: str, form: str, lock: str | None) -> tuple[str, ...]:
        if f == "r":
            return (read_form_sql(table, form, lock),)
        return write_sql(self._tables.kind, table, form)

    def run(self, sql: str, args: Mapping[str, int] | None = None) -> StatementResult:
        """args: in the order of their placeholders."""
        values = [b"%d" % value for value in (args or {}).values()]
        result = self._wire.run(self._wire.prepare(sql, len(values)), values)
        fields = range(result.nfields)
        columns = tuple((result.fname(at) or b"").decode() for at in fields)
        rows = [tuple(result.get_value(row, at) for at in fields) for row in range(result.ntuples)]
        return StatementResult(columns, rows, result.command_tuples or 0)

    def _execute(self, step: BoundStep) -> ReadValue:
        *earlier, last = self._prepared(step)
        assert step.key is not None
        key = b"%d" % step.key
        if step.f == "r":
            binary = self._tables.kind is Kind.LIST_APPEND
            result = self._wire.run(last, (key,), BINARY if binary else TEXT)
            return self._seen(step, result, binary=binary)
        assert step.value is not None
        parameters = (key, b"%d" % step.value)
        for name in earlier:
            if self._wire.run(name, parameters).command_tuples == 1:
                return None
        return self._seen(step, self._wire.run(last, parameters))

    def _prepared(self, step: BoundStep) -> list[bytes]:
        """A micro-operation's prepared statements; each runs only if the one before found no row."""
        assert step.key is not None
        statements = self._statements_of(step, step.key % self._tables.count)
        return [self._wire.prepare(sql, 1 if step.f == "r" else 2) for sql in statements]

    def _seen(
        self, step: BoundStep, result: PGresult, unclear: Outcome = Outcome.BUG, *, binary: bool = False
    ) -> ReadValue:
        """Interpret the last statement's result. unclear: the outcome if it makes no sense."""
        if step.f == "r":
            try:
                value = result.get_value(0, 0) if result.ntuples else None
                return list_from_binary(value) if binary else self._decode(value)
            except ValueError as error:
                raise SessionError(unclear, DATATYPE_MISMATCH, f"key {step.key}: {error}") from None
        if result.command_tuples != 1:
            raise SessionError(unclear, NO_DATA, f"the {step.f} to key {step.key} changed no row")
        return None

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
            self.require_open("this step")
            message = b""
        else:
            message = self._starting(begin).encode() + b"; "
        self._open = False  # until all is well
        *earlier, last = self._prepared(step)
        for name in earlier:
            found = self._wire.last(message + _call(name, step)).command_tuples == 1
            message = b""
            if found:
                self._open = True
                if commit:
                    self.commit()
                return None
        message += _call(last, step)
        if commit:
            # What has been committed has not failed, even if the result makes no sense.
            return self._seen(step, self._with_commit(message), Outcome.INFO)
        seen = self._seen(step, self._wire.last(message))
        self._open = True
        return seen

    def _with_commit(self, message: bytes) -> PGresult:
        """Send COMMIT after the message; the result of the statement before it."""
        self._before_commit()
        *_, result, committed = self._wire.all(message + b"; COMMIT")
        self._check_commit(committed)
        return result

    # -- beginnings and ends --------------------------------------------------------------

    def _starting(self, isolation: str, read_only: bool = False, deferrable: bool = False) -> str:
        """The statement that begins a transaction."""
        self.require_closed()
        read_only = read_only or self.on_standby
        mode = isolation, read_only, deferrable
        sql = self._begins.get(mode)
        if sql is None:
            sql = begin_sql(level(isolation), read_only=read_only, deferrable=deferrable)
            self._begins[mode] = sql
        self._level = isolation
        self._cancelled = False
        return sql

    def _may_join(self, begin: str | None, commit: bool) -> bool:
        """Not if the level has yet to be checked."""
        if begin is not None:
            return begin in self.reported_levels
        return not (commit and self._raw_ran)

    def _check_level(self) -> None:
        """Promises are checked at the level that the server itself reports for the transaction."""
        said = self._wire.run(self._show_level, ()).get_value(0, 0) or b""
        if said.decode() != level(self._level):
            message = f"the transaction runs at {said.decode()!r}, not at {level(self._level)!r}"
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, message)
        self.reported_levels.add(self._level)

    def _before_commit(self) -> None:
        """Called just before COMMIT is sent, alone or with a step."""
        if not self.usable:
            raise self._wire.lost("the connection was lost before COMMIT", committing=False)
        how, self._cut = self._cut, None
        if how is not None:
            cut(self._conn, how)

    def _check_commit(self, result: PGresult) -> None:
        if result.command_status != b"COMMIT":
            raise SessionError(
                Outcome.FAIL, IN_FAILED_TRANSACTION, "the server answered COMMIT with ROLLBACK"
            )
        if self._waits_for_standbys and self._cancelled:
            message = "the wait for standbys was cancelled: they may not have this transaction"
            raise SessionError(Outcome.INFO, NOT_REPLICATED, message)

    def cut_next_commit(self, how: int) -> None:
        """See txfuzz.database.fault_injection.Cuttable."""
        self._cut = how

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


def _call(name: bytes, step: BoundStep) -> bytes:
    """A call of a prepared statement as text, for a message of several. Its parameters are integers."""
    assert step.key is not None
    if step.value is None:
        return b"EXECUTE %b(%d)" % (name, step.key)
    return b"EXECUTE %b(%d, %d)" % (name, step.key, step.value)
