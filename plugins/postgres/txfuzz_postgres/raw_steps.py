"""Steps that are SQL of the workload's own; what their rows mean is decided by who runs them."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import pq
from psycopg.pq.abc import PGresult

from txfuzz.plugin_api import Answer, BoundStep, NewValue, Outcome, SessionError, Tables, UsageError

from .sqlstate import INVALID_TRANSACTION, SYNTAX_ERROR, UNDEFINED_PARAMETER
from .statements import RawStatement, compile_raw
from .values import FROM_TEXT
from .wire import Wire

IN_TRANSACTION = int(pq.TransactionStatus.INTRANS)


class RawSteps:
    """The raw statements of one session. ran: whether the open transaction has run any."""

    def __init__(self, wire: Wire, tables: Tables) -> None:
        self._wire = wire
        self._tables = tables
        self.ran = False

    def run(self, step: BoundStep, sql: str) -> Answer:
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, str(error)) from None
        self.ran = True
        name = self._wire.prepare(self._on_table(statement, step), len(statement.names))
        result = self._wire.run(name, self._parameters(statement, step))
        if self._wire.conn.transaction_status != IN_TRANSACTION:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, f"the step ended its transaction: {sql}")
        return self._answer(result)

    def _on_table(self, statement: RawStatement, step: BoundStep) -> str:
        """The statement on the table of its keys: those of its micro-operations, else its first argument."""
        if not statement.names_table or self._tables.count == 1:
            return statement.on(self._tables.qualified(0))
        keys = [step.key, *(mop[1] for mop in step.mops)]
        keys += [step.args.get(name) for name, arg in step.step.args if not isinstance(arg, NewValue)]
        known = [key for key in keys if key is not None]
        if not known:
            message = f"{{table}} needs a key, since there are {self._tables.count} tables: {statement.sql}"
            raise SessionError(Outcome.BUG, SYNTAX_ERROR, message)
        index = known[0] % self._tables.count
        if any(other % self._tables.count != index for other in known):
            message = f"the keys of one statement are in several tables, and it names one: {statement.sql}"
            raise SessionError(Outcome.BUG, SYNTAX_ERROR, message)
        return statement.on(self._tables.qualified(index))

    def _parameters(self, statement: RawStatement, step: BoundStep) -> Sequence[bytes]:
        try:
            return [b"%d" % step.args[name] for name in statement.names]
        except KeyError as missing:
            message = f":{missing.args[0]} is not among the args of the step"
            raise SessionError(Outcome.BUG, UNDEFINED_PARAMETER, message) from None

    def _answer(self, result: PGresult) -> Answer:
        """A procedure call does not count rows; what is neither a query nor a write is about none."""
        columns = tuple((result.fname(at) or b"").decode() for at in range(result.nfields))
        rows = [[result.get_value(row, at) for at in range(result.nfields)] for row in range(result.ntuples)]
        changed = result.command_tuples
        if changed is None and result.command_status != b"CALL":
            changed = 0
        return Answer(columns, rows, changed, FROM_TEXT[self._tables.kind])
