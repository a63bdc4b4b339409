"""Python's sqlite3, as applications use it; see txfuzz.plugin_api.Drivers.

Its classes cannot be changed, so connections are met that are opened while the calls are intercepted.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from txfuzz.plugin_api import (
    COMMIT,
    ROLLBACK,
    Around,
    DriverCall,
    Rows,
    StatementAnswer,
    each_in_full,
    replaced,
)

MOST_ROWS = 4  # of a result that are looked at
_CONNECT = sqlite3.connect
_PLACEHOLDER = re.compile(r"\?|[:@$](\w+)|'(?:[^']|'')*'")
_listeners: list[Around] = []


class SqliteDrivers:
    needs = "it has to use sqlite3, in its own thread, by a connection that is opened while the check runs"
    schemes = frozenset({"sqlite", "sqlite3"})

    @contextmanager
    def intercept(self, around: Around) -> Iterator[None]:
        def connect(database: Any, *args: Any, **more: Any) -> Any:
            return _CONNECT(database, *args, **{**more, "factory": _connection_kind(more.get("factory"))})

        _listeners.append(around)
        try:
            with replaced(sqlite3, connect=connect), replaced(sqlite3.dbapi2, connect=connect):
                yield
        finally:
            _listeners.remove(around)

    def connect(self, url: str) -> Any:
        return sqlite3.connect(unquote(url.partition(":///")[2].partition("?")[0]))

    def url_of(self, connection: Any) -> str | None:
        if not isinstance(connection, sqlite3.Connection):
            return None
        cursor = sqlite3.Cursor(connection)  # whatever the user's own has become
        cursor.row_factory = None
        try:
            file = next((row[2] for row in cursor.execute("PRAGMA database_list")), "")
        except sqlite3.Error:  # closed
            return None
        return f"sqlite:///{quote(file)}" if file else None

    def in_transaction(self, connection: Any) -> bool:
        try:
            return bool(connection.in_transaction)
        except sqlite3.Error:  # closed
            return False

    def break_off(self, connection: Any) -> None:
        """Only its statement: a connection belongs to the thread that has opened it."""
        with suppress(sqlite3.Error):
            connection.interrupt()


def _met(connection: Any, sql: str, send: Callable[[str], Any], **more: Any) -> Any:
    return _listeners[-1](DriverCall(connection, sql, send, **more)) if _listeners else send(sql)


@cache
def _connection_kind(factory: type[sqlite3.Connection] | None) -> type[sqlite3.Connection]:
    parent: Any = factory or sqlite3.Connection

    class MetConnection(parent):  # type: ignore[misc]
        def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
            kind = _cursor_kind(factory) if isinstance(factory, type) else factory
            return super().cursor(kind)

        def execute(self, *args: Any) -> Any:
            return self.cursor().execute(*args)

        def executemany(self, *args: Any) -> Any:
            return self.cursor().executemany(*args)

        def executescript(self, *args: Any) -> Any:
            return self.cursor().executescript(*args)

        def commit(self) -> None:
            _met(self, COMMIT, lambda _: super(MetConnection, self).commit())

        def rollback(self) -> None:
            _met(self, ROLLBACK, lambda _: super(MetConnection, self).rollback())

        def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
            word = COMMIT if kind is None else ROLLBACK
            return _met(self, word, lambda _: super(MetConnection, self).__exit__(kind, error, trace))

    MetConnection.__name__ = MetConnection.__qualname__ = parent.__name__
    return MetConnection


@cache
def _cursor_kind(factory: type[sqlite3.Cursor]) -> type[sqlite3.Cursor]:
    parent: Any = factory

    class MetCursor(parent):  # type: ignore[misc]
        _fetched: list[Any] = []  # noqa: RUF012  # each statement begins a new one

        def execute(self, sql: str, *args: Any) -> Any:
            return self._meet(sql, args, super().execute)

        def executemany(self, sql: str, *args: Any) -> Any:
            return self._meet(
                sql,
                (),
                lambda wanted: super(MetCursor, self).executemany(wanted, *args),
                lambda: each_in_full(sql, args[0] if args else None, lambda each: _in_full(sql, (each,))),
            )

        def executescript(self, sql: str) -> Any:
            return self._meet(sql, (), super().executescript)

        def _meet(
            self,
            sql: str,
            args: tuple[Any, ...],
            original: Callable[..., Any],
            in_full: Callable[[], str] | None = None,
        ) -> Any:
            fetched: list[Any] = []
            self._fetched = fetched
            return _met(
                self.connection,
                sql,
                lambda wanted: original(wanted, *args),
                answer=lambda: _answer(self, fetched),
                in_full=in_full or (lambda: _in_full(sql, args)),
            )

        def fetchone(self) -> Any:
            row = super().fetchone()
            if row is not None:
                self._note([row])
            return row

        def fetchmany(self, *args: Any, **more: Any) -> Any:
            return self._note(super().fetchmany(*args, **more))

        def fetchall(self) -> Any:
            return self._note(super().fetchall())

        def __next__(self) -> Any:
            row = super().__next__()
            self._note([row])
            return row

        def _note(self, rows: list[Any]) -> list[Any]:
            if len(self._fetched) < MOST_ROWS:
                self._fetched.extend(rows[:MOST_ROWS])
            return rows

    MetCursor.__name__ = MetCursor.__qualname__ = parent.__name__
    return MetCursor


def _answer(cursor: sqlite3.Cursor, fetched: list[Any]) -> StatementAnswer:
    """Rows are known as the code fetches them: to fetch them for it would release its locks early."""
    changed = cursor.rowcount if cursor.rowcount >= 0 else None
    if cursor.description is None or not fetched:
        return StatementAnswer(changed=changed)
    rows = (tuple(row) if isinstance(row, tuple | sqlite3.Row) else (row,) for row in fetched)
    columns = tuple(each[0] for each in cursor.description)
    return StatementAnswer(Rows(columns, tuple(row for row in rows if len(row) == len(columns))), changed)


def _in_full(sql: str, args: tuple[Any, ...]) -> str:
    if not args or not args[0]:
        return sql
    values = args[0] if isinstance(args[0], dict) else iter(args[0])

    def literal(found: re.Match[str]) -> str:
        if found[0].startswith("'"):
            return found[0]
        value = values.get(found[1]) if isinstance(values, dict) else next(values, None)
        if value is None:
            return "NULL"
        return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)

    return _PLACEHOLDER.sub(literal, sql)
