"""Connections to tables that the user designed: ours, and those that somebody else has opened."""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from txfuzz.plugin_api import (
    Begin,
    Cell,
    Commit,
    Outcome,
    Request,
    Rollback,
    Rows,
    Run,
    SessionError,
    StatementAnswer,
)

from ..protocol.accesses import TransactionAccesses
from ..protocol.requests import PendingResults
from ..protocol.sending import SendsPostgresScripts
from ..protocol.sqlstate import CONNECTION_LOST, outcome_of
from ..statements import may_alter, numbered, outlives_transactions, typed_begin
from .connections import Plain

Result = TypeVar("Result")

ABORTED = "25P02"  # in_failed_sql_transaction


class PostgresScenarioSession(SendsPostgresScripts):
    """connect: to its tables. give: takes a connection back, to be used by others. rows: of a result with
    these rows, for a query. altered: is told before what else runs at a change of a row may be another. ours:
    see PostgresScenario."""

    def __init__(
        self,
        connect: Callable[[], Plain],
        give: Callable[[Plain], None],
        rows: Callable[[PGresult, tuple[tuple[Cell, ...], ...], str], Rows],
        altered: Callable[[], None],
        *,
        ours: bool,
    ) -> None:
        self._connect, self._give, self._rows, self._ours = connect, give, rows, ours
        self._altered = altered
        self._cancelled = False
        self._settings: tuple[str, ...] = ()
        self._keeps_plans = False
        self._open()

    def _open(self) -> None:
        self._connection = self._connect()
        self._pending = PendingResults(self._connection)
        self._ahead = 0  # requests that have been sent and not been asked
        self._failed_since = False
        self._request: Request = Rollback()
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
            self.close()
            self._open()
            self.settle(self._settings)
        if self._keeps_plans:
            with suppress(psycopg.Error):  # the connection is lost, as the next request will tell
                self._pending.keep_plans()

    def keep_plans(self) -> None:
        """See txfuzz.plugin_api.KeepsPlans."""
        self._keeps_plans = True

    def settle(self, settings: Sequence[str]) -> None:
        """See txfuzz.plugin_api.KeepsSettings."""
        for each in settings:
            self.run(each, {})
        self._settings, self._used = tuple(settings), False

    # -- requests -----------------------------------------------------------------------------

    def ask(self, request: Request, along: int = 0) -> None:
        """See txfuzz.plugin_api.AnswersLater."""
        self._request = request
        self._note(request)
        if self._ahead and not self._failed_since:
            self._ahead -= 1
            return
        then = request.then[:along]
        self._ahead, self._failed_since = len(then), False
        try:
            self._pending.send(self._bound(request), [self._bound(each) for each in then])
        except psycopg.Error as error:
            raise self._failed(error) from None

    def _note(self, request: Request) -> None:
        match request:
            case Run():
                self.steps.ran(request.sql)
                self._used = self._used or outlives_transactions(request.sql)
                if may_alter(request.sql):
                    self._altered()
            case Begin():
                self.steps.begin(request.isolation)
            case _:
                self.steps.blind = True  # until it is known to have committed

    def _bound(self, request: Request) -> tuple[str, Sequence[Cell]]:
        match request:
            case Run():
                text, names = numbered(request.sql)
                return text, [request.arguments[name] for name in names]
            case Begin():
                modes = {"read_only": request.read_only, "deferrable": request.deferrable}
                return typed_begin(request.isolation, **modes), ()
            case Commit():
                return "COMMIT", ()
        # An empty statement where there is none to roll back, which would be worth a warning
        idle = self._connection.pgconn.transaction_status == TransactionStatus.IDLE
        return "" if idle else "ROLLBACK", ()

    def answered(self) -> StatementAnswer | None:
        try:
            result = self._pending.poll()
        except psycopg.Error as error:
            if isinstance(self._request, Rollback):
                return StatementAnswer()
            raise self._failed(error) from None
        return None if result is None else self._answer(result)

    def _failed(self, error: psycopg.Error) -> SessionError:
        self.steps.blind = self._failed_since = True
        return session_error(error, committing=isinstance(self._request, Commit))

    def _answer(self, result: PGresult) -> StatementAnswer:
        if isinstance(self._request, Commit):
            if result.command_status == b"ROLLBACK":
                raise SessionError(Outcome.FAIL, ABORTED, "an error had ended the transaction before COMMIT")
            self.steps.blind, self.steps.ended = False, True
        if not isinstance(self._request, Run):
            return StatementAnswer()
        if result.status == ExecStatus.TUPLES_OK:
            return StatementAnswer(self._rows(result, self._pending.rows(result), self._request.sql))
        return StatementAnswer(changed=result.command_tuples)

    def _await(self, request: Request) -> StatementAnswer:
        self.ask(request)
        while (answer := self.answered()) is None:
            select.select([self], [], [])
        return answer

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        self._await(Begin(isolation, read_only, deferrable))

    def run(self, query: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        return self._await(Run(query, arguments))

    def commit(self) -> None:
        self._await(Commit())

    def rollback(self) -> None:
        with suppress(SessionError):
            self._await(Rollback())

    def cancel(self) -> None:
        self._cancelled = True
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=2.0)

    def close(self) -> None:
        # A request to cancel may still be on its way, and would meet whoever has the connection next
        if self._cancelled:
            self._connection.close()
        else:
            self._give(self._connection)


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


def checked(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except psycopg.Error as error:
        raise session_error(error) from None


def session_error(error: psycopg.Error, *, committing: bool = False) -> SessionError:
    lost = error.sqlstate is None or error.sqlstate.startswith(("08", "57P0"))
    code = error.sqlstate or CONNECTION_LOST
    message = " ".join((error.diag.message_primary or str(error)).split())
    if code.startswith("XX") and error.diag.source_function:  # where in the server's own code
        message += f" ({error.diag.source_function}, {error.diag.source_file}:{error.diag.source_line})"
    outcome = outcome_of(code, lost=lost, committing=committing)
    position = int(error.diag.statement_position or 0)
    return SessionError(outcome, code, message, lost=lost, position=position)
