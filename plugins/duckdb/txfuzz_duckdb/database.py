"""An open DuckDB database; see txfuzz.plugin_api.Database."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import duckdb

from txfuzz.plugin_api import TABLE_PREFIX, DatabaseUnavailable, Kind, SqlDatabase, TableMaker, Tables

from .codes import RETRIED, code_of
from .files import DatabaseFile
from .options import DuckdbOptions
from .session import DuckdbSession

if TYPE_CHECKING:
    from .scenario.tables import DuckdbScenario

Result = TypeVar("Result")
Connection = duckdb.DuckDBPyConnection
PATIENCE = 10.0  # seconds in which conflicts of the control connection are tried again
_OURS = "database_name = current_database() AND schema_name = 'main'"


class DuckdbTables(TableMaker[Connection]):
    key_type = "BIGINT"
    val_types: ClassVar = {Kind.LIST_APPEND: "VARCHAR", Kind.RW_REGISTER: "BIGINT"}
    val_columns: ClassVar = {Kind.LIST_APPEND: "VARCHAR NOT NULL", Kind.RW_REGISTER: "BIGINT"}

    def run(self, on: Connection, sql: str) -> Sequence[Sequence[Any]]:
        return on.execute(sql).fetchall()

    def names(self, on: Connection, tables: Tables) -> Iterable[str]:
        return (name for (name,) in self.run(on, f"SELECT table_name FROM duckdb_tables() WHERE {_OURS}"))

    def column_types(self, on: Connection, tables: Tables, name: str) -> Mapping[str, str]:
        asked = f"SELECT column_name, data_type FROM duckdb_columns() WHERE {_OURS} AND table_name = $name"
        return dict(on.execute(asked, {"name": name}).fetchall())


class DuckdbDatabase(SqlDatabase[Connection]):
    """ours: a temporary file or memory, gone on close()."""

    maker = DuckdbTables()

    def __init__(self, options: DuckdbOptions, file: DatabaseFile, *, ours: bool) -> None:
        self._options, self._file, self._ours = options, file, ours
        self._leaves_nothing = not ours and not options.keep
        self._closed = False
        self._lock = threading.RLock()
        self._was_there = file.path is not None and file.path.exists()
        # Tables that stay must be found again; others are private to the campaign.
        self._prefix = f"{TABLE_PREFIX}{secrets.token_hex(4)}_" if self._leaves_nothing else TABLE_PREFIX
        try:
            self._control = duckdb.connect(file.name, config=dict(options.settings))
        except duckdb.Error as error:
            file.close()
            raise self._unavailable(error) from None

    def describe(self) -> Mapping[str, str]:
        asked = ("threads", "checkpoint_threshold", "memory_limit")
        found = self.run(
            lambda on: {name: on.execute(f"SELECT current_setting('{name}')").fetchone() for name in asked}
        )
        return {
            "product": "DuckDB",
            "version": duckdb.__version__,
            "server": "temporary database" if self._ours else self._file.shown,
            "url": self._file.shown,
            **{name: str(row[0]) for name, row in found.items() if row},
        }

    def warnings(self) -> tuple[str, ...]:
        return ()

    def tables(self, kind: Kind) -> Tables:
        return Tables(kind, count=self._options.tables, prefix=self._prefix)

    def session(self, kind: Kind) -> DuckdbSession:
        with self._lock:
            try:
                return DuckdbSession(self._control.cursor(), self.tables(kind), self._options)
            except duckdb.Error as error:
                raise self._unavailable(error) from None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do the work, again after a conflict; it must be restartable."""
        until = time.monotonic() + PATIENCE
        with self._lock:
            while True:
                try:
                    return work(self._control)
                except duckdb.Error as error:
                    if code_of(error) not in RETRIED or time.monotonic() > until:
                        raise self._unavailable(error) from None
                time.sleep(0.002)

    def begin_statements(
        self, isolation: str, *, read_only: bool = False, deferrable: bool = False
    ) -> tuple[str, ...]:
        """See txfuzz.plugin_api.WritesBegin."""
        return ("BEGIN TRANSACTION READ ONLY" if read_only else "BEGIN TRANSACTION",)

    def scenario(self, setup: Sequence[str]) -> DuckdbScenario:
        """See txfuzz.plugin_api.HoldsScenarios. In a database of its own, whatever the URL."""
        from .scenario.tables import DuckdbScenario

        return DuckdbScenario(self._options, setup)

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

    def _unavailable(self, error: duckdb.Error) -> DatabaseUnavailable:
        return DatabaseUnavailable(f"DuckDB at {self._file.shown}: {' '.join(str(error).split())}")

    def _leave(self, on: Connection) -> None:
        """Remove our tables from the user's file."""
        for kind in Kind:
            self.maker.drop(on, self.tables(kind))
