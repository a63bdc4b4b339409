"""Sessions on a scenario's tables: our own, and connections that somebody else uses."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from txfuzz.plugin_api import Cell, Outcome, Rows, SessionError, StatementAnswer, StatementResult

from ..protocol.codes import NOT_IN_TRANSACTION, UNDECLARED
from ..protocol.connection import FAILURES, IN_TRANSACTION, Link, session_error
from ..statements import level, with_placeholders

Result = TypeVar("Result")
_DRIVERS = frozenset({"pymysql", "MySQLdb", "mysql", "mariadb"})
_INSERT = re.compile(r"\s*(?:INSERT|REPLACE)\b[^(]*?\bINTO\s+`?(?P<table>[\w$]+)", re.IGNORECASE)
# What belongs to the connection: its locks, settings, variables, tables and names
_OUTLIVES = re.compile(
    r"^\s*(SET\s+(?!TRANSACTION\b)|PREPARE|LOCK)\b|\bTEMPORARY\b|\bGET_LOCK\s*\(|@\w", re.IGNORECASE
)
# A query that does nothing but to ask for a generated number
_NUMBER = re.compile(
    r"\s*SELECT\s+(?:LAST_INSERT_ID\s*\(\s*\)|(?:NEXTVAL|LASTVAL)\s*\(\s*`?(?P<of>[\w$]+)`?\s*\)|"
    r"(?:NEXT|PREVIOUS)\s+VALUE\s+FOR\s+`?(?P<for>[\w$]+)`?)(?:\s+(?:AS\s+)?`?\w+`?)?\s*;?\s*\Z",
    re.IGNORECASE,
)
# The level of the session, the server's, and the one that we have set, if we have
_LEVELS = (
    "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
    "SELECT 'ours', @txfuzz_level",
)


class MariadbScenarioSession:
    """connect: to its tables. kill: asks the server to cancel the statement of the connection with this
    number. numbers: what gives out numbers → the origin of these."""

    def __init__(
        self,
        connect: Callable[[], Link],
        origins: Callable[[Link], tuple[str | None, ...]],
        kill: Callable[[int], bool],
        numbers: Mapping[str, str],
    ) -> None:
        self._connect, self._origins, self._kill, self._numbers = connect, origins, kill, numbers
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way
        self._open()

    def _open(self) -> None:
        self._link = self._connect()
        self._used = False
        self._last_number: str | None = None  # the origin of what LAST_INSERT_ID() returns
        self._level = ""  # of the connection's next transaction
        self.number = self._link.thread_id

    def renew(self) -> None:
        """Another connection, where something may have outlived the transaction. None is open."""
        if self._used and self._link.open:
            with self._guard:
                self._link.close()
                self._open()

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        if deferrable:
            raise SessionError(Outcome.BUG, NOT_IN_TRANSACTION, "MariaDB has no DEFERRABLE transactions")
        wanted = level(isolation)
        if wanted != self._level:
            self._run(f"SET SESSION TRANSACTION ISOLATION LEVEL {wanted.upper()}")
            self._level = wanted
        self._run("START TRANSACTION READ ONLY" if read_only else "START TRANSACTION")

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        text, names = with_placeholders(sql)
        if missing := [name for name in names if name not in arguments]:
            raise SessionError(Outcome.BUG, UNDECLARED, f"the statement has no argument :{missing[0]}")
        bound = {name: arguments[name] for name in names}
        result = self._run(text, bound) if names else self._run(sql)
        self._used = self._used or _OUTLIVES.search(sql) is not None
        if (inserted := _INSERT.match(sql)) is not None:
            self._last_number = self._numbers.get(inserted["table"].lower())
        if result.columns:
            origins = self._origins(self._link)
            if origins == (None,) and (asked := _NUMBER.match(sql)) is not None:
                name = asked["of"] or asked["for"]
                origins = (self._last_number if name is None else self._numbers.get(name.lower()),)
            return StatementAnswer(Rows(result.columns, tuple(result.rows), origins=origins))
        return StatementAnswer(changed=result.changed)

    def commit(self) -> None:
        self._run("COMMIT", committing=True)

    def rollback(self) -> None:
        with contextlib.suppress(*FAILURES):
            self._link.run("ROLLBACK")

    def cancel(self) -> None:
        with self._guard:
            if self._link.open and not self._kill(self.number):
                self._link.cut()

    def close(self) -> None:
        with self._guard, contextlib.suppress(*FAILURES):
            self._link.close()

    def _run(
        self, sql: str, args: Mapping[str, Cell] | None = None, *, committing: bool = False
    ) -> StatementResult:
        try:
            return self._link.run(sql, args)
        except FAILURES as error:
            raise session_error(self._link, error, committing=committing) from None


class MariadbAdoptedSession:
    """connection: PyMySQL's, mysqlclient's or Connector/Python's; see txfuzz.plugin_api.AdoptedSession."""

    def __init__(self, connection: Any, kill: Callable[[int], bool]) -> None:
        self._connection, self._kill = connection, kill
        self.number = self._thread_id()

    def _thread_id(self) -> int:
        told = getattr(self._connection, "thread_id", None)
        told = told() if callable(told) else getattr(self._connection, "connection_id", None)
        return int(told) if isinstance(told, int) else int(self._row("SELECT CONNECTION_ID()")[0])

    def begin_at(self, isolation: str) -> None:
        """For the session, and never for the next transaction alone, which the code may have chosen for
        itself. A level that neither the server nor we have given the session is the code's, too."""
        if self._in_transaction():
            return
        now, usual, ours = (_plain(self._row(query)[1]) for query in _LEVELS)
        wanted = level(isolation)
        if now not in (wanted, usual, ours):
            return
        if now != wanted:
            self._row(f"SET SESSION TRANSACTION ISOLATION LEVEL {wanted.upper()}")
        if ours != wanted:
            self._row(f"SET @txfuzz_level = '{wanted}'")

    def run(self, call: Callable[[], Result], statement: str) -> Result:
        return call()  # the server tells who waits

    def _in_transaction(self) -> bool:
        status = getattr(self._connection, "server_status", None)  # PyMySQL's
        if isinstance(status, int):
            return bool(status & IN_TRANSACTION)
        told = getattr(self._connection, "in_transaction", None)  # Connector/Python's
        return told if isinstance(told, bool) else bool(self._row("SELECT @@in_transaction")[0])

    def _row(self, sql: str) -> tuple[Any, ...]:
        with contextlib.closing(self._connection.cursor()) as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else ()
        return tuple(rows[0].values() if isinstance(rows[0], dict) else rows[0]) if rows else ()

    def code(self, error: BaseException) -> str:
        if type(error).__module__.partition(".")[0] not in _DRIVERS:
            return ""
        number = getattr(error, "errno", None) or (error.args[0] if error.args else None)
        return str(number) if isinstance(number, int) else ""

    def leave(self) -> None:
        with contextlib.suppress(Exception):  # whatever the driver raises on a connection that is closed
            now, usual, ours = (_plain(self._row(query)[1]) for query in _LEVELS)
            if ours and now == ours != usual:
                self._row(f"SET SESSION TRANSACTION ISOLATION LEVEL {usual.upper()}")
            if ours:
                self._row("SET @txfuzz_level = NULL")

    def cancel(self) -> None:
        self._kill(self.number)


def _plain(said: Any) -> str:
    return "" if said is None else str(said).replace("-", " ").lower()
