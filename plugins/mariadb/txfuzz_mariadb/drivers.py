"""PyMySQL, as applications use it; see txfuzz.plugin_api.Drivers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial, wraps
from typing import Any

import pymysql
from pymysql.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS
from pymysql.cursors import Cursor, SSCursor
from sqlalchemy.engine import URL, make_url

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
_DRIVER = "mysql+pymysql"
_HAS_READ = "_txfuzz_has_read"  # PyMySQL forgets the status that comes behind the rows of a result


class MariadbDrivers:
    needs = "it has to use PyMySQL, in its own thread"
    schemes = frozenset({"mysql", "mariadb"})

    @contextmanager
    def intercept(self, around: Around) -> Iterator[None]:
        """The methods of the classes are replaced, so connections that were opened before are met, too."""
        kind = pymysql.connections.Connection
        with ExitStack() as stack:
            for name in ("execute", "executemany", "callproc"):
                made = _statement(vars(Cursor)[name], around)
                stack.enter_context(replaced(Cursor, **{name: made}))
            words = {"commit": COMMIT, "rollback": ROLLBACK, "begin": "BEGIN", "ping": ""}
            made_of = {name: _ending(vars(kind)[name], word, around) for name, word in words.items()}
            stack.enter_context(replaced(kind, **made_of))
            yield

    def connect(self, url: str) -> Any:
        parsed = make_url(url)
        given: dict[str, Any] = {
            "host": parsed.host,
            "port": parsed.port,
            "user": parsed.username,
            "password": parsed.password,
            "database": parsed.database,
            **parsed.query,
        }
        return pymysql.connect(**{name: each for name, each in given.items() if each is not None})

    def url_of(self, connection: Any) -> str | None:
        if not isinstance(connection, pymysql.connections.Connection):
            return None
        text = {name: _decoded(getattr(connection, name)) for name in ("user", "password", "db", "host")}
        socket = connection.unix_socket
        return URL.create(
            _DRIVER,
            username=text["user"] or None,
            password=text["password"] or None,
            database=text["db"] or None,
            host=None if socket else text["host"],
            port=None if socket else connection.port,
            query={"unix_socket": str(socket)} if socket else {},
        ).render_as_string(hide_password=False)

    def in_transaction(self, connection: Any) -> bool:
        known = connection.server_status & SERVER_STATUS_IN_TRANS
        return bool(connection.open and (known or getattr(connection, _HAS_READ, False)))

    def break_off(self, connection: Any) -> None:
        with suppress(OSError, AttributeError):  # it has no socket any more
            connection._sock.shutdown(socket.SHUT_RDWR)


def _statement(original: Callable[..., Any], around: Around) -> Callable[..., Any]:
    procedure = original.__name__ == "callproc"

    @wraps(original)
    def method(cursor: Any, query: Any, *args: Any, **more: Any) -> Any:
        text = f"CALL {query}" if procedure else str(query)

        def send(wanted: str) -> Any:
            found = original(cursor, query if wanted == text else wanted, *args, **more)
            if (connection := cursor.connection) is not None:
                setattr(connection, _HAS_READ, bool(cursor.description) and not connection.get_autocommit())
            return found

        def in_full() -> str:
            given = args[0] if args else more.get("args")
            if given is None or procedure:
                return text
            mogrify = partial(cursor.mogrify, query)
            try:
                several = original.__name__ == "executemany"
                return each_in_full(text, given, mogrify) if several else str(mogrify(given))
            except Exception:  # the driver will say what is wrong with them
                return text

        return around(DriverCall(cursor.connection, text, send, partial(_answer, cursor), in_full))

    return method


def _ending(original: Callable[..., Any], word: str, around: Around) -> Callable[..., Any]:
    @wraps(original)
    def method(connection: Any, *args: Any, **more: Any) -> Any:
        def send(_: str) -> Any:
            found = original(connection, *args, **more)
            if word:  # a ping ends nothing
                setattr(connection, _HAS_READ, False)
            return found

        return around(DriverCall(connection, word, send))

    return method


def _answer(cursor: Any) -> StatementAnswer:
    changed = cursor.rowcount if isinstance(cursor.rowcount, int) and cursor.rowcount >= 0 else None
    if not cursor.description:
        return StatementAnswer(changed=changed)
    if isinstance(cursor, SSCursor):  # it has fetched nothing yet
        return StatementAnswer()
    rows = (each.values() if isinstance(each, dict) else each for each in cursor._rows[:MOST_ROWS])
    return StatementAnswer(
        Rows(tuple(each[0] for each in cursor.description), tuple(map(tuple, rows))), changed
    )


def _decoded(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
