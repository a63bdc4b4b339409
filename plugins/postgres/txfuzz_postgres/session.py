"""The hot path: one libpq connection, driven by one thread, on prepared statements of our own.

psycopg's documented low-level PGconn releases the interpreter's lock while it waits and leaves the
server as the limit. Statements are prepared when a step first needs them, and results are checked
by their status, command tag and SQLSTATE, never by text.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

from psycopg import Error, pq
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.errors import UsageError
from txfuzz.kind import Kind

from .connection import BAD, cut, request_cancel
from .levels import level
from .sqlstate import CONNECTION_LOST, IN_FAILED_TRANSACTION, outcome_of
from .statements import WRITE, RawStatement, Tables, begin_sql, compile_raw, read_sql, write_sql
from .values import FROM_TEXT, list_from_binary, register_from_text

COMMAND_OK = int(pq.ExecStatus.COMMAND_OK)
TUPLES_OK = int(pq.ExecStatus.TUPLES_OK)
EMPTY_QUERY = int(pq.ExecStatus.EMPTY_QUERY)
FATAL_ERROR = int(pq.ExecStatus.FATAL_ERROR)
IDLE = int(pq.TransactionStatus.IDLE)
IN_TRANSACTION = int(pq.TransactionStatus.INTRANS)
INT8 = 20  # oid of the type of every parameter
TEXT, BINARY = 0, 1

SYNTAX_ERROR = "42601"
NO_DATA = "02000"
CARDINALITY = "21000"
DATATYPE_MISMATCH = "42804"
INVALID_TRANSACTION = "25000"
UNDEFINED_PARAMETER = "42P02"


class PostgresSession:
    """One connection; see txfuzz.database.port.Session."""

    def __init__(self, conn: PGconn, tables: Tables, write_form: str) -> None:
        self._conn = conn
        self._tables = tables
        self._count = tables.count
        self._write_form = write_form
        self._writes = WRITE[tables.kind]
        lists = tables.kind is Kind.LIST_APPEND
        self._read_format = BINARY if lists else TEXT
        self._decode = list_from_binary if lists else register_from_text
        self._names: dict[str, bytes] = {}  # SQL → prepared statement
        self._own: dict[tuple[str | None, str | None, int], tuple[bytes, ...]] = {}
        self._begins: dict[str, bytes] = {}
        self._open = False  # a transaction is open and no error has been met in it
        self._cancelled = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way
        self._written = 0  # write micro-operations of this transaction, and how many before a savepoint
        self._written_at_savepoint: int | None = None
        self._commit = self._prepare("COMMIT", 0)
        self._rollback = self._prepare("ROLLBACK", 0)

    @property
    def backend_pid(self) -> int:
        """The server process of this connection, by which views of locks and activity name it."""
        return self._conn.backend_pid

    def configure(self, sql: str) -> None:
        """Run one statement outside any transaction: the settings of this session."""
        try:
            result = self._conn.exec_(sql.encode())
        except Error as error:
            raise self._lost(str(error), committing=False) from None
        if result.status != TUPLES_OK:
            raise self._error(result, committing=False)

    # -- the transaction ------------------------------------------------------------------

    def begin(self, isolation: str) -> None:
        if self._open:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, "a transaction is open already")
        name = self._begins.get(isolation)
        if name is None:
            name = self._begins[isolation] = self._prepare(begin_sql(level(isolation)), 0)
        self._run(name, ())
        self._written = 0
        self._written_at_savepoint = None
        self._cancelled = False
        self._open = True

    def execute(self, step: BoundStep) -> ReadValue:
        if not self._open:
            raise SessionError(Outcome.FAIL, IN_FAILED_TRANSACTION, "the transaction ended before this step")
        try:
            if step.step.sql is not None:
                return self._execute_raw(step, step.step.sql)
            return self._execute_own(step)
        except BaseException:
            self._open = False
            raise

    def commit(self) -> None:
        if not self._open:
            raise SessionError(Outcome.FAIL, IN_FAILED_TRANSACTION, "the transaction ended before COMMIT")
        self._open = False
        if self._conn.status == BAD:
            raise self._lost("the connection was lost before COMMIT", committing=False)
        result = self._run(self._commit, (), committing=True)
        if result.command_status != b"COMMIT":
            raise SessionError(Outcome.FAIL, IN_FAILED_TRANSACTION, "the server answered COMMIT by ROLLBACK")

    def rollback(self) -> None:
        self._open = False
        conn = self._conn
        if conn.status != BAD and conn.transaction_status != IDLE:
            # If that fails the connection is lost, and with it the transaction; the next begin() says so.
            with contextlib.suppress(Error):
                conn.exec_prepared(self._rollback, ())

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

    # -- steps of our own -----------------------------------------------------------------

    def _execute_own(self, step: BoundStep) -> ReadValue:
        key = step.key
        assert key is not None
        at = (step.f, step.step.lock, key % self._count)
        names = self._own.get(at)
        if names is None:
            names = self._own[at] = self._prepare_own(*at)
        if step.f == "r":
            result = self._run(names[0], (b"%d" % key,), self._read_format)
            try:
                return self._decode(result.get_value(0, 0) if result.ntuples else None)
            except ValueError as error:
                raise SessionError(Outcome.BUG, DATATYPE_MISMATCH, f"key {key}: {error}") from None
        assert step.value is not None
        parameters = (b"%d" % key, b"%d" % step.value)
        for name in names:
            if self._run(name, parameters).command_tuples == 1:
                self._written += 1
                return None
        raise SessionError(Outcome.BUG, NO_DATA, f"the {step.f} to key {key} changed no row")

    def _prepare_own(self, f: str | None, lock: str | None, index: int) -> tuple[bytes, ...]:
        table = self._tables.qualified(index)
        if f == "r":
            try:
                return (self._prepare(read_sql(table, lock), 1),)
            except UsageError as error:
                raise SessionError(Outcome.BUG, SYNTAX_ERROR, str(error)) from None
        if f != self._writes:
            kind = self._tables.kind.value
            raise SessionError(
                Outcome.BUG, DATATYPE_MISMATCH, f"a {kind} history has no micro-operation {f!r}"
            )
        return tuple(self._prepare(sql, 2) for sql in write_sql(self._tables.kind, table, self._write_form))

    # -- raw SQL --------------------------------------------------------------------------

    def _execute_raw(self, step: BoundStep, sql: str) -> ReadValue:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, str(error)) from None
        self._watch_savepoints(statement)
        name = self._prepare(self._on_table(statement, step), len(statement.names))
        result = self._run(name, self._parameters(statement, step))
        if self._conn.transaction_status != IN_TRANSACTION:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, f"the step ended its transaction: {sql}")
        if step.f == "r":
            return self._raw_read(result, sql)
        if step.f is not None:
            self._check_raw_write(result, sql)
            self._written += 1
        return None

    def _watch_savepoints(self, statement: RawStatement) -> None:
        """A write that ROLLBACK TO undoes would stand in the history as if it had happened."""
        if statement.opens and self._written_at_savepoint is None:
            self._written_at_savepoint = self._written
        if statement.undoes and self._written != (self._written_at_savepoint or 0):
            message = "ROLLBACK TO would undo a write that the history has recorded"
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, message)

    def _on_table(self, statement: RawStatement, step: BoundStep) -> str:
        """The statement on the table of its key: the micro-operation's, else its first argument."""
        if not statement.names_table or self._count == 1:
            return statement.on(self._tables.qualified(0))
        key = step.key
        if key is None and step.step.args:
            key = step.args.get(step.step.args[0][0])
        if key is None:
            message = f"{{table}} needs a key, since there are {self._count} tables: {statement.sql}"
            raise SessionError(Outcome.BUG, SYNTAX_ERROR, message)
        return statement.on(self._tables.qualified(key % self._count))

    def _parameters(self, statement: RawStatement, step: BoundStep) -> Sequence[bytes]:
        try:
            return [b"%d" % step.args[name] for name in statement.names]
        except KeyError as missing:
            message = f":{missing.args[0]} is not among the args of the step"
            raise SessionError(Outcome.BUG, UNDEFINED_PARAMETER, message) from None

    def _raw_read(self, result: PGresult, sql: str) -> ReadValue:
        if result.status != TUPLES_OK or result.nfields == 0:
            raise SessionError(Outcome.BUG, NO_DATA, f"a read must return rows: {sql}")
        try:
            return FROM_TEXT[self._tables.kind](result.get_value(0, 0) if result.ntuples else None)
        except ValueError as error:
            raise SessionError(Outcome.BUG, DATATYPE_MISMATCH, f"{error}: {sql}") from None

    def _check_raw_write(self, result: PGresult, sql: str) -> None:
        """One micro-operation writes one key, which is one row. A procedure call does not count rows."""
        changed = result.command_tuples
        if changed == 0 or (changed is None and result.command_status != b"CALL"):
            raise SessionError(Outcome.BUG, NO_DATA, f"a write changed no row: {sql}")
        if changed is not None and changed > 1:
            raise SessionError(Outcome.BUG, CARDINALITY, f"a write of one key changed {changed} rows: {sql}")

    # -- the wire -------------------------------------------------------------------------

    def _prepare(self, sql: str, parameters: int) -> bytes:
        name = self._names.get(sql)
        if name is None:
            name = b"txfuzz_%d" % len(self._names)
            try:
                result = self._conn.prepare(name, sql.encode(), [INT8] * parameters)
            except Error as error:
                raise self._lost(str(error), committing=False) from None
            if result.status != COMMAND_OK:
                raise self._error(result, committing=False)
            self._names[sql] = name
        return name

    def _run(
        self, name: bytes, parameters: Sequence[bytes], result_format: int = TEXT, committing: bool = False
    ) -> PGresult:
        try:
            result = self._conn.exec_prepared(name, parameters, None, result_format)
        except Error as error:
            raise self._lost(str(error), committing) from None
        if result.status == TUPLES_OK or result.status == COMMAND_OK:
            return result
        raise self._error(result, committing)

    def _error(self, result: PGresult, committing: bool) -> SessionError:
        if result.status == EMPTY_QUERY:
            return SessionError(Outcome.BUG, SYNTAX_ERROR, "the statement is empty")
        if result.status != FATAL_ERROR:  # COPY: the connection now expects data
            return SessionError(
                Outcome.BUG, "0A000", "a step may not copy data from or to the client", lost=True
            )
        field = result.error_field
        severity = field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
        code = field(pq.DiagnosticField.SQLSTATE)
        message = field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
        lost = self._conn.status == BAD or severity in (b"FATAL", b"PANIC")
        if not code or not message:
            return self._lost(result.get_error_message(), committing)
        word = code.decode()
        outcome = outcome_of(word, lost=lost, committing=committing)
        return SessionError(outcome, word, message.decode(errors="replace").strip(), lost=lost)

    def _lost(self, message: str, committing: bool) -> SessionError:
        outcome = outcome_of(CONNECTION_LOST, lost=True, committing=committing)
        return SessionError(outcome, CONNECTION_LOST, " ".join(message.split()), lost=True)
