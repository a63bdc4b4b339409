"""Sessions on a scenario's tables."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping

import duckdb

from txfuzz.plugin_api import Cell, Outcome, Rows, SessionError, StatementAnswer, level_among

from ..codes import MISUSE, session_error
from ..options import PROMISES
from ..statements import run


class DuckdbScenarioSession:
    """See txfuzz.plugin_api.ScenarioSession."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._closed = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        level_among(isolation, PROMISES, "DuckDB has no isolation level")
        if deferrable:
            raise SessionError(Outcome.BUG, MISUSE, "DuckDB has no DEFERRABLE transactions")
        self._run("BEGIN TRANSACTION READ ONLY" if read_only else "BEGIN TRANSACTION", {})

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        return self._run(sql, arguments)

    def commit(self) -> None:
        self._run("COMMIT", {}, committing=True)

    def rollback(self) -> None:
        with contextlib.suppress(duckdb.Error):  # none is open
            self._connection.execute("ROLLBACK")

    def cancel(self) -> None:
        with self._guard, contextlib.suppress(duckdb.Error):
            if not self._closed:
                self._connection.interrupt()

    def close(self) -> None:
        self.cancel()
        with self._guard, contextlib.suppress(duckdb.Error):
            self._closed = True
            self._connection.close()

    def _run(self, sql: str, arguments: Mapping[str, Cell], *, committing: bool = False) -> StatementAnswer:
        try:
            found, counted = run(self._connection, sql, arguments)
        except duckdb.Error as error:
            raise session_error(error, committing=committing, lost=self._closed) from None
        if counted:
            return StatementAnswer(changed=found.changed if found.changed >= 0 else None)
        return StatementAnswer(Rows(found.columns, tuple(found.rows)))
