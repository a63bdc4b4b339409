"""Keeps workers that are somewhere else busy, and notices those that are lost.

It is one thread, which alone calls the slices. What workers say waits in a queue until it is looked at; a
worker has one slice at a time, so that nothing piles up at those that are slow.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from txfuzz.campaign.workers.contract import Slices
from txfuzz.campaign.workers.messages import Ended, Failed, Gone, Message, News, Opened
from txfuzz.errors import DatabaseUnavailable

PATIENCE = 60.0  # seconds that a worker may be silent
OPENING = 180.0  # seconds that it may take to open what it needs
LEAVING = 10.0  # seconds that it has for ending, once it is asked to
EXITING = 2.0  # seconds that a process has which said that it is about to end
LOOKS = 0.1  # seconds between two questions whether it is enough
_AT_ONCE = 256  # messages between two of these questions
_IN_A_ROW = 4  # workers that are lost with no news in between, before it is given up
_PER_SECOND = 500  # messages of all workers together, which one coordinator takes in easily


@dataclass(frozen=True)
class Limits:
    """See PATIENCE, OPENING and LEAVING."""

    patience: float = PATIENCE
    opening: float = OPENING
    leaving: float = LEAVING


class RemoteWorker(Protocol):
    """A worker in another process. name: "1", or where it is."""

    name: str

    def take(self, asked: Any) -> None: ...

    def stop(self) -> None:
        """Let it end its slice as soon as it can."""

    def leave(self) -> None:
        """Let it know that nobody listens any more, so that it cleans up and ends."""

    def end(self, seconds: float) -> str:
        """Have it ended, by force after so many seconds. How it ended, in a clause."""

    def gone(self) -> str:
        """Why nothing will come of it any more, where it cannot say so itself, in a clause; or nothing."""


Said = SimpleQueue[tuple[RemoteWorker, Message]]


class Workplace(Protocol):
    """Where workers can be."""

    def has_room(self) -> bool:
        """For one more."""

    def waits(self) -> bool:
        """Whether there may be room later, although nobody works now. TxfuzzError where it has waited too
        long."""

    def start(self, said: Said) -> RemoteWorker:
        """One more, which puts what it says there."""

    def left(self, worker: RemoteWorker) -> None:
        """It is no more, so that there is room again."""


def told_every(workers: int) -> float:
    """Seconds between two messages of a worker about the same slice, with so many workers."""
    return max(LOOKS, workers / _PER_SECOND)


def coordinate(slices: Slices[Any, Any], workplace: Workplace, limits: Limits) -> None:
    """Until there are no slices left, or it is enough. Raises as Engine.run()."""
    with _ended(_Coordinator(slices, workplace, limits)) as coordinator:
        while not slices.enough() and coordinator.give():
            coordinator.hear(LOOKS)
            coordinator.look_around()
        coordinator.stop()


@contextmanager
def _ended(coordinator: _Coordinator) -> Iterator[_Coordinator]:
    try:
        yield coordinator
    finally:
        coordinator.close()


@dataclass
class _Seen:
    """Of a worker. asked: the slice that it is at. heard: when it last said anything."""

    heard: float
    asked: Any = None
    opened: bool = False


class _Coordinator:
    def __init__(self, slices: Slices[Any, Any], workplace: Workplace, limits: Limits) -> None:
        self._slices, self._workplace, self._limits = slices, workplace, limits
        self._said: Said = SimpleQueue()
        self._idle: list[RemoteWorker] = []
        self._busy: set[RemoteWorker] = set()
        self._seen: dict[RemoteWorker, _Seen] = {}
        self._ever_opened = False
        self._lost_in_a_row = 0
        self._looked = 0.0
        self._until: float | None = None  # everybody has to have ended

    def give(self) -> bool:
        """A slice to each who has none, as far as there are any; False if nobody has one then."""
        while self._idle or self._workplace.has_room():
            asked = self._slices.take()
            if asked is None:
                return bool(self._busy)
            if not self._idle:
                worker = self._workplace.start(self._said)
                self._seen[worker] = _Seen(0.0)
                self._idle.append(worker)
            worker = self._idle.pop()
            seen = self._seen[worker]
            seen.asked, seen.heard = asked, time.monotonic()
            self._busy.add(worker)
            worker.take(asked)
        return bool(self._busy) or self._workplace.waits()

    def hear(self, seconds: float) -> None:
        """What has been said; waits so long for anything."""
        try:
            self._hear(*self._said.get(timeout=seconds))
            for _ in range(_AT_ONCE):
                self._hear(*self._said.get_nowait())
        except Empty:
            return

    def _hear(self, worker: RemoteWorker, message: Message) -> None:
        seen = self._seen.get(worker)
        if seen is None:
            return  # it is lost already
        seen.heard = time.monotonic()
        match message:
            case Opened():
                seen.opened = self._ever_opened = True
            case News(told) if worker in self._busy:
                self._lost_in_a_row = 0
                self._slices.told(seen.asked, told)
            case Ended() if worker in self._busy:
                self._busy.discard(worker)
                self._idle.append(worker)
                self._slices.ended(seen.asked)
            case Failed():
                self._lose(worker, message)
            case Gone():
                self._lose(worker, Failed(worker.end(EXITING)))

    def look_around(self) -> None:
        """For those that are silent or gone, now and then."""
        now = time.monotonic()
        if now - self._looked < LOOKS:
            return
        self._looked = now
        for worker, seen in list(self._seen.items()):
            most = self._limits.patience if seen.opened else self._limits.opening
            if why := worker.gone():
                self._lose(worker, Failed(why))
            elif worker in self._busy and now - seen.heard > most:
                self._lose(worker, Failed(f"it has said nothing for {most:g} s"))

    def _lose(self, worker: RemoteWorker, failed: Failed) -> None:
        seen, was_busy = self._seen.pop(worker), worker in self._busy
        self._busy.discard(worker)
        if not was_busy:
            self._idle.remove(worker)
        worker.end(EXITING if failed.told else 0.0)
        self._workplace.left(worker)
        if not was_busy:
            return
        if failed.usage or (failed.told and not self._ever_opened):
            raise failed.error()
        self._lost_in_a_row += 1
        became = "was lost" if seen.opened else "could not begin"
        self._slices.lost(seen.asked, f"worker {worker.name} {became}: {failed.sentence}")
        if self._lost_in_a_row >= _IN_A_ROW:
            raise DatabaseUnavailable(
                f"{_IN_A_ROW} workers in a row ended without having done anything, the last one so: "
                f"{failed.sentence}"
            )

    def stop(self) -> None:
        """Let each end its slice as soon as it can."""
        for each in self._seen:
            each.stop()
        self._until = time.monotonic() + self._limits.leaving
        while any(self._seen[each].opened for each in self._busy) and time.monotonic() < self._until:
            self.hear(LOOKS)

    def close(self) -> None:
        for each in self._seen:
            each.leave()
        until = self._until or time.monotonic() + self._limits.leaving
        for each in self._seen:
            each.end(max(until - time.monotonic(), EXITING if each not in self._busy else 0.0))
