"""The control connection to a server: for everything but the sessions, one piece of work at a time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from txfuzz.errors import DatabaseUnavailable

Connection = TypeVar("Connection")
Result = TypeVar("Result")


class ControlConnection(ABC, Generic[Connection]):
    """One connection that lives as long as the campaign; safe to use from several threads.

    failures: what the driver raises. on_connect runs on every new connection, so that settings and locks,
    which end with a connection, are there again after the server was restarted.
    """

    failures: ClassVar[tuple[type[Exception], ...]]

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self.on_connect: Callable[[Connection], None] = lambda connection: None

    @abstractmethod
    def connect(self) -> Connection:
        """A new connection; raises one of the failures, or DatabaseUnavailable."""

    @abstractmethod
    def disconnect(self, connection: Connection) -> None: ...

    @abstractmethod
    def answers(self, connection: Connection) -> bool:
        """Whether it is alive: one that has waited for long may have been ended by the server meanwhile."""

    @abstractmethod
    def in_words(self, error: Exception) -> str:
        """A failure in one line, without any password."""

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do the work, in one transaction where the driver has them.

        DatabaseUnavailable with the reason if it fails.
        """
        return self.run_several(work)

    def run_several(self, work: Callable[[Connection], Result]) -> Result:
        """Do work that begins its transactions itself."""
        with self._lock:
            try:
                return work(self._connected())
            except self.failures as error:
                raise DatabaseUnavailable(self.in_words(error)) from None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self.disconnect(self._connection)
                self._connection = None

    def _connected(self) -> Connection:
        if self._connection is not None and not self.answers(self._connection):
            self.close()
        if self._connection is None:
            connection = self.connect()
            try:
                self.on_connect(connection)
            except BaseException:
                self.disconnect(connection)
                raise
            self._connection = connection
        return self._connection
