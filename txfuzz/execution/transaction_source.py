"""Where clients get their transactions: one sequence for all, until it is time to stop."""

from __future__ import annotations

import threading
import time

from txfuzz.workload.generator import BoundTransaction, TransactionGenerator


class TransactionSource:
    """Hands out transactions; any thread may ask.

    transactions: no more than so many; seconds: none after so long. A transaction that was
    handed out is counted whether it commits or not. until: when it asks no more (time.monotonic()).
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
        """The next transaction, or None when this run asks no more."""
        with self._lock:
            if self._stop.is_set() or self.asked == self._most:
                return None
            if self.until is not None and time.monotonic() >= self.until:
                return None
            self.asked += 1
            return self._generator.next()

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond a stop."""
        self._stop.wait(seconds)
