"""Many clients on one thread: each runs until it has to wait for its database.

A client with its own thread costs two context switches per response, and contention for the interpreter
lock. If sessions say what they wait for (txfuzz.database.api.Patient), one thread waits for all of them. The
code of a client does not change: its calls block while the others run.
"""

from __future__ import annotations

import select
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from greenlet import greenlet

_PUT_OFF = 0.01  # seconds
_READABLE = 1  # select.POLLIN, for which Windows has no name


class ReadableFiles(Protocol):
    """What is used of select.poll."""

    def register(self, file: int, events: int, /) -> None: ...

    def unregister(self, file: int, /) -> None: ...

    def poll(self, milliseconds: float | None = None, /) -> list[tuple[int, int]]: ...


class SelectedFiles:
    """ReadableFiles by select(), for Windows, which has no poll(). There select() takes sockets only, and
    refuses to wait for none."""

    def __init__(self) -> None:
        self._files: set[int] = set()

    def register(self, file: int, events: int, /) -> None:
        self._files.add(file)

    def unregister(self, file: int, /) -> None:
        self._files.remove(file)

    def poll(self, milliseconds: float | None = None, /) -> list[tuple[int, int]]:
        seconds = None if milliseconds is None else milliseconds / 1000
        if not self._files:
            time.sleep(seconds or 0.0)
            return []
        readable, _, _ = select.select(self._files, (), (), seconds)
        return [(file, _READABLE) for file in readable]


def _readable_files() -> ReadableFiles:
    if sys.platform == "win32":
        return SelectedFiles()
    return select.poll()


class ClientScheduler:
    """Schedules the clients of one thread. All methods but run() are called by the running client.

    idle_work: a short task to run while all clients wait, and occasionally if they never do; returns whether
    it did anything. It must not raise.
    """

    def __init__(self, idle_work: Callable[[], bool] | None = None) -> None:
        self._idle_work = idle_work
        self._idle_work_due = 0.0
        self._poll = _readable_files()
        self._waiting: dict[int, greenlet] = {}  # file descriptor → the client that waits for it
        self._ready: deque[greenlet] = deque()
        self._asleep: list[tuple[float, int, greenlet]] = []
        self._numbers = count()  # tie-breaker: greenlets cannot be compared
        self._alive = 0

    def run(self, clients: Sequence[Callable[[], None]]) -> None:
        """Run all clients to the end. They must not raise."""
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
        """Wait until clients can continue, and run them."""
        for file, _ in self._answers():
            self._poll.unregister(file)
            self._waiting.pop(file).switch()
        while self._asleep and self._asleep[0][0] <= time.monotonic():
            sleeper = heappop(self._asleep)[2]
            if sleeper not in self._ready:  # it may have been woken meanwhile
                self._ready.append(sleeper)

    def _answers(self) -> list[tuple[int, int]]:
        """The readable file descriptors; none if a client wakes first."""
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
        left = self._until_awake()
        if left is not None and 0 < left < 1:  # poll() rounds up to milliseconds
            time.sleep(left / 1000)
            left = 0.0
        return self._poll.poll(left)

    def _until_awake(self) -> float | None:
        """Milliseconds until the next sleeping client wakes, if any."""
        return max(0.0, self._asleep[0][0] - time.monotonic()) * 1000 if self._asleep else None

    def wait(self, file: int) -> None:
        """Run other clients until this file descriptor is readable."""
        self._waiting[file] = self._current()
        self._poll.register(file, _READABLE)
        self._loop.switch()

    def yield_(self) -> None:
        """Let clients whose responses have arrived go first."""
        self._ready.append(self._current())
        self._loop.switch()

    def sleep(self, seconds: float) -> None:
        """Run other clients for this long."""
        heappush(self._asleep, (time.monotonic() + seconds, next(self._numbers), self._current()))
        self._loop.switch()

    def condition(self) -> _Condition:
        """A replacement for threading.Condition among these clients."""
        return _Condition(self)

    def park(self, with_: list[greenlet], seconds: float | None = None) -> None:
        """Run other clients until this one is woken, or until so many seconds have passed."""
        me = self._current()
        with_.append(me)
        if seconds is not None:
            heappush(self._asleep, (time.monotonic() + seconds, next(self._numbers), me))
        self._loop.switch()
        if me in with_:
            with_.remove(me)  # its time has passed
        elif seconds is not None:
            self._asleep = [each for each in self._asleep if each[2] is not me]
            heapify(self._asleep)

    def wake(self, clients: list[greenlet]) -> None:
        ready = set(self._ready)  # one whose time has passed is there already
        self._ready.extend(each for each in clients if each not in ready)
        clients.clear()


class _Condition:
    """Needs no lock: no other client runs until this one yields."""

    def __init__(self, scheduler: ClientScheduler) -> None:
        self._scheduler = scheduler
        self._parked: list[greenlet] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, timeout: float | None = None) -> None:
        self._scheduler.park(self._parked, timeout)

    def notify_all(self) -> None:
        self._scheduler.wake(self._parked)
