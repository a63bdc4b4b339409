"""Several workers on this machine, each a process of its own."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from txfuzz.campaign.workers.contract import Asked, Job, Slices, Told
from txfuzz.campaign.workers.messages import Ended, Failed, Gone, Message, News, Opened, Stop, Take
from txfuzz.common.closeable import Closeable
from txfuzz.errors import DatabaseUnavailable

# Isolated from its directory and environment, so that modules are those that are used here
_START = (
    "import os, pickle, sys; orders = os.fdopen(os.dup(0), 'rb'); sys.path[:] = pickle.load(orders); "
    "from txfuzz.campaign.workers.process import main; main(orders)"
)
_LOOKS = 0.1  # seconds between two questions whether it is enough
_IN_A_ROW = 4  # workers that are lost with no news in between, before it is given up
_EXITING = 2.0  # seconds that a process has which said that it is about to end
PATIENCE = 60.0  # seconds that a worker may be silent
OPENING = 180.0  # seconds that it may take to open what it needs
LEAVING = 10.0  # seconds that it has for ending, once it is asked to


class Processes:
    """An Engine of so many workers. The rest: see PATIENCE, OPENING and LEAVING."""

    def __init__(
        self, number: int, *, patience: float = PATIENCE, opening: float = OPENING, leaving: float = LEAVING
    ) -> None:
        self._number, self._patience, self._opening, self._leaving = number, patience, opening, leaving

    def run(self, job: Job[Asked, Told], slices: Slices[Asked, Told]) -> None:
        given = pickle.dumps(sys.path) + pickle.dumps(job)
        with _Workers(given, slices, self._number, self._leaving) as workers:
            while not slices.enough() and workers.give():
                workers.hear(_LOOKS)
                workers.end_the_silent(self._opening, self._patience)
            workers.stop()


class _Workers(Closeable):
    def __init__(self, given: bytes, slices: Slices[Any, Any], number: int, leaving: float) -> None:
        self._given, self._slices, self._leaving = given, slices, leaving
        self._said: SimpleQueue[tuple[_Process, Message]] = SimpleQueue()
        self._free = list(range(number, 0, -1))  # numbers of workers that there can be, too
        self._workers: list[_Process] = []
        self._ever_opened = False
        self._lost_in_a_row = 0
        self._until: float | None = None  # everybody has to have ended

    def give(self) -> bool:
        """A slice to each who has none, as far as there are any; False if nobody has one then."""
        idle = [each for each in self._workers if each.asked is None]
        while idle or self._free:
            asked = self._slices.take()
            if asked is None:
                break
            if not idle:
                idle = [_Process(self._free.pop(), self._given, self._said)]
                self._workers += idle
            idle.pop().take(asked)
        return any(each.asked is not None for each in self._workers)

    def hear(self, seconds: float) -> None:
        try:
            worker, message = self._said.get(timeout=seconds)
        except Empty:
            return
        if worker not in self._workers:
            return  # it is lost already
        worker.heard = time.monotonic()
        match message:
            case Opened():
                worker.opened = self._ever_opened = True
            case News(told) if worker.asked is not None:
                self._lost_in_a_row = 0
                self._slices.told(worker.asked, told)
            case Ended() if worker.asked is not None:
                asked, worker.asked = worker.asked, None
                self._slices.ended(asked)
            case Failed():
                self._lose(worker, message)
            case Gone():
                self._lose(worker, Failed(worker.end(_EXITING)))

    def end_the_silent(self, opening: float, patience: float) -> None:
        now = time.monotonic()
        for each in list(self._workers):
            most = patience if each.opened else opening
            if each.asked is not None and now - each.heard > most:
                self._lose(each, Failed(f"it has said nothing for {most:g} s"))

    def _lose(self, worker: _Process, failed: Failed) -> None:
        self._workers.remove(worker)
        self._free.append(worker.number)
        worker.end(_EXITING if failed.told else 0.0)
        if worker.asked is None:
            return
        if failed.usage or (failed.told and not self._ever_opened):
            raise failed.error()
        self._lost_in_a_row += 1
        became = "was lost" if worker.opened else "could not begin"
        self._slices.lost(worker.asked, f"worker {worker.number} {became}: {failed.sentence}")
        if self._lost_in_a_row >= _IN_A_ROW:
            raise DatabaseUnavailable(
                f"{_IN_A_ROW} workers in a row ended without having done anything, the last one so: "
                f"{failed.sentence}"
            )

    def stop(self) -> None:
        """Let each end its slice as soon as it can."""
        for each in self._workers:
            each.say(Stop())
        self._until = time.monotonic() + self._leaving
        while any(each.asked is not None for each in self._workers) and time.monotonic() < self._until:
            self.hear(_LOOKS)

    def close(self) -> None:
        for each in self._workers:
            each.leave()
        until = self._until or time.monotonic() + self._leaving
        for each in self._workers:
            each.end(max(until - time.monotonic(), _EXITING if each.asked is None else 0.0))


class _Process:
    """A worker. asked: the slice that it is at. heard: when it last said anything."""

    def __init__(self, number: int, given: bytes, said: SimpleQueue[tuple[_Process, Message]]) -> None:
        self.number = number
        self.asked: Any = None
        self.opened = False
        self.heard = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
        )  # fmt: skip
        self._orders: SimpleQueue[bytes | None] = SimpleQueue()
        self._orders.put(given)
        for name, work in (("orders", self._send), ("news", lambda: self._listen(said))):
            threading.Thread(target=work, name=f"worker {number}: {name}", daemon=True).start()

    def take(self, asked: Any) -> None:
        self.asked, self.heard = asked, time.monotonic()
        self.say(Take(asked))

    def say(self, order: Take | Stop) -> None:
        self._orders.put(pickle.dumps(order))

    def leave(self) -> None:
        """Let it know that nobody listens any more, so that it cleans up and ends."""
        self._orders.put(None)

    def end(self, seconds: float) -> str:
        """Have it ended, by force after so many seconds. How it ended, in a clause."""
        self.leave()
        try:
            code = self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it exited with code {code}"

    def _send(self) -> None:
        # In a thread of its own, since one that does not read must not keep the others waiting
        orders = self._process.stdin
        assert orders is not None
        with suppress(OSError):
            while (order := self._orders.get()) is not None:
                orders.write(order)
                orders.flush()
        with suppress(OSError):
            orders.close()

    def _listen(self, said: SimpleQueue[tuple[_Process, Message]]) -> None:
        news = self._process.stdout
        assert news is not None
        with suppress(OSError, EOFError, pickle.UnpicklingError), news:
            while True:
                said.put((self, pickle.load(news)))
        said.put((self, Gone()))
