"""Steps of raw SQL; the caller decides what their rows mean."""

from __future__ import annotations

from psycopg import pq
from psycopg.pq.abc import PGresult

from txfuzz.plugin_api import Answer, BoundStep, Outcome, SessionError, Tables, UsageError, table_index

from ..statements import compile_raw
from .sqlstate import INVALID_TRANSACTION, SYNTAX_ERROR, UNDEFINED_PARAMETER
from .values import FROM_TEXT
from .wire import Wire

IN_TRANSACTION = int(pq.TransactionStatus.INTRANS)


class RawSql:
    """The raw SQL steps of one session. ran: whether the open transaction has run any."""

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
        index = table_index(step, sql, self._tables.count, SYNTAX_ERROR)
        name = self._wire.prepare(statement.on(self._tables.qualified(index)), len(statement.names))
        arguments = statement.arguments(step, UNDEFINED_PARAMETER)
        result = self._wire.run(name, [b"%d" % arguments[name] for name in statement.names])
        if self._wire.conn.transaction_status != IN_TRANSACTION:
            raise SessionError(Outcome.BUG, INVALID_TRANSACTION, f"the step ended its transaction: {sql}")
        return self._answer(result)

    def _answer(self, result: PGresult) -> Answer:
        """A procedure call has no row count; a statement that is neither query nor write counts 0."""
        columns = tuple((result.fname(at) or b"").decode() for at in range(result.nfields))
        rows = [[result.get_value(row, at) for at in range(result.nfields)] for row in range(result.ntuples)]
        changed = result.command_tuples
        if changed is None and result.command_status != b"CALL":
            changed = 0
        return Answer(columns, rows, changed, FROM_TEXT[self._tables.kind])
