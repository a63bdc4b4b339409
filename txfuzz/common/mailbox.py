"""A queue between threads, for one reader that does not wait longer than it says."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Any thread may put.

    Not a queue.SimpleQueue: its get() can wait for ever if a short timeout passes while it wakes up
    (CPython 3.11 takes the time that is left, which is then negative, for no limit).
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._there = threading.Semaphore(0)

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._there.release()

    def empty(self) -> bool:
        return not self._items

    def get(self, timeout: float) -> Item | None:
        """None where nothing came within so many seconds."""
        return self._items.popleft() if self._there.acquire(timeout=timeout) else None
