"""One connection, driven by one thread."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
import time
from collections.abc import Mapping
from functools import lru_cache

from txfuzz.plugin_api import (
    Kind,
    RawStatement,
    SessionCodes,
    SessionError,
    SqlSession,
    StatementResult,
    Tables,
    UsageError,
    check_stays_inside,
    did_you_mean,
    level_among,
)

from .codes import MISMATCH, MISUSE, code_of, is_locked, name_of, outcome_of
from .options import FORMS, ON_CONFLICT, READ_UNCOMMITTED, UPDATE_ELSE_INSERT, SqliteOptions

PAUSE = 0.0005  # seconds between attempts to get a lock
COMMIT = "COMMIT"
TURN = 1e-5  # seconds before each statement, like a server's round trip, so that other clients can run
QUOTED = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?(?:\*/|$)""",
    re.VERBOSE | re.DOTALL,
)
ENDING = frozenset({"begin", "commit", "end", "rollback"})
FORBIDDEN = frozenset({"attach", "detach", "pragma", "vacuum"})


@lru_cache(maxsize=1024)
def compile_raw(sql: str) -> RawStatement:
    """`:name` is SQLite's own placeholder syntax, so nothing is replaced.

    Raises UsageError for statements that would end the transaction, or change its level or its files.
    """
    words = tuple(word.lower() for word in re.findall(r"\w+", QUOTED.sub(" ", sql)))
    check_stays_inside(words, ENDING, forbidden=bool(words) and words[0] in FORBIDDEN)
    return RawStatement(sql)


class SqliteSession(SqlSession):
    """See txfuzz.plugin_api.Session."""

    codes = SessionCodes(
        ended=MISUSE, not_allowed=MISUSE, syntax=MISUSE, wrong_type=MISMATCH, no_row=MISUSE, unbound=MISUSE
    )

    def __init__(self, conn: sqlite3.Connection, tables: Tables, options: SqliteOptions) -> None:
        super().__init__(tables)
        self._conn = conn
        self._options = options
        self._level = ""
        self._touched = False  # the transaction has run a statement and may hold locks
        self._cancelled = False
        self._closed = False
        self._guard = threading.Lock()  # cancel() comes from other threads, close() may be under way

    def begin(self, isolation: str) -> None:
        self.require_closed()
        self._touched = self._cancelled = False
        wanted = level_among(isolation, self._options.promises, "SQLite has no isolation level")
        if wanted != self._level:
            self.run(f"PRAGMA read_uncommitted = {int(wanted == READ_UNCOMMITTED)}")
            self._level = wanted
        self._touched = False
        self.run(f"BEGIN {self._options.begin.upper()}")
        self._touched = False
        self._open = True

    def commit(self) -> None:
        self.require_open("COMMIT")
        self._open = False
        self.run(COMMIT)

    def rollback(self) -> None:
        """Also after a refused COMMIT, which leaves the transaction open."""
        self._open = False
        with contextlib.suppress(sqlite3.Error):
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")

    def cancel(self) -> None:
        """A statement is interrupted at once; a wait for a lock ends after busy_timeout_ms at the latest."""
        with self._guard, contextlib.suppress(sqlite3.Error):
            self._cancelled = True
            if not self._closed:
                self._conn.interrupt()

    def close(self) -> None:
        with self._guard, contextlib.suppress(sqlite3.Error):
            self._open = False
            self._closed = True
            self._conn.close()

    @property
    def in_transaction(self) -> bool:
        return self._conn.in_transaction

    def require_open(self, what: str) -> None:
        time.sleep(TURN)
        super().require_open(what)

    def read_sql(self, table: str, lock: str | None) -> str:
        if lock is not None:
            raise UsageError(f"SQLite has no locking read {lock!r}")
        return f"SELECT val FROM {table} WHERE {self._key} = :key"

    @property
    def _key(self) -> str:
        """In the condition of a read: no index is used for an expression."""
        return "+key" if self._options.plan == "scan" else "key"

    def write_sql(self, table: str) -> tuple[str, ...]:
        return self._written(table, self._options.append)

    def form_sql(self, f: str, table: str, form: str, lock: str | None) -> tuple[str, ...]:
        if form not in FORMS[f]:
            raise UsageError(f"SQLite has no form {form!r}: {did_you_mean(form, FORMS[f])}")
        if f == "r":
            return (self.read_sql(table, lock).replace("= :key", "BETWEEN :key AND :key"),)
        return self._written(table, form)

    def _written(self, table: str, form: str) -> tuple[str, ...]:
        appends = self._tables.kind is Kind.LIST_APPEND
        first = ":value || ','" if appends else ":value"
        changed = "val || :value || ','" if appends else ":value"
        insert = f"INSERT INTO {table} (key, val) VALUES (:key, {first})"
        update = f"UPDATE {table} SET val = {changed} WHERE key = :key"
        if form == ON_CONFLICT:
            return (f"{insert} ON CONFLICT (key) DO UPDATE SET val = {changed}",)
        if form == UPDATE_ELSE_INSERT:
            return (update, insert)
        if form == "replace":  # deletes the old row
            old = f"coalesce((SELECT val FROM {table} WHERE key = :key), '') || " if appends else ""
            return (f"INSERT OR REPLACE INTO {table} (key, val) VALUES (:key, {old}{first})",)
        return (f"{insert} ON CONFLICT (key) DO NOTHING", update)

    compile_raw = staticmethod(compile_raw)

    def run(self, sql: str, args: Mapping[str, int] | None = None) -> StatementResult:
        """Wait for another connection's lock if we hold none ourselves, as SQLite does between files.

        Between connections that share a cache, SQLite leaves waiting to the caller.
        """
        until = time.monotonic() + self._options.busy_timeout_ms / 1000
        while True:
            try:
                cursor = self._conn.execute(sql, args or {})
                # Fetch all rows, or the statement would keep its lock.
                columns = tuple(str(each[0]) for each in cursor.description or ())
                result = StatementResult(columns, cursor.fetchall(), cursor.rowcount)
            except sqlite3.Error as error:
                patient = is_locked(error) and not (self._touched or self._cancelled or self._closed)
                if not patient or time.monotonic() > until:
                    still_open = not self._closed and self._conn.in_transaction
                    outcome = outcome_of(code_of(error), committing=sql == COMMIT, still_open=still_open)
                    message = " ".join(str(error).split())
                    raise SessionError(outcome, name_of(error), message, lost=self._closed) from None
                time.sleep(PAUSE)
            else:
                self._touched = True
                return result
