"""psycopg, as applications use it; see txfuzz.plugin_api.Drivers."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial, wraps
from typing import Any

import psycopg
from psycopg import sql
from psycopg.adapt import Transformer
from psycopg.pq import PipelineStatus, TransactionStatus

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
_CLOSED = TransactionStatus.IDLE, TransactionStatus.UNKNOWN


class PostgresDrivers:
    needs = "it has to use psycopg, in its own thread"
    schemes = frozenset({"postgres", "postgresql"})

    @contextmanager
    def intercept(self, around: Around) -> Iterator[None]:
        """The methods of the classes are replaced, so connections that were opened before are met, too."""
        with ExitStack() as stack:
            for owner in (psycopg.Cursor, psycopg.ServerCursor):
                for name in ("execute", "executemany", "stream", "copy"):
                    if name in vars(owner):
                        made = _statement(vars(owner)[name], around)
                        stack.enter_context(replaced(owner, **{name: made}))
            stack.enter_context(
                replaced(
                    psycopg.Connection,
                    commit=_ending(psycopg.Connection.commit, COMMIT, around),
                    rollback=_ending(psycopg.Connection.rollback, ROLLBACK, around),
                )
            )
            for asynchronous in (psycopg.AsyncCursor, psycopg.AsyncServerCursor):
                for name in ("execute", "executemany", "stream", "copy"):
                    if name in vars(asynchronous):
                        met = _asynchronous(vars(asynchronous)[name], around)
                        stack.enter_context(replaced(asynchronous, **{name: met}))
            stack.enter_context(
                replaced(
                    psycopg.Transaction,
                    __enter__=_entering(psycopg.Transaction.__enter__, around),
                    __exit__=_leaving(psycopg.Transaction.__exit__, around),
                )
            )
            yield

    def connect(self, url: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(url.replace("+psycopg:", ":", 1))

    def url_of(self, connection: Any) -> str | None:
        if not isinstance(connection, psycopg.Connection) or connection.closed:
            return None
        from .protocol.url import url_of

        info = connection.info
        return url_of({**info.get_parameters(), "password": info.password})

    def in_transaction(self, connection: Any) -> bool:
        return bool(connection.info.transaction_status not in _CLOSED)

    def break_off(self, connection: Any) -> None:
        """The server ends the session; libpq's own functions belong to the thread that uses it."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)


def _statement(original: Callable[..., Any], around: Around) -> Callable[..., Any]:
    @wraps(original)
    def method(cursor: Any, query: Any, *args: Any, **more: Any) -> Any:
        text = _text(query, cursor)

        def send(wanted: str) -> Any:
            return original(cursor, query if wanted == text else wanted, *args, **more)

        def in_full() -> str:
            several = original.__name__ == "executemany"
            given = args[0] if args else more.get("params_seq" if several else "params")
            if not given or isinstance(given, str):
                return text
            mogrify = partial(psycopg.ClientCursor(cursor.connection).mogrify, query)
            try:
                return each_in_full(text, given, mogrify) if several else mogrify(given)
            except Exception:  # the driver will say what is wrong with them
                return text

        answer, unordered = partial(_answer, cursor), _pipelined(cursor.connection)
        return around(DriverCall(cursor.connection, text, send, answer, in_full, unordered))

    return method


def _pipelined(connection: Any) -> str:
    if connection.closed or connection.info.pipeline_status is PipelineStatus.OFF:
        return ""
    return "psycopg sends it later, as it is in pipeline mode"


def _asynchronous(original: Callable[..., Any], around: Around) -> Callable[..., Any]:
    """Only told of: what it returns is still to be awaited."""

    @wraps(original)
    def method(cursor: Any, query: Any, *args: Any, **more: Any) -> Any:
        why = "its connection is asynchronous, and others in the same thread go on while it runs"
        around(DriverCall(cursor.connection, str(query), lambda _: None, unordered=why))
        return original(cursor, query, *args, **more)

    return method


def _ending(original: Callable[..., Any], word: str, around: Around) -> Callable[..., Any]:
    @wraps(original)
    def method(connection: Any) -> Any:
        return around(DriverCall(connection, word, lambda _: original(connection)))

    return method


def _entering(original: Callable[..., Any], around: Around) -> Callable[..., Any]:
    """Of `with connection.transaction()`, which sends BEGIN or SAVEPOINT by itself."""

    @wraps(original)
    def method(transaction: Any) -> Any:
        connection = transaction.connection
        word = "BEGIN" if connection.info.transaction_status is TransactionStatus.IDLE else "SAVEPOINT"
        return around(DriverCall(connection, word, lambda _: original(transaction)))

    return method


def _leaving(original: Callable[..., Any], around: Around) -> Callable[..., Any]:
    """Only the outermost one ends the transaction."""

    @wraps(original)
    def method(transaction: Any, kind: Any, error: Any, trace: Any) -> Any:
        stays = kind is None and not transaction.force_rollback
        word = COMMIT if stays else ROLLBACK
        if not transaction._outer_transaction:
            word = "RELEASE" if stays else "ROLLBACK TO SAVEPOINT"
        call = DriverCall(transaction.connection, word, lambda _: original(transaction, kind, error, trace))
        return around(call)

    return method


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, sql.Composable):
        return str(query.as_string(cursor))
    return query.decode(errors="replace") if isinstance(query, bytes) else str(query)


def _answer(cursor: Any) -> StatementAnswer:
    result = cursor.pgresult
    changed = cursor.rowcount if cursor.rowcount >= 0 else None
    if result is None or cursor.description is None:
        return StatementAnswer(changed=changed)
    loader = Transformer(cursor.connection)
    loader.set_pgresult(result)
    rows = loader.load_rows(0, min(result.ntuples, MOST_ROWS), tuple)
    return StatementAnswer(Rows(tuple(each.name for each in cursor.description), tuple(rows)), changed)
