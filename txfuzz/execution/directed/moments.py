"""Moments of directed schedules at which faults strike.

A fault that is due and has a `when` is armed. The next session of a directed schedule that comes to such a
moment takes it and stays there until the fault strikes:

- "lock": it has written and not ended. It goes on once the fault is injected.
- "commit": its COMMIT is next. It sends that a random part of a millisecond after the injection has begun,
so that   the fault strikes before, while and after the server commits.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from random import Random

_LONGEST = 2.0  # seconds that a session stays at its moment
_GLANCE = 0.0005  # seconds between two looks whether the fault has struck
_SPREAD = 0.001  # seconds within which a COMMIT follows the beginning of the fault


class Strike:
    """A fault that is to strike now, and how far it is."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.begun = threading.Event()
        self.injected = threading.Event()


class Moments:
    """Where sessions and the thread that injects faults meet. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._armed: dict[str, deque[int]] = {}
        self._reached: deque[Strike] = deque()

    def arm(self, when: str, number: int) -> None:
        """The next session at such a moment is to stay there until fault `number` strikes."""
        with self._changed:
            self._armed.setdefault(when, deque()).append(number)

    def reached(self, seconds: float) -> Strike | None:
        """Wait at most so long for a session to come to an armed moment."""
        with self._changed:
            if not self._reached:
                self._changed.wait(seconds)
            return self._reached.popleft() if self._reached else None

    def at(
        self, when: str, draws: Random, sleep: Callable[[float], None], stopped: Callable[[], bool]
    ) -> None:
        """Called by a session at such a moment; returns at once if no fault is armed for it.

        sleep: which lets others go on. stopped: has the run stopped?
        """
        if not self._armed.get(when):  # almost always, so without the lock
            return
        with self._changed:
            armed = self._armed.get(when)
            if not armed:
                return
            strike = Strike(armed.popleft())
            self._reached.append(strike)
            self._changed.notify_all()
        until = time.monotonic() + _LONGEST
        struck = strike.injected if when == "lock" else strike.begun
        while not struck.is_set() and not stopped() and time.monotonic() < until:
            sleep(_GLANCE)
        if when == "commit":
            sleep(draws.uniform(0, _SPREAD))
