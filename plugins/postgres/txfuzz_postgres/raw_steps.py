"""Steps that are SQL of the workload's own, tied to the micro-operations that the checker understands."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import pq
from psycopg.pq.abc import PGresult

from txfuzz.database.port import BoundStep, Outcome, ReadValue, SessionError
from txfuzz.database.tables import Tables
from txfuzz.errors import UsageError
from txfuzz.workload.model import NewValue

from .sqlstate import (
    CARDINALITY,
    DATATYPE_MISMATCH,
    INVALID_TRANSACTION,
    NO_DATA,
    SYNTAX_ERROR,
    UNDEFINED_PARAMETER,
)
from .statements import RawStatement, compile_raw
from .values import FROM_TEXT
from .wire import TUPLES_OK, Wire

IN_TRANSACTION = int(pq.TransactionStatus.INTRANS)


class RawSteps:
    """The raw statements of one session. written: write micro-operations of the open transaction so far."""

    def __init__(self, wire: Wire, tables: Tables) -> None:
        self._wire = wire
        self._tables = tables
        self.begin()

    def begin(self) -> None:
        """A new transaction."""
        self.written = 0
        self._at_savepoint: int | None = None  # writes before the first savepoint

    def run(self, step: BoundStep, sql: str) -> ReadValue:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, str(error)) from None
        self._watch_savepoints(statement)
        name = self._wire.prepare(self._on_table(statement, step), len(statement.names))
        result = self._wire.run(name, self._parameters(statement, step))
        if self._wire.conn.transaction_status != IN_TRANSACTION:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, f"the step ended its transaction: {sql}")
        if step.f == "r":
            return self._read(result, sql)
        if step.f is not None:
            self._check_write(result, sql)
            self.written += 1
        return None

    def _watch_savepoints(self, statement: RawStatement) -> None:
        """A write that ROLLBACK TO undoes would stand in the history as if it had happened."""
        if statement.opens and self._at_savepoint is None:
            self._at_savepoint = self.written
        if statement.undoes and self.written != (self._at_savepoint or 0):
            message = "ROLLBACK TO would undo a write that the history has recorded"
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, message)

    def _on_table(self, statement: RawStatement, step: BoundStep) -> str:
        """The statement on the table of its key: the micro-operation's, else its first argument."""
        if not statement.names_table or self._tables.count == 1:
            return statement.on(self._tables.qualified(0))
        key = step.key
        if key is None and step.step.args:
            key = step.args.get(step.step.args[0][0])
        if key is None:
            message = f"{{table}} needs a key, since there are {self._tables.count} tables: {statement.sql}"
            raise SessionError(Outcome.BUG, SYNTAX_ERROR, message)
        index = key % self._tables.count
        keys = (step.args[name] for name, arg in step.step.args if not isinstance(arg, NewValue))
        if any(other % self._tables.count != index for other in keys):
            message = f"the keys of one statement are in several tables, and it names one: {statement.sql}"
            raise SessionError(Outcome.BUG, SYNTAX_ERROR, message)
        return statement.on(self._tables.qualified(index))

    def _parameters(self, statement: RawStatement, step: BoundStep) -> Sequence[bytes]:
        try:
            return [b"%d" % step.args[name] for name in statement.names]
        except KeyError as missing:
            message = f":{missing.args[0]} is not among the args of the step"
            raise SessionError(Outcome.BUG, UNDEFINED_PARAMETER, message) from None

    def _read(self, result: PGresult, sql: str) -> ReadValue:
        if result.status != TUPLES_OK or result.nfields == 0:
            raise SessionError(Outcome.BUG, NO_DATA, f"a read must return rows: {sql}")
        try:
            return FROM_TEXT[self._tables.kind](result.get_value(0, 0) if result.ntuples else None)
        except ValueError as error:
            raise SessionError(Outcome.BUG, DATATYPE_MISMATCH, f"{error}: {sql}") from None

    def _check_write(self, result: PGresult, sql: str) -> None:
        """One micro-operation writes one key, which is one row. A procedure call does not count rows."""
        changed = result.command_tuples
        if changed == 0 or (changed is None and result.command_status != b"CALL"):
            raise SessionError(Outcome.BUG, NO_DATA, f"a write changed no row: {sql}")
        if changed is not None and changed > 1:
            raise SessionError(Outcome.BUG, CARDINALITY, f"a write of one key changed {changed} rows: {sql}")
