"""The control connection: for everything but the hot path, one piece of work at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from txfuzz.plugin_api import DatabaseUnavailable

from .connection import FAILURES, Link, connect, in_words
from .url import Target

Result = TypeVar("Result")


class Control:
    """One connection that lives as long as the campaign; safe to use from several threads.

    on_connect runs on every new connection, so that the user-level locks, which end with a
    connection, are there again after the server was restarted.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = threading.RLock()
        self._link: Link | None = None
        self.on_connect: Callable[[Link], None] = lambda link: None

    def run(self, work: Callable[[Link], Result]) -> Result:
        """Do the work, each of its statements by itself; DatabaseUnavailable with the reason if it fails."""
        with self._lock:
            try:
                return work(self._connected())
            except FAILURES as error:
                raise DatabaseUnavailable(in_words(error)) from None

    def close(self) -> None:
        with self._lock:
            if self._link is not None:
                self._link.close()
                self._link = None

    def _connected(self) -> Link:
        if self._link is not None and not answers(self._link):
            self._link.close()
            self._link = None
        if self._link is None:
            link = connect(self._target)
            try:
                self.on_connect(link)
            except BaseException:
                link.close()
                raise
            self._link = link
        return self._link


def answers(link: Link) -> bool:
    """A connection that has waited for long may have been ended by the server meanwhile."""
    try:
        link.run("DO 0")
    except FAILURES:
        return False
    return True
