"""The control connection to a server, used for everything except sessions."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from txfuzz.errors import DatabaseUnavailable

Connection = TypeVar("Connection")
Result = TypeVar("Result")


class ControlConnection(ABC, Generic[Connection]):
    """One connection for the whole campaign. Thread-safe.

    failures: exceptions of the driver. on_connect: runs on every new connection, to restore settings and
    locks after a restart of the server.
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
        """Whether it is alive: the server may have closed an idle connection."""

    @abstractmethod
    def in_words(self, error: Exception) -> str:
        """A failure as one line without passwords."""

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do some work, in one transaction if the driver has them. Raises DatabaseUnavailable."""
        return self.run_several(work)

    def run_several(self, work: Callable[[Connection], Result]) -> Result:
        """Do work that manages its own transactions."""
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
