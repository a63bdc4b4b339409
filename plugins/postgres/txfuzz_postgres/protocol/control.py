"""The control connection: SQLAlchemy for everything but the hot path."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from txfuzz.plugin_api import ControlConnection

from .connection import reason
from .url import Target

Result = TypeVar("Result")
_DENIED = re.compile(r"permission denied for (database|schema) (\S+)")


def with_remedy(message: str) -> str:
    """A message of the server's, and what helps where a privilege is missing."""
    found = _DENIED.fullmatch(message)
    if found is None:
        return message
    kind, name = found[1].upper(), found[2]
    return f"{message}: its owner can GRANT CREATE ON {kind} {name} to the role of the URL"


class Control(ControlConnection[Connection]):
    failures = (DBAPIError,)

    def __init__(self, target: Target, application_name: str) -> None:
        super().__init__()
        conninfo = target.conninfo(application_name)

        def connect() -> object:
            import psycopg

            return psycopg.connect(conninfo)

        # The engine gets a function instead of a URL, so it cannot reveal the password.
        self._engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)

    def connect(self) -> Connection:
        return self._engine.connect()

    def disconnect(self, connection: Connection) -> None:
        connection.close()
        self._engine.dispose()

    def answers(self, connection: Connection) -> bool:
        try:
            with connection.begin():
                connection.execute(text("SELECT"))
        except DBAPIError:
            return False
        return True

    def in_words(self, error: Exception) -> str:
        """The driver's message: SQLAlchemy's would add the statement and its parameters."""
        cause = getattr(error, "orig", error)
        primary = getattr(getattr(cause, "diag", None), "message_primary", None)
        return with_remedy(str(primary)) if primary else reason(str(cause))

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do the work in one transaction."""

        def within(connection: Connection) -> Result:
            with connection.begin():
                return work(connection)

        return self.run_several(within)

    def run_alone(self, statements: Sequence[str]) -> None:
        """Run each statement on its own, outside any transaction."""

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
