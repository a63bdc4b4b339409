"""The calls of a plugin in a test, in order."""

from __future__ import annotations

import threading

calls: list[tuple[str, str]] = []
_LOCK = threading.Lock()


def called(who: str, what: str) -> None:
    with _LOCK:
        calls.append((who, what))
