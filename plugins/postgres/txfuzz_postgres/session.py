"""The hot path: one libpq connection, driven by one thread, on prepared statements of our own.

Every step can be run by itself (begin, execute, commit), and BEGIN and COMMIT can travel with a step
(execute_with), which halves the round trips of small transactions.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from psycopg import Error, pq
from psycopg.pq.abc import PGconn, PGresult

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.errors import UsageError
from txfuzz.kind import Kind

from .connection import BAD, cut, request_cancel
from .levels import level
from .sqlstate import IN_FAILED_TRANSACTION
from .statements import WRITE, RawStatement, Tables, begin_sql, compile_raw, read_sql, write_sql
from .values import FROM_TEXT, list_from_binary, register_from_text
from .wire import BINARY, TEXT, TUPLES_OK, Wire

IDLE = int(pq.TransactionStatus.IDLE)
IN_TRANSACTION = int(pq.TransactionStatus.INTRANS)

SYNTAX_ERROR = "42601"
NO_DATA = "02000"
CARDINALITY = "21000"
DATATYPE_MISMATCH = "42804"
INVALID_TRANSACTION = "25000"
UNDEFINED_PARAMETER = "42P02"


class PostgresSession:
    """One connection; see txfuzz.database.port.Session."""

    def __init__(self, conn: PGconn, tables: Tables, write_form: str, *, batch: bool = False) -> None:
        self._conn = conn
        self._wire = Wire(conn)
        self._tables = tables
        self._count = tables.count
        self._write_form = write_form
        self._batch = batch
        self._writes = WRITE[tables.kind]
        lists = tables.kind is Kind.LIST_APPEND
        self._read_format = BINARY if lists else TEXT
        self._decode = list_from_binary if lists else register_from_text
        self._decode_text = FROM_TEXT[tables.kind]
        self._own: dict[tuple[str | None, str | None, int], tuple[bytes, ...]] = {}
        self._begins: dict[str, str] = {}  # a level → BEGIN
        self._open = False  # a transaction is open and no error has been met in it
        self._cancelled = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way
        self._written = 0  # write micro-operations of this transaction, and how many before a savepoint
        self._written_at_savepoint: int | None = None
        self._commit = self._wire.prepare("COMMIT", 0)
        self._rollback = self._wire.prepare("ROLLBACK", 0)

    @property
    def backend_pid(self) -> int:
        """The server process of this connection, by which views of locks and activity name it."""
        return self._conn.backend_pid

    def configure(self, sql: str) -> None:
        """Run one statement outside any transaction: the settings of this session."""
        try:
            result = self._conn.exec_(sql.encode())
        except Error as error:
            raise self._wire.lost(str(error), committing=False) from None
        if result.status != TUPLES_OK:
            raise self._wire.error(result, committing=False)

    # -- the transaction ------------------------------------------------------------------

    def begin(self, isolation: str) -> None:
        sql = self._starting(isolation)
        self._wire.run(self._wire.prepare(sql, 0), ())
        self._open = True

    def execute(self, step: BoundStep) -> ReadValue:
        self._require_open("this step")
        try:
            if step.step.sql is not None:
                return self._execute_raw(step, step.step.sql)
            return self._execute_own(step)
        except BaseException:
            self._open = False
            raise

    def commit(self) -> None:
        self._require_open("COMMIT")
        self._open = False
        if self._conn.status == BAD:
            raise self._wire.lost("the connection was lost before COMMIT", committing=False)
        self._before_commit()
        result = self._wire.run(self._commit, (), committing=True)
        self._check_commit(result)

    def execute_with(self, step: BoundStep, *, begin: str | None, commit: bool) -> ReadValue:
        """See txfuzz.database.port.Batching."""
        if self._batch and step.step.sql is None and (commit or begin is not None):
            return self._execute_joined(step, begin, commit)
        if begin is not None:
            self.begin(begin)
        seen = self.execute(step)
        if commit:
            self.commit()
        return seen

    def _starting(self, isolation: str) -> str:
        """The statement that begins a transaction, where one may begin."""
        if self._open:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, "a transaction is open already")
        sql = self._begins.get(isolation)
        if sql is None:
            sql = self._begins[isolation] = begin_sql(level(isolation))
        self._written = 0
        self._written_at_savepoint = None
        self._cancelled = False
        return sql

    def _require_open(self, what: str) -> None:
        if not self._open:
            raise SessionError(Outcome.FAIL, IN_FAILED_TRANSACTION, f"the transaction ended before {what}")

    def _before_commit(self) -> None:
        """COMMIT is about to be sent, alone or with a step."""

    def _check_commit(self, result: PGresult) -> None:
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
        names = self._statements(step)
        assert step.key is not None
        if step.f == "r":
            result = self._wire.run(names[0], (b"%d" % step.key,), self._read_format)
            return self._seen(step, result, self._decode, Outcome.BUG)
        assert step.value is not None
        parameters = (b"%d" % step.key, b"%d" % step.value)
        for name in names:
            if self._wire.run(name, parameters).command_tuples == 1:
                self._written += 1
                return None
        raise self._nothing_written(step, Outcome.BUG)

    def _execute_joined(self, step: BoundStep, begin: str | None, commit: bool) -> ReadValue:
        """The same, BEGIN in the message of the first statement and COMMIT in that of the last one.

        COMMIT does not travel with a statement that another one may have to follow.
        """
        message = b""
        if begin is None:
            self._require_open("this step")
        else:
            message = self._starting(begin).encode() + b"; "
        self._open = False  # until all is well
        *earlier, name = self._statements(step)
        for each in earlier:
            result = self._wire.last(message + _call(each, step))
            message = b""
            if result.command_tuples == 1:
                self._open = True
                self._written += 1
                if commit:
                    self.commit()
                return None
        if not commit:
            result = self._wire.last(message + _call(name, step))
        else:
            result = self._send_with_commit(message + _call(name, step))
        # What has been committed has not failed, even where the answer makes no sense.
        unclear = Outcome.INFO if commit else Outcome.BUG
        if step.f == "r":
            seen = self._seen(step, result, self._decode_text, unclear)
        elif result.command_tuples == 1:
            seen = None
            self._written += 1
        else:
            raise self._nothing_written(step, unclear)
        self._open = not commit
        return seen

    def _send_with_commit(self, message: bytes) -> PGresult:
        """The answer to the statement that COMMIT has followed."""
        if self._conn.status == BAD:
            raise self._wire.lost("the connection was lost before COMMIT", committing=False)
        self._before_commit()
        *_, result, committed = self._wire.all(message + b"; COMMIT")
        self._check_commit(committed)
        return result

    def _seen(
        self, step: BoundStep, result: PGresult, decode: Callable[[bytes | None], ReadValue], unclear: Outcome
    ) -> ReadValue:
        try:
            return decode(result.get_value(0, 0) if result.ntuples else None)
        except ValueError as error:
            raise SessionError(unclear, DATATYPE_MISMATCH, f"key {step.key}: {error}") from None

    def _nothing_written(self, step: BoundStep, unclear: Outcome) -> SessionError:
        return SessionError(unclear, NO_DATA, f"the {step.f} to key {step.key} changed no row")

    def _statements(self, step: BoundStep) -> tuple[bytes, ...]:
        """The prepared statements of this step; a later one is only run where the one before found no row."""
        assert step.key is not None
        at = (step.f, step.step.lock, step.key % self._count)
        names = self._own.get(at)
        if names is None:
            names = self._own[at] = self._prepare_own(*at)
        return names

    def _prepare_own(self, f: str | None, lock: str | None, index: int) -> tuple[bytes, ...]:
        table = self._tables.qualified(index)
        if f == "r":
            try:
                return (self._wire.prepare(read_sql(table, lock), 1),)
            except UsageError as error:
                raise SessionError(Outcome.BUG, SYNTAX_ERROR, str(error)) from None
        if f != self._writes:
            kind = self._tables.kind.value
            raise SessionError(
                Outcome.BUG, DATATYPE_MISMATCH, f"a {kind} history has no micro-operation {f!r}"
            )
        return tuple(
            self._wire.prepare(sql, 2) for sql in write_sql(self._tables.kind, table, self._write_form)
        )

    # -- raw SQL --------------------------------------------------------------------------

    def _execute_raw(self, step: BoundStep, sql: str) -> ReadValue:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, str(error)) from None
        self._watch_savepoints(statement)
        name = self._wire.prepare(self._on_table(statement, step), len(statement.names))
        result = self._wire.run(name, self._parameters(statement, step))
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


def _call(name: bytes, step: BoundStep) -> bytes:
    """A prepared statement as one of several in a message. Its parameters are numbers."""
    assert step.key is not None
    if step.value is None:
        return b"EXECUTE %b(%d)" % (name, step.key)
    return b"EXECUTE %b(%d, %d)" % (name, step.key, step.value)
