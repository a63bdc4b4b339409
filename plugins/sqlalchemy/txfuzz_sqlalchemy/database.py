"""An open database; see txfuzz.plugin_api.Database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from txfuzz.plugin_api import TABLE_PREFIX, Closeable, DatabaseUnavailable, Kind, Tables, UsageError

from .codes import code_of, is_lost, outcome_of
from .options import SqlalchemyOptions
from .session import SqlalchemySession
from .statements import table_of

Result = TypeVar("Result")
PATIENCE = 10.0  # seconds in which work that others are in the way of is tried again
ROWS_AT_ONCE = 500


class SqlalchemyDatabase(Closeable):
    """Tables with a prefix of our own, which are dropped at the end unless they are to be kept."""

    def __init__(self, options: SqlalchemyOptions, engine: Engine) -> None:
        self._options, self._engine = options, engine
        self._closed = False
        # Tables that stay must be found again; others are private to the campaign.
        self._prefix = TABLE_PREFIX if options.keep else f"{TABLE_PREFIX}{secrets.token_hex(4)}_"
        try:
            version = self.run(lambda on: on.dialect.server_version_info) or ()
        except BaseException:
            engine.dispose()
            raise
        self._version = ".".join(map(str, version)) or "unknown"

    def describe(self) -> Mapping[str, str]:
        dialect, shown = self._engine.dialect, self._engine.url.render_as_string(hide_password=True)
        return {
            "product": self._options.facts.product or dialect.name,
            "version": self._version,
            "server": shown,
            "url": shown,
            "driver": dialect.driver,
        }

    def warnings(self) -> tuple[str, ...]:
        found = []
        if not self._options.facts.lock_wait and self._options.dialect not in ("duckdb",):
            found.append(
                "how long a statement waits for a lock cannot be limited here: a wait that the database does "
                "not end lasts as long as the run"
            )
        if self._options.dialect is None and self._options.levels is None:
            found.append(
                "nothing is known of the levels of this database: transactions run at the driver's own "
                "level, of which next to nothing is promised; the option `levels` says what is"
            )
        return tuple(found)

    def tables(self, kind: Kind) -> Tables:
        return Tables(kind, self._options.schema or "", self._options.tables, prefix=self._prefix)

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        tables = self.tables(kind)

        def work(on: Connection) -> int:
            present = self._present(on, tables)
            if fresh:
                for name in present:
                    self._table(tables, name).drop(on)
                present = []
            highest = [on.scalar(select(func.max(self._known(on, tables, name).c.key))) for name in present]
            for index in range(tables.count):
                if tables.name(index) not in present:
                    table_of(tables, index, MetaData()).create(on)
            return max((int(each or 0) for each in highest), default=0)

        return self.run(work)

    def _present(self, on: Connection, tables: Tables) -> list[str]:
        # Some databases fold names to capitals, which SQLAlchemy undoes.
        return tables.among(inspect(on).get_table_names(schema=self._options.schema))

    def _table(self, tables: Tables, name: str) -> Table:
        suffix = name.removeprefix(tables.stem).lstrip("_")
        return table_of(tables, int(suffix or 0), MetaData())

    def _known(self, on: Connection, tables: Tables, name: str) -> Table:
        """UsageError for a table with our name but other columns."""
        table = self._table(tables, name)
        try:
            on.execute(select(table.c.key, table.c.val).where(table.c.key == -1)).all()
        except SQLAlchemyError:
            raise UsageError(
                f"the table {name} is not a txfuzz table (key, val): start with init_schema"
            ) from None
        return table

    def insert_rows(self, kind: Kind, keys: range) -> None:
        tables = self.tables(kind)
        empty = "" if kind is Kind.LIST_APPEND else None

        def work(on: Connection) -> None:
            for index in range(tables.count):
                table = table_of(tables, index, MetaData())
                mine = [key for key in keys if key % tables.count == index]
                for start in range(0, len(mine), ROWS_AT_ONCE):
                    some = mine[start : start + ROWS_AT_ONCE]
                    on.execute(insert(table), [{"key": key, "val": empty} for key in some])

        self.run(work)

    def session(self, kind: Kind) -> SqlalchemySession:
        try:
            return SqlalchemySession(self._engine, self.tables(kind), self._options)
        except SQLAlchemyError as error:
            raise self._unavailable(error) from None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """One transaction on a connection of its own; again where others are in the way."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                code = code_of(error)
                refused = outcome_of(code, lost=False, committing=True).value == "fail"
                if not refused or is_lost(error) or time.monotonic() > until:
                    raise self._unavailable(error) from None
            except SQLAlchemyError as error:
                raise self._unavailable(error) from None
            time.sleep(0.005)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if not self._options.keep:
                with suppress(DatabaseUnavailable):
                    self.run(self._leave)
        finally:
            self._engine.dispose()

    def _leave(self, on: Connection) -> None:
        for kind in Kind:
            tables = self.tables(kind)
            for name in self._present(on, tables):
                self._table(tables, name).drop(on)

    def _unavailable(self, error: SQLAlchemyError) -> DatabaseUnavailable:
        """Without the password, which a driver may quote."""
        shown = self._engine.url.render_as_string(hide_password=True)
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = " ".join(str(cause).split())
        password = self._engine.url.password
        if password:
            reason = reason.replace(str(password), "***")
        return DatabaseUnavailable(f"{shown}: {reason}")
