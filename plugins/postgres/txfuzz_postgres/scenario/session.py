"""Connections to tables that the user designed: ours, and those that somebody else has opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import psycopg

from txfuzz.plugin_api import (
    Cell,
    Outcome,
    Rows,
    SessionError,
    StatementAnswer,
    with_placeholders,
)

from ..protocol.accesses import TransactionAccesses
from ..protocol.sending import SendsPostgresScripts
from ..protocol.sqlstate import CONNECTION_LOST, outcome_of
from ..statements import outlives_transactions, typed_begin

Result = TypeVar("Result")
Plain = psycopg.Connection[tuple[Any, ...]]

ABORTED = "25P02"  # in_failed_sql_transaction


class PostgresScenarioSession(SendsPostgresScripts):
    """connect: to its tables. rows: of what a cursor has for a query. ours: see PostgresScenario."""

    def __init__(
        self,
        connect: Callable[[], Plain],
        rows: Callable[[psycopg.Cursor[tuple[Any, ...]], str], Rows],
        *,
        ours: bool,
    ) -> None:
        self._connect, self._rows, self._ours = connect, rows, ours
        self._open()

    def _open(self) -> None:
        self._connection = self._connect()
        self.send_on(self._connection, typed_begin)
        self._used = False
        self.pid = self._connection.info.backend_pid
        self.steps = TransactionAccesses()

    def process(self) -> int | None:
        """See txfuzz.plugin_api.HasProcess."""
        return self.pid if self._ours else None

    def renew(self) -> None:
        """Another connection, where something may have outlived the transaction. None is open."""
        if self._used and not self._connection.closed:
            self._connection.close()
            self._open()

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        self.steps.begin(isolation)
        begin = typed_begin(isolation, read_only=read_only, deferrable=deferrable)
        checked(lambda: self._send(begin))

    def run(self, query: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        text, used = with_placeholders(query, "%({})s", percent="%%")
        bound = {name: arguments[name] for name in used} if used else None
        self.steps.ran(query)
        self._used = self._used or outlives_transactions(query)
        try:
            cursor = checked(lambda: self._connection.execute(text if used else query, bound, prepare=True))
        except SessionError:
            self.steps.blind = True
            raise
        if cursor.description is not None:
            return StatementAnswer(self._rows(cursor, query))
        return StatementAnswer(changed=cursor.rowcount if cursor.rowcount >= 0 else None)

    def commit(self) -> None:
        self.steps.blind = True  # until it is known to have committed
        if checked(lambda: self._send("COMMIT"), committing=True) == "ROLLBACK":
            raise SessionError(Outcome.FAIL, ABORTED, "an error had ended the transaction before COMMIT")
        self.steps.blind, self.steps.ended = False, True

    def _send(self, statement: str) -> str:
        """Without what a cursor does for statements with parameters and rows."""
        result = self._connection.pgconn.exec_(statement.encode())
        if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
        return (result.command_status or b"").decode()

    def rollback(self) -> None:
        self.steps.blind = True
        with suppress(psycopg.Error):
            self._connection.rollback()

    def cancel(self) -> None:
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=2.0)

    def close(self) -> None:
        self._connection.close()


class PostgresAdoptedSession:
    """connection: psycopg's; see txfuzz.plugin_api.AdoptedSession."""

    def __init__(self, connection: Plain) -> None:
        self._connection = connection
        self._level = ""
        self.pid = connection.info.backend_pid

    def begin_at(self, isolation: str) -> None:
        connection = self._connection
        idle = connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        if not idle or isolation == self._level or connection.isolation_level is not None:
            return
        # What BEGIN, SET TRANSACTION or the connection say of their own takes precedence over it
        asked = f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {isolation}"
        if connection.pgconn.exec_(asked.encode()).status == psycopg.pq.ExecStatus.COMMAND_OK:
            self._level = isolation

    def run(self, call: Callable[[], Result], statement: str) -> Result:
        return call()  # the server tells who waits

    def code(self, error: BaseException) -> str:
        if not isinstance(error, psycopg.Error):
            return ""
        return error.sqlstate or (CONNECTION_LOST if isinstance(error, psycopg.OperationalError) else "")

    def leave(self) -> None:
        if self._level and not self._connection.closed:
            self._connection.pgconn.exec_(b"RESET default_transaction_isolation")
            self._level = ""

    def cancel(self) -> None:
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=2.0)


def checked(work: Callable[[], Any], *, committing: bool = False) -> Any:
    try:
        return work()
    except psycopg.Error as error:
        lost = error.sqlstate is None or error.sqlstate.startswith(("08", "57P0"))
        code = error.sqlstate or CONNECTION_LOST
        message = " ".join((error.diag.message_primary or str(error)).split())
        if code.startswith("XX") and error.diag.source_function:  # where in the server's own code
            message += f" ({error.diag.source_function}, {error.diag.source_file}:{error.diag.source_line})"
        raise SessionError(
            outcome_of(code, lost=lost, committing=committing), code, message, lost=lost
        ) from None
