"""The control connection, in autocommit mode."""

from __future__ import annotations

from txfuzz.plugin_api import ControlConnection

from .connection import FAILURES, Link, connect, in_words
from .url import Target


class Control(ControlConnection[Link]):
    failures = FAILURES

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target

    def connect(self) -> Link:
        return connect(self._target)

    def disconnect(self, connection: Link) -> None:
        connection.close()

    def answers(self, connection: Link) -> bool:
        try:
            connection.run("DO 0")
        except FAILURES:
            return False
        return True

    def in_words(self, error: Exception) -> str:
        return in_words(error)
