"""One connection, driven by one thread."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import Executable

from txfuzz.plugin_api import (
    TEXT_DECODERS,
    WRITE_FUNCTION,
    Answer,
    BoundStep,
    Kind,
    Outcome,
    ReadValue,
    SessionError,
    Tables,
    UsageError,
    level_among,
    table_index,
)

from .codes import BROKEN, ENDED, GONE, NO_DATA, NOT_ALLOWED, SYNTAX, UNBOUND, WRONG_TYPE, session_error
from .engine import lock_wait
from .options import BY_DIALECT, SqlalchemyOptions
from .statements import compile_raw, quoted_key, raw_text, read_statement, table_of, write_statements

_COUNTED = ("Count",)  # DuckDB answers a change with a row that holds the number


class SqlalchemySession:
    """See txfuzz.plugin_api.Session and .RunsSql. `_open`: a transaction is open and has not failed."""

    def __init__(self, engine: Engine, tables: Tables, options: SqlalchemyOptions) -> None:
        self._tables, self._options, self._facts = tables, options, options.facts
        self._decode = TEXT_DECODERS[tables.kind]
        self._metadata = MetaData()
        self._statements: dict[tuple[str | None, str | None, int], tuple[Executable, ...]] = {}
        self._open, self._level = False, ""
        # Else SQLAlchemy does not keep the number of rows of an INSERT.
        self._connection: Connection = engine.connect().execution_options(preserve_rowcount=True)
        try:
            self._driver: Any = self._connection.connection.driver_connection
            if waits := lock_wait(options):
                self._connection.exec_driver_sql(waits)
            self._connection.commit()
        except BaseException:
            self._connection.close()
            raise

    # -- transactions -------------------------------------------------------------------------

    def begin(self, isolation: str) -> None:
        if self._open:
            raise SessionError(Outcome.BUG, NOT_ALLOWED, "a transaction is already open")
        what = f"{self._facts.product or 'this database'} has no isolation level"
        level = level_among(isolation, self._facts.levels, what)
        with self._errors():
            self._connection.rollback()  # of what SQLAlchemy has begun by itself
            # SQLAlchemy would connect again, to a session without our level and time-out
            if self._connection.invalidated:
                raise SessionError(Outcome.FAIL, GONE, "the connection was lost", lost=True)
            if self._facts.chooses and level != self._level:
                self._connection = self._connection.execution_options(isolation_level=level.upper())
                self._level = level
            self._connection.begin()
        self._open = True

    def commit(self) -> None:
        self._require_open("COMMIT")
        self._open = False
        try:
            with self._errors(committing=True):
                self._connection.commit()
        except SessionError as error:
            # SQLAlchemy takes the transaction for ended, but SQLite for one leaves it open
            if not error.lost:
                with contextlib.suppress(Exception):  # there is none
                    self._driver.rollback()
            raise

    def rollback(self) -> None:
        self._open = False
        with contextlib.suppress(SQLAlchemyError, *BROKEN):
            self._connection.rollback()

    def rollback_to(self, savepoint: str) -> None:
        """See txfuzz.plugin_api.GoesOn."""
        with self._errors():
            self._connection.execute(raw_text(f"ROLLBACK TO SAVEPOINT {savepoint}"))
        self._open = True

    def cancel(self) -> None:
        """By the driver's own means, if it has any; else a wait ends by its time-out. psycopg has cancel(),
        sqlite3 and DuckDB have interrupt()."""
        for name in ("cancel", "interrupt"):
            with contextlib.suppress(Exception):  # it may be closed
                getattr(self._driver, name)()
                return

    def close(self) -> None:
        self._open = False
        with contextlib.suppress(Exception):  # whatever a broken connection says
            self._connection.close()

    @contextlib.contextmanager
    def _errors(self, *, committing: bool = False) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, *BROKEN) as error:
            raise session_error(error, committing=committing) from None

    def _require_open(self, what: str) -> None:
        if not self._open:
            raise SessionError(Outcome.FAIL, ENDED, f"the transaction ended before {what}")

    # -- steps --------------------------------------------------------------------------------

    def execute(self, step: BoundStep) -> ReadValue:
        self._require_open("this step")
        self._open = False  # until all is well
        seen = self._execute(step)
        self._open = True
        return seen

    def _execute(self, step: BoundStep) -> ReadValue:
        assert step.key is not None
        *earlier, last = self._statements_of(step.f, step.step.lock, step.key % self._tables.count)
        key = int(step.key)  # plain numbers: drivers would use the repr of other types
        if step.f == "r":
            with self._errors():
                cell = self._connection.execute(last, {"the_key": key}).scalar()
            try:
                return self._decode(cell)
            except ValueError as error:
                raise SessionError(Outcome.BUG, WRONG_TYPE, f"key {step.key}: {error}") from None
        assert step.value is not None
        lists = self._tables.kind is Kind.LIST_APPEND
        written = f"{int(step.value)}," if lists else int(step.value)
        given = {"the_key": key, "written": written}
        if any(self._changed(each, given) == 1 for each in earlier):
            return None
        # Two: what MySQL counts for a row that INSERT … ON DUPLICATE KEY UPDATE has updated
        if not 1 <= self._changed(last, given) <= 2:
            raise SessionError(Outcome.BUG, NO_DATA, f"the {step.f} to key {step.key} changed no row")
        return None

    def _changed(self, statement: Executable, given: Mapping[str, Any]) -> int:
        with self._errors():
            return int(self._connection.execute(statement, given).rowcount)

    def _statements_of(self, f: str | None, lock: str | None, index: int) -> tuple[Executable, ...]:
        found = self._statements.get((f, lock, index))
        if found is None:
            found = self._statements[f, lock, index] = self._make(f, lock, index)
        return found

    def _make(self, f: str | None, lock: str | None, index: int) -> tuple[Executable, ...]:
        kind, table = self._tables.kind, table_of(self._tables, index, self._metadata)
        if f == "r":
            try:
                return (read_statement(table, lock, self._facts),)
            except UsageError as error:
                raise SessionError(Outcome.BUG, SYNTAX, str(error)) from None
        if f != WRITE_FUNCTION[kind]:
            message = f"a {kind.value} history has no micro-operation {f!r}"
            raise SessionError(Outcome.BUG, WRONG_TYPE, message)
        upsert = self._options.append == BY_DIALECT
        return write_statements(table, kind, self._facts, upsert=upsert)

    # -- raw SQL ------------------------------------------------------------------------------

    def execute_sql(self, step: BoundStep) -> Answer:
        """See txfuzz.plugin_api.RunsSql."""
        self._require_open("this step")
        self._open = False  # until all is well
        sql = step.step.sql or ""
        try:
            statement = compile_raw(sql)
        except UsageError as error:
            raise SessionError(Outcome.BUG, NOT_ALLOWED, str(error)) from None
        index = table_index(step, sql, self._tables.count, SYNTAX)
        table = table_of(self._tables, index, self._metadata)
        dialect = self._connection.dialect
        name = dialect.identifier_preparer.format_table(table)
        raw = raw_text(quoted_key(sql, dialect).replace("{table}", name))
        with self._errors():
            result = self._connection.execute(raw, statement.arguments(step, UNBOUND))
            columns = tuple(map(str, result.keys())) if result.returns_rows else ()
            rows: Sequence[Any] = [tuple(row) for row in result] if result.returns_rows else ()
            count = result.rowcount
        self._open = True
        if columns == _COUNTED and self._options.dialect == "duckdb" and count >= 0:
            columns, rows = (), ()
        return Answer(columns, rows, max(count, 0), self._decode, twice=self._counts_twice(sql))

    def _counts_twice(self, sql: str) -> bool:
        upserts = sql.split(maxsplit=1)[0].lower() in ("insert", "replace") if sql.split() else False
        return upserts and self._options.dialect in ("mysql", "mariadb")
