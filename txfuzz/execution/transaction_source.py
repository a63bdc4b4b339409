"""The sequence of transactions that all clients share.

Whoever runs other transactions beside them claims these here, since they share its keys and its limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from txfuzz.workload.generator import BoundTransaction, TransactionGenerator

T = TypeVar("T")


class TransactionSource:
    """Hands out transactions. Thread-safe.

    transactions: the maximum number; seconds: the time limit. Transactions count whether they commit or
    not. until: the end of the time limit (time.monotonic()).
    """

    def __init__(
        self, generator: TransactionGenerator, transactions: int | None, seconds: float | None
    ) -> None:
        self.asked = 0
        self._generator = generator
        self._most = transactions
        self.until = None if seconds is None else time.monotonic() + seconds
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def next(self) -> BoundTransaction | None:
        """The next transaction, or None at the end of the run."""
        with self._lock:
            if self._stop.is_set() or self.asked == self._most:
                return None
            if self.until is not None and time.monotonic() >= self.until:
                return None
            self.asked += 1
            return self._generator.next()

    def claim(self, count: int, make: Callable[[], T]) -> T | None:
        """Count so many transactions at once, and make what they belong to; None if so many are not left."""
        with self._lock:
            if self._stop.is_set() or (self._most is not None and self.asked + count > self._most):
                return None
            if self.until is not None and time.monotonic() >= self.until:
                return None
            self.asked += count
            return make()

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def pause(self, seconds: float) -> None:
        """Sleep, but wake up at a stop."""
        self._stop.wait(seconds)
