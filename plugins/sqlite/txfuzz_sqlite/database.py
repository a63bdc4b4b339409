"""An open SQLite database; see txfuzz.plugin_api.Database."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from txfuzz.plugin_api import (
    TABLE_PREFIX,
    DatabaseUnavailable,
    Kind,
    SqlDatabase,
    TableMaker,
    Tables,
    UsageError,
)

from .codes import is_contention
from .drivers import SqliteDrivers
from .files import DatabaseFile, new_database_file
from .options import JOURNAL_MODE, LAYOUTS, SHARED_CACHE, SqliteOptions
from .session import SqliteSession

if TYPE_CHECKING:
    from .scenario.tables import SqliteScenario

Result = TypeVar("Result")
_, WITHOUT_ROWID, SECONDARY = LAYOUTS
PATIENCE = 10.0  # seconds that the control connection waits for a lock


class SqliteTables(TableMaker[sqlite3.Connection]):
    key_type = "INTEGER"
    val_types: ClassVar = {Kind.LIST_APPEND: "TEXT", Kind.RW_REGISTER: "INTEGER"}
    val_columns: ClassVar = {Kind.LIST_APPEND: "TEXT NOT NULL", Kind.RW_REGISTER: "INTEGER"}

    def create_statements(self, table: str, kind: Kind, layout: str) -> tuple[str, ...]:
        create = self.create_sql(table, kind)
        if layout == WITHOUT_ROWID:
            return (f"{create} WITHOUT ROWID",)
        if layout == SECONDARY:
            return create, f"CREATE INDEX {table}_by_val ON {table} (val)"
        return (create,)

    def run(self, on: sqlite3.Connection, sql: str) -> Sequence[Sequence[Any]]:
        return on.execute(sql).fetchall()

    def names(self, on: sqlite3.Connection, tables: Tables) -> Iterable[str]:
        return (name for (name,) in self.run(on, "SELECT name FROM sqlite_master WHERE type = 'table'"))

    def column_types(self, on: sqlite3.Connection, tables: Tables, name: str) -> Mapping[str, str]:
        return {row[1]: row[2] for row in self.run(on, f"PRAGMA table_info({name})")}

    def prepare(self, on: sqlite3.Connection, tables: Tables, *, fresh: bool) -> int:
        on.execute("BEGIN IMMEDIATE")
        highest = super().prepare(on, tables, fresh=fresh)
        on.execute("COMMIT")
        return highest

    def insert_empty(self, on: sqlite3.Connection, tables: Tables, keys: range) -> None:
        on.execute("BEGIN IMMEDIATE")
        super().insert_empty(on, tables, keys)
        on.execute("COMMIT")


class SqliteDatabase(SqlDatabase[sqlite3.Connection]):
    """ours: a temporary file, removed on close()."""

    maker = SqliteTables()

    def __init__(self, options: SqliteOptions, file: DatabaseFile, *, ours: bool) -> None:
        self._options = options
        self._file = file
        self._ours = ours
        self._leaves_nothing = not ours and not options.keep
        self._closed = False
        self._lock = threading.RLock()
        self._was_there = file.path is not None and file.path.exists()
        # Tables that stay must be found again; others are private to the campaign.
        self._prefix = f"{TABLE_PREFIX}{secrets.token_hex(4)}_" if self._leaves_nothing else TABLE_PREFIX
        self._mode_before: str | None = None
        with ExitStack() as opened:
            opened.callback(file.close)
            self._control = self._connect(PATIENCE)
            opened.callback(self._control.close)
            self.run(self._choose_journal)
            opened.pop_all()

    def describe(self) -> Mapping[str, str]:
        asked = ("journal_mode", "synchronous", "page_size", "wal_autocheckpoint")
        found = self.run(lambda conn: {name: pragma(conn, name) for name in asked})
        return {
            "product": "SQLite",
            "version": sqlite3.sqlite_version,
            "server": "temporary database" if self._ours else self._file.shown,
            "url": self._file.shown,
            "mode": self._options.mode,
            "threadsafety": str(sqlite3.threadsafety),
            **found,
        }

    def warnings(self) -> tuple[str, ...]:
        single = "this SQLite is compiled single-threaded: clients cannot run concurrently"
        return () if sqlite3.threadsafety else (single,)

    def tables(self, kind: Kind) -> Tables:
        options = self._options
        return Tables(kind, count=options.tables, prefix=self._prefix, layout=options.layout)

    def vary(self, options: Mapping[str, Any]) -> None:
        """See txfuzz.plugin_api.TakesVariations."""
        self._options = replace(self._options, **options)

    def session(self, kind: Kind) -> SqliteSession:
        conn = self._connect(self._options.busy_timeout_ms / 1000)
        return SqliteSession(conn, self.tables(kind), self._options)

    def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do the work, retrying while others hold locks; it must be restartable."""
        until = time.monotonic() + PATIENCE
        with self._lock:
            while True:
                try:
                    return work(self._control)
                except sqlite3.Error as error:
                    if not is_contention(error) or time.monotonic() > until:
                        raise self._unavailable(error) from None
                finally:
                    with suppress(sqlite3.Error):
                        if self._control.in_transaction:
                            self._control.execute("ROLLBACK")
                time.sleep(0.002)

    def drivers(self) -> SqliteDrivers:
        """See txfuzz.plugin_api.KnowsDrivers."""
        return SqliteDrivers()

    def begin_statements(
        self, isolation: str, *, read_only: bool = False, deferrable: bool = False
    ) -> tuple[str, ...]:
        """See txfuzz.plugin_api.WritesBegin."""
        from .scenario.sessions import read_uncommitted

        shared = self._options.mode == SHARED_CACHE
        begin = f"BEGIN {self._options.begin.upper()}"
        return (read_uncommitted(isolation, self._options), begin) if shared else (begin,)

    def scenario(self, setup: Sequence[str]) -> SqliteScenario:
        """See txfuzz.plugin_api.HoldsScenarios. In a database of its own, whatever the URL."""
        from .scenario.tables import SqliteScenario

        beside = self._file.beside(secrets.token_hex(3)) if self._ours else None
        return SqliteScenario(beside or new_database_file(self._options.mode), self._options, setup)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if self._leaves_nothing:
                    with suppress(DatabaseUnavailable):
                        self.run(self._leave)
            finally:
                self._control.close()
                if self._leaves_nothing and not self._was_there:
                    self._file.remove()
                self._file.close()

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        """A connection without implicit transactions."""
        wished = self._options.synchronous or ("off" if self._ours else None)
        with ExitStack() as opened:
            try:
                conn = sqlite3.connect(
                    self._file.uri, busy_seconds, isolation_level=None, check_same_thread=False, uri=True
                )
                opened.callback(conn.close)
                if wished is not None:
                    conn.execute(f"PRAGMA synchronous = {wished}").fetchall()
            except sqlite3.Error as error:
                raise self._unavailable(error) from None
            opened.pop_all()
        return conn

    def _unavailable(self, error: sqlite3.Error) -> DatabaseUnavailable:
        return DatabaseUnavailable(f"SQLite at {self._file.shown}: {error}")

    def _choose_journal(self, conn: sqlite3.Connection) -> None:
        wanted = JOURNAL_MODE.get(self._options.mode)
        if wanted is None:
            if ("OMIT_SHARED_CACHE",) in conn.execute("PRAGMA compile_options").fetchall():
                raise DatabaseUnavailable(f"SQLite {sqlite3.sqlite_version} is built without a shared cache")
            return
        before = pragma(conn, "journal_mode")
        if self._was_there and before != wanted:
            self._mode_before = before
        got = pragma(conn, f"journal_mode = {wanted}")
        if got != wanted:
            raise UsageError(
                f"the journal mode of {self._file.shown} is {got} and cannot be changed to {wanted}"
            )

    def _leave(self, conn: sqlite3.Connection) -> None:
        """Remove our tables from the user's file."""
        for kind in Kind:
            self.maker.drop(conn, self.tables(kind))
        if self._mode_before is not None:
            pragma(conn, f"journal_mode = {self._mode_before}")


def pragma(conn: sqlite3.Connection, name: str) -> str:
    row = conn.execute(f"PRAGMA {name}").fetchone()
    return str(row[0]) if row else ""
