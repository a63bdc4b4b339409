"""Many clients on one thread, which take turns: each goes on until it has to wait for its database.

A client that blocks in a thread of its own costs two context switches an answer, and a fight for the
interpreter's lock. Where sessions say what they wait for (txfuzz.database.api.Patient), one thread
waits for all of them. The code of a client stays as it is: it calls, and the call blocks; the others
go on meanwhile.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from greenlet import greenlet

_PUT_OFF = 0.01  # seconds


class ClientScheduler:
    """The turns of one thread's clients. All but run() is for clients, each in its turn.

    idle_work: something short that is done while all of them wait, and now and then where they never all
    wait; whether it did anything. It must not raise.
    """

    def __init__(self, idle_work: Callable[[], bool] | None = None) -> None:
        self._idle_work = idle_work
        self._idle_work_due = 0.0
        self._poll = select.poll()
        self._waiting: dict[int, greenlet] = {}  # file descriptor → the client that waits for it
        self._ready: deque[greenlet] = deque()
        self._asleep: list[tuple[float, int, greenlet]] = []
        self._numbers = count()  # clients that wake at the same moment cannot be compared
        self._alive = 0

    def run(self, clients: Sequence[Callable[[], None]]) -> None:
        """Run all of them to their ends. They must not raise."""
        from greenlet import getcurrent, greenlet

        self._current, self._loop = getcurrent, getcurrent()
        self._alive = len(clients)
        self._ready.extend(greenlet(self._tracked(client)) for client in clients)
        while self._alive:
            while self._ready:
                self._ready.popleft().switch()
            if self._alive:
                self._resume_ready()

    def _tracked(self, client: Callable[[], None]) -> Callable[[], None]:
        def whole() -> None:
            try:
                client()
            finally:
                self._alive -= 1

        return whole

    def _resume_ready(self) -> None:
        """Wait until a client can go on, and give each that can its turn."""
        for file, _ in self._answers():
            self._poll.unregister(file)
            self._waiting.pop(file).switch()
        while self._asleep and self._asleep[0][0] <= time.monotonic():
            self._ready.append(heappop(self._asleep)[2])

    def _answers(self) -> list[tuple[int, int]]:
        """The file descriptors that can be read; none where a client wakes before."""
        while self._idle_work is not None:
            answers = self._poll.poll(0)
            now = time.monotonic()
            if answers and now < self._idle_work_due:
                return answers
            self._idle_work_due = now + _PUT_OFF
            busy = self._idle_work()
            if answers:
                return answers
            if not busy or self._until_awake() == 0:
                break
        return self._poll.poll(self._until_awake())

    def _until_awake(self) -> float | None:
        """Milliseconds until the next sleeper wakes, if there is one."""
        return max(0.0, self._asleep[0][0] - time.monotonic()) * 1000 if self._asleep else None

    def wait(self, file: int) -> None:
        """Let the others go on until this file descriptor can be read."""
        self._waiting[file] = self._current()
        self._poll.register(file, select.POLLIN)
        self._loop.switch()

    def yield_(self) -> None:
        """Let those go first who have their answers."""
        self._ready.append(self._current())
        self._loop.switch()

    def sleep(self, seconds: float) -> None:
        """Let the others go on for so long."""
        heappush(self._asleep, (time.monotonic() + seconds, next(self._numbers), self._current()))
        self._loop.switch()

    def condition(self) -> _Condition:
        """To be used as a threading.Condition by these clients."""
        return _Condition(self)

    def park(self, with_: list[greenlet]) -> None:
        """Let the others go on until this client is woken."""
        with_.append(self._current())
        self._loop.switch()

    def wake(self, clients: list[greenlet]) -> None:
        self._ready.extend(clients)
        clients.clear()


class _Condition:
    """Needs no lock: nobody else's turn comes before this one is given up."""

    def __init__(self, scheduler: ClientScheduler) -> None:
        self._scheduler = scheduler
        self._parked: list[greenlet] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self) -> None:
        self._scheduler.park(self._parked)

    def notify_all(self) -> None:
        self._scheduler.wake(self._parked)
