"""The turns of the sessions that play a directed schedule once.

Each session runs its own transaction and asks before every step whether it is its turn. That is so when every
earlier step of the order has returned, or belongs to a session that waits for a lock, whose turn passes to
the next. Nobody waits for ever: who waits for a lock is asked of the database, what cannot be asked is
assumed after a while, and the end of the run ends all waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from txfuzz.execution.barrier import Condition

FIRST_LOOK = 0.003  # seconds until a session whose turn does not come looks for those that wait
_LONGEST_LOOK = 0.02
PATIENCE = 0.02  # seconds after which a session is taken to wait, if the database cannot tell for whom
_STUCK = 1.0  # the same for a session that does not wait for a lock as far as the database knows

# Which places wait for a lock, and for which of the others; None if nobody can tell
Waits = Callable[[], Mapping[int, frozenset[int]] | None]


class Turns:
    """One play. Thread-safe. Places are those of the sessions, from 0.

    order: (place, step), the step after a transaction's last one is its COMMIT. changed: guards it.
    """

    def __init__(
        self,
        order: Sequence[tuple[int, int]],
        changed: Condition,
        waits: Waits,
        stopped: Callable[[], bool],
    ) -> None:
        self.waited = False  # has a session waited for a lock?
        self._places = [place for place, _ in order]
        self._positions = {event: position for position, event in enumerate(order)}
        self._passed = [False] * len(order)  # events that have returned or will never happen
        self._running: dict[int, tuple[int, float]] = {}  # place → (position, since when)
        self._blocked: set[int] = set()
        self._changed, self._waits, self._stopped = changed, waits, stopped

    def await_turn(self, place: int, step: int) -> None:
        """Return when it is the turn of this step, or when the run has stopped."""
        position = self._positions[place, step]
        pause = FIRST_LOOK
        with self._changed:
            while not self._is_turn(position) and not self._stopped():
                self._changed.wait(pause)
                if not self._is_turn(position):
                    self._look()
                    pause = min(2 * pause, _LONGEST_LOOK)
            self._running[place] = (position, time.monotonic())

    def returned(self, place: int, step: int) -> None:
        """This step has returned."""
        with self._changed:
            self._passed[self._positions[place, step]] = True
            self._running.pop(place, None)
            self._blocked.discard(place)
            self._changed.notify_all()

    def ended(self, place: int) -> None:
        """The transaction of this place has ended, by itself or by an error: it has no further turn."""
        with self._changed:
            for position, owner in enumerate(self._places):
                if owner == place:
                    self._passed[position] = True
            self._running.pop(place, None)
            self._blocked.clear()  # it may have let others go on
            self._changed.notify_all()

    def _is_turn(self, position: int) -> bool:
        return all(
            passed or place in self._blocked
            for passed, place in zip(self._passed[:position], self._places[:position], strict=True)
        )

    def _look(self) -> None:
        """Note which of the running sessions wait for a lock."""
        waits = self._waits()
        now = time.monotonic()
        before = len(self._blocked)
        for place, (_, since) in self._running.items():
            late = now - since
            if waits is None:
                waiting = late >= PATIENCE
            elif place in waits:
                # One that waits for a client goes on by itself, unless that waits for one of us in turn.
                waiting = bool(waits[place]) or late >= PATIENCE
                self.waited = True
            else:
                waiting = late >= _STUCK
            if waiting:
                self._blocked.add(place)
                self.waited = True
        if len(self._blocked) > before:
            self._changed.notify_all()
