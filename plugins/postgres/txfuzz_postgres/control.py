"""The control connection: SQLAlchemy for everything but the hot path, one statement at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from txfuzz.plugin_api import DatabaseUnavailable

from .connection import reason
from .url import Target

Result = TypeVar("Result")


class Control:
    """One connection that lives as long as the campaign; safe to use from several threads.

    on_connect runs on every new connection, so that session settings and advisory locks, which end
    with a connection, are there again after the server was restarted.
    """

    def __init__(self, target: Target, application_name: str) -> None:
        conninfo = target.conninfo(application_name)
        self._target = target

        def connect() -> object:
            import psycopg

            return psycopg.connect(conninfo)

        # The engine is given a way to connect instead of a URL: it can show no password.
        self._engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self.on_connect: Callable[[Connection], None] = lambda connection: None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do the work in one transaction; DatabaseUnavailable with the server's reason if it fails."""
        with self._lock:
            try:
                connection = self._connected()
                with connection.begin():
                    return work(connection)
            except DBAPIError as error:
                raise DatabaseUnavailable(in_words(error)) from None

    def run_several(self, work: Callable[[Connection], Result]) -> Result:
        """Do work that begins its transactions itself."""
        with self._lock:
            try:
                return work(self._connected())
            except DBAPIError as error:
                raise DatabaseUnavailable(in_words(error)) from None

    def run_alone(self, statements: Sequence[str]) -> None:
        """Run statements each by itself, outside any transaction."""

        def work(connection: Connection) -> None:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.autocommit = True
            try:
                for statement in statements:
                    driver.execute(statement)
            finally:
                driver.autocommit = False

        self.run_several(work)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._engine.dispose()

    def _connected(self) -> Connection:
        if self._connection is not None and not answers(self._connection):
            self._connection.close()
            self._connection = None
        if self._connection is None:
            connection = self._engine.connect()
            try:
                with connection.begin():
                    self.on_connect(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def answers(connection: Connection) -> bool:
    """A connection that has waited for long may have been ended by the server meanwhile."""
    try:
        with connection.begin():
            connection.execute(text("SELECT"))
    except DBAPIError:
        return False
    return True


def in_words(error: DBAPIError) -> str:
    """The driver's own words in one line: SQLAlchemy's would add the statement and its parameters."""
    diagnosis = getattr(error.orig, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    return str(primary) if primary else reason(str(error.orig))
