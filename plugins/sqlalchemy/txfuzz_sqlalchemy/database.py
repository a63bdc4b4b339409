"""An open database; see txfuzz.plugin_api.Database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from txfuzz.plugin_api import (
    TABLE_PREFIX,
    Closeable,
    DatabaseUnavailable,
    Kind,
    Tables,
    TxfuzzError,
    UsageError,
)

from .codes import BROKEN, OF_NETWORK, code_of, is_lost, outcome_of
from .engine import foreign, in_words, refuse_levels, shown, table_wait, unfit
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
        self._shown = shown(engine.url)
        # Tables that stay must be found again; others are private to the campaign.
        self._prefix = TABLE_PREFIX if options.keep else f"{TABLE_PREFIX}{secrets.token_hex(4)}_"
        try:
            self._meet()
        except BaseException:
            engine.dispose()
            raise

    def _meet(self) -> None:
        """Ask the server what it is, and refuse what it cannot do."""

        def ask(on: Connection) -> tuple[tuple[object, ...], str, str]:
            refuse_levels(on, self._options)
            named = "MariaDB" if getattr(on.dialect, "is_mariadb", False) else ""
            return on.dialect.server_version_info or (), named, foreign(on)

        try:
            version, named, self._foreign = self.run(ask)
        except TxfuzzError:
            raise
        except Exception as error:  # a driver on a parameter of the URL, or a dialect on the server's version
            raise unfit(self._engine.url, error) from None
        self._version = ".".join(map(str, version)) or "unknown"
        self._product = named or self._options.facts.product or self._engine.dialect.name

    def describe(self) -> Mapping[str, str]:
        return {
            "product": self._product,
            "version": self._version,
            "server": self._shown,
            "url": self._shown,
            "driver": self._engine.dialect.driver,
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
        if self._foreign and self._options.levels is None:
            found.append(
                f"this server calls itself {self._foreign!r}: findings are judged by the promises of "
                f"{self._options.facts.product}; the option `levels` says what this one promises"
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
        except SQLAlchemyError as error:
            if isinstance(error, DBAPIError) and is_lost(error):
                raise
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
        except (SQLAlchemyError, *BROKEN) as error:
            raise self._unavailable(error) from None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """One transaction on a connection of its own; again where others are in the way."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with self._engine.begin() as connection:
                    if waits := table_wait(self._options, int(PATIENCE)):
                        connection.exec_driver_sql(waits)
                    return work(connection)
            except DBAPIError as error:
                code = code_of(error)
                refused = outcome_of(code, lost=False, committing=True).value == "fail"
                if not refused or is_lost(error) or time.monotonic() > until:
                    raise self._unavailable(error) from None
            except (SQLAlchemyError, *OF_NETWORK) as error:
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

    def _unavailable(self, error: Exception) -> DatabaseUnavailable:
        """Without the password, which a driver may quote."""
        cause = getattr(error, "orig", None) or error
        return DatabaseUnavailable(f"{self._shown}: {in_words(self._engine.url, cause)}")
