"""A barrier whose parties may leave, so that a finished client does not block the others."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Protocol


class Condition(Protocol):
    """The part of threading.Condition that is needed here."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def wait(self, timeout: float | None = None) -> Any: ...

    def notify_all(self) -> None: ...


class Barrier:
    """A reusable barrier for all remaining parties."""

    def __init__(self, parties: int, changed: Condition | None = None) -> None:
        self._parties = parties
        self._arrived = 0
        self._round = 0
        self._changed = threading.Condition() if changed is None else changed

    def wait_for_all(self) -> None:
        """Wait until every other party has arrived or left."""
        with self._changed:
            self._arrived += 1
            mine = self._round
            self._let_go_if_complete()
            while self._round == mine:
                self._changed.wait()

    def leave(self) -> None:
        """Remove one party."""
        with self._changed:
            self._parties -= 1
            self._let_go_if_complete()

    def _let_go_if_complete(self) -> None:
        if self._arrived >= self._parties:
            self._arrived = 0
            self._round += 1
            self._changed.notify_all()
