"""An open SQLite database; see txfuzz.database.api.Database."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from txfuzz.plugin_api import TABLE_PREFIX, Closing, DatabaseUnavailable, Kind, Tables, UsageError

from .codes import is_contention
from .files import Place, own_place, place_of, remove_file
from .modes import JOURNAL, WAL
from .session import SqliteSession

if TYPE_CHECKING:
    from .adapter import SqliteAdapter

Result = TypeVar("Result")
PATIENCE = 10.0  # seconds that the control connection waits for a lock
JOURNAL_MODE = {WAL: "wal", JOURNAL: "delete"}
COLUMN = {Kind.LIST_APPEND: "TEXT NOT NULL", Kind.RW_REGISTER: "INTEGER"}
EMPTY = {Kind.LIST_APPEND: "", Kind.RW_REGISTER: None}


class SqliteDatabase(Closing):
    """Made by open_own() and open_url().

    ours: nobody else knows the place, and it goes with us.
    """

    def __init__(self, adapter: SqliteAdapter, place: Place, *, ours: bool) -> None:
        self._adapter = adapter
        self._place = place
        self._ours = ours
        self._closed = False
        self._lock = threading.RLock()
        self._was_there = place.path is not None and place.path.exists()
        # Tables that stay must be found again; those of a campaign are its alone.
        self._prefix = TABLE_PREFIX if ours or adapter.keep else f"{TABLE_PREFIX}{secrets.token_hex(4)}_"
        self._mode_before: str | None = None
        self._control = self._connect(PATIENCE)
        try:
            self._run(self._choose_journal)
        except BaseException:
            self._control.close()
            raise

    # -- the port -------------------------------------------------------------------------

    def describe(self) -> Mapping[str, str]:
        asked = ("journal_mode", "synchronous", "page_size", "wal_autocheckpoint")
        found = self._run(lambda conn: {name: str(pragma(conn, name)) for name in asked})
        return {
            "product": "SQLite",
            "version": sqlite3.sqlite_version,
            "server": "a database of its own" if self._ours else self._place.shown,
            "url": self._place.shown,
            "mode": self._adapter.mode,
            "threadsafety": str(sqlite3.threadsafety),
            **found,
        }

    def warnings(self) -> tuple[str, ...]:
        if sqlite3.threadsafety == 0:
            return ("this SQLite is compiled for a single thread: clients cannot be run concurrently",)
        return ()

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        tables = self._tables(kind)
        return self._run(lambda conn: prepare_tables(conn, tables, fresh=fresh))

    def insert_rows(self, kind: Kind, keys: range) -> None:
        tables = self._tables(kind)

        def insert(conn: sqlite3.Connection) -> None:
            conn.execute("BEGIN IMMEDIATE")
            for index in range(tables.count):
                mine = ((key, EMPTY[kind]) for key in keys if key % tables.count == index)
                conn.executemany(f"INSERT OR IGNORE INTO {tables.name(index)} (key, val) VALUES (?, ?)", mine)
            conn.execute("COMMIT")

        self._run(insert)

    def session(self, kind: Kind) -> SqliteSession:
        adapter = self._adapter
        return SqliteSession(
            self._connect(adapter.busy_timeout_ms / 1000),
            self._tables(kind),
            mode=adapter.mode,
            begins=adapter.begin,
            write_form=adapter.append,
            busy_seconds=adapter.busy_timeout_ms / 1000,
        )

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if not self._ours and not self._adapter.keep:
                    with suppress(DatabaseUnavailable):
                        self._run(self._leave)
            finally:
                self._control.close()
                if not self._ours and not self._adapter.keep and not self._was_there and self._place.path:
                    remove_file(self._place.path)
                self._place.close()

    # -- the place ------------------------------------------------------------------------

    def _tables(self, kind: Kind) -> Tables:
        return Tables(kind, count=self._adapter.tables, prefix=self._prefix)

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        """A connection without transactions of its own making."""
        try:
            conn = sqlite3.connect(
                self._place.uri,
                uri=True,
                timeout=busy_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise DatabaseUnavailable(f"SQLite at {self._place.shown}: {error}") from None
        try:
            wished = self._adapter.synchronous or ("off" if self._ours else None)
            if wished is not None:
                conn.execute(f"PRAGMA synchronous = {wished}").fetchall()
        except sqlite3.Error as error:
            conn.close()
            raise DatabaseUnavailable(f"SQLite at {self._place.shown}: {error}") from None
        return conn

    def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do the work, again and again while others hold locks. It must be fit to be begun anew."""
        until = time.monotonic() + PATIENCE
        with self._lock:
            while True:
                try:
                    return work(self._control)
                except sqlite3.Error as error:
                    with suppress(sqlite3.Error):
                        if self._control.in_transaction:
                            self._control.execute("ROLLBACK")
                    if not is_contention(error) or time.monotonic() > until:
                        raise DatabaseUnavailable(f"SQLite at {self._place.shown}: {error}") from None
                    time.sleep(0.002)

    def _choose_journal(self, conn: sqlite3.Connection) -> None:
        wanted = JOURNAL_MODE.get(self._adapter.mode)
        if wanted is None:
            self._check_shared_cache(conn)
            return
        before = str(pragma(conn, "journal_mode"))
        if before == wanted:
            return
        got = conn.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
        if got != wanted:
            raise UsageError(f"the journal mode of {self._place.shown} is {got}, and cannot be made {wanted}")
        if self._was_there:
            self._mode_before = before

    def _check_shared_cache(self, conn: sqlite3.Connection) -> None:
        options = {row[0] for row in conn.execute("PRAGMA compile_options")}
        if "OMIT_SHARED_CACHE" in options:
            raise DatabaseUnavailable(
                f"this SQLite ({sqlite3.sqlite_version}) is built without a shared cache"
            )

    def _leave(self, conn: sqlite3.Connection) -> None:
        """Take what is ours out of somebody's file."""
        for kind in Kind:
            for name in existing(conn, self._tables(kind)):
                conn.execute(f"DROP TABLE {name}")
        if self._mode_before is not None:
            conn.execute(f"PRAGMA journal_mode = {self._mode_before}").fetchall()


def pragma(conn: sqlite3.Connection, name: str) -> object:
    row = conn.execute(f"PRAGMA {name}").fetchone()
    return row[0] if row else ""


def prepare_tables(conn: sqlite3.Connection, tables: Tables, *, fresh: bool) -> int:
    """Make the tables exist, new and empty when `fresh`; the highest key in any of them."""
    conn.execute("BEGIN IMMEDIATE")
    present = existing(conn, tables)
    if fresh:
        for name in present:
            conn.execute(f"DROP TABLE {name}")
        present = []
    for name in present:
        check_columns(conn, tables, name)
    for index in range(tables.count):
        if tables.name(index) not in present:
            conn.execute(
                f"CREATE TABLE {tables.name(index)} (key INTEGER PRIMARY KEY, val {COLUMN[tables.kind]})"
            )
    highest = [conn.execute(f"SELECT max(key) FROM {name}").fetchone()[0] or 0 for name in present]
    conn.execute("COMMIT")
    return max(highest, default=0)


def existing(conn: sqlite3.Connection, tables: Tables) -> list[str]:
    """Our tables of this kind, also those of an earlier campaign that had more of them."""
    names = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return tables.among(name for (name,) in names)


def check_columns(conn: sqlite3.Connection, tables: Tables, name: str) -> None:
    """A table of our name that is not ours must not be written to."""
    wanted = COLUMN[tables.kind].split()[0]
    found = {row[1]: row[2] for row in conn.execute(f"PRAGMA table_info({name})")}
    if found != {"key": "INTEGER", "val": wanted}:
        conn.execute("ROLLBACK")
        raise UsageError(
            f"the table {name} is not one of txfuzz's (key INTEGER, val {wanted}): start with init_schema"
        )


def open_own(adapter: SqliteAdapter) -> SqliteDatabase:
    return opened(adapter, own_place(adapter.mode), ours=True)


def open_url(adapter: SqliteAdapter, url: str) -> SqliteDatabase:
    return opened(adapter, place_of(url, adapter.mode), ours=False)


def opened(adapter: SqliteAdapter, place: Place, *, ours: bool) -> SqliteDatabase:
    try:
        return SqliteDatabase(adapter, place, ours=ours)
    except BaseException:
        place.close()
        raise
