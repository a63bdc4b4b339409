"""Connections that go from one set of tables to the next: a new one costs a process of the server, and the
first statements of that read the whole catalogue."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from txfuzz.plugin_api import DatabaseUnavailable

from ..protocol.connection import reason

Plain = psycopg.Connection[tuple[Any, ...]]


class SpareConnections:
    """connect: a new one without settings, in autocommit. settings: the statement that makes them. most: so
    many are kept that nobody uses."""

    def __init__(self, connect: Callable[[], Plain], settings: str, most: int) -> None:
        self._connect, self._settings, self._most = connect, settings, most
        self._spare: list[Plain] = []

    def take(self, *schemas: str) -> Plain:
        """One whose names are looked for in these schemas; DatabaseUnavailable."""
        path = sql.SQL(", ").join(map(sql.Identifier, schemas)).as_string(None)
        script = (
            f"{self._settings}; SET search_path = {path}" if self._settings else f"SET search_path = {path}"
        )
        while self._spare:
            with suppress(psycopg.Error):  # the server went down since
                return _ready(self._spare.pop(), script)
        try:
            return _ready(self._connect(), script)
        except psycopg.Error as error:
            raise DatabaseUnavailable(reason(str(error))) from None

    def give(self, connection: Plain) -> None:
        """Takes it back, as it was when it was new, or closes it: one that is in a transaction is at work."""
        if len(self._spare) < self._most and connection.pgconn.transaction_status == TransactionStatus.IDLE:
            with suppress(psycopg.Error):
                connection.execute("DISCARD ALL")
                self._spare.append(connection)
                return
        connection.close()

    def close(self) -> None:
        while self._spare:
            self._spare.pop().close()


def _ready(connection: Plain, script: str) -> Plain:
    try:
        connection.execute(script.encode())
    except BaseException:
        connection.close()
        raise
    return connection
