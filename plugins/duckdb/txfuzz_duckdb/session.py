"""One connection, driven by one thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import ClassVar

import duckdb

from txfuzz.plugin_api import (
    Kind,
    SessionCodes,
    SqlSession,
    StatementResult,
    Tables,
    UsageError,
    level_among,
)

from .codes import CONFLICT, MISMATCH, MISUSE, session_error
from .options import ON_CONFLICT, PROMISES, DuckdbOptions
from .statements import compile_raw, run

TURN = 1e-5  # seconds before each statement, like a server's round trip, so that other clients can run


class DuckdbSession(SqlSession):
    """See txfuzz.plugin_api.Session. Nothing waits for a lock: who comes second is refused."""

    codes: ClassVar = SessionCodes(
        ended=CONFLICT, not_allowed=MISUSE, syntax=MISUSE, wrong_type=MISMATCH, no_row=MISUSE, unbound=MISUSE
    )

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: Tables, options: DuckdbOptions) -> None:
        super().__init__(tables)
        self._connection, self._options = connection, options
        self._inside = False  # BEGIN has succeeded; every statement that would end it is refused before
        self._closed = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way

    def begin(self, isolation: str, *, read_only: bool = False) -> None:
        self.require_closed()
        level_among(isolation, PROMISES, "DuckDB has no isolation level")
        self.run("BEGIN TRANSACTION READ ONLY" if read_only else "BEGIN TRANSACTION")
        self._open = self._inside = True

    def commit(self) -> None:
        self.require_open("COMMIT")
        self._open = self._inside = False
        try:
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            raise session_error(error, committing=True, lost=self._closed) from None

    def rollback(self) -> None:
        self._open = self._inside = False
        with contextlib.suppress(duckdb.Error):  # none is open
            self._connection.execute("ROLLBACK")

    def cancel(self) -> None:
        with self._guard, contextlib.suppress(duckdb.Error):
            if not self._closed:
                self._connection.interrupt()

    def close(self) -> None:
        with self._guard, contextlib.suppress(duckdb.Error):
            self._open = self._inside = False
            self._closed = True
            self._connection.close()

    @property
    def in_transaction(self) -> bool:
        return self._inside

    def require_open(self, what: str) -> None:
        time.sleep(TURN)
        super().require_open(what)

    def read_sql(self, table: str, lock: str | None) -> str:
        if lock is not None:
            raise UsageError(f"DuckDB has no locking read {lock!r}")
        return f"SELECT val FROM {table} WHERE key = :key"

    def write_sql(self, table: str) -> tuple[str, ...]:
        appends = self._tables.kind is Kind.LIST_APPEND
        first = "CAST(:value AS VARCHAR) || ','" if appends else ":value"
        changed = f"val || {first}" if appends else ":value"
        insert = f"INSERT INTO {table} (key, val) VALUES (:key, {first})"
        if self._options.append == ON_CONFLICT:
            return (f"{insert} ON CONFLICT (key) DO UPDATE SET val = {changed}",)
        return (f"UPDATE {table} SET val = {changed} WHERE key = :key", insert)

    compile_raw = staticmethod(compile_raw)

    def run(self, sql: str, args: Mapping[str, int] | None = None) -> StatementResult:
        try:
            return run(self._connection, sql, args)[0]
        except duckdb.Error as error:
            raise session_error(error, lost=self._closed) from None
