"""Several workers on this machine, each a process of its own."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from txfuzz.campaign.workers.contract import Asked, Job, Slices, Told
from txfuzz.campaign.workers.coordinator import (
    LEAVING,
    OPENING,
    PATIENCE,
    Limits,
    RemoteWorker,
    Said,
    coordinate,
    told_every,
)
from txfuzz.campaign.workers.messages import Gone, Message, Stop, Take

# Isolated from its directory and environment, so that modules are those that are used here
_START = (
    "import os, pickle, sys; orders = os.fdopen(os.dup(0), 'rb'); sys.path[:] = pickle.load(orders); "
    "from txfuzz.campaign.workers.process import main; main(orders)"
)


class Processes:
    """An Engine of so many workers. The rest: see PATIENCE, OPENING and LEAVING."""

    def __init__(
        self, number: int, *, patience: float = PATIENCE, opening: float = OPENING, leaving: float = LEAVING
    ) -> None:
        self.size, self._limits = number, Limits(patience, opening, leaving)

    def run(self, job: Job[Asked, Told], slices: Slices[Asked, Told]) -> None:
        coordinate(slices, _Here(pickle.dumps(job), self.size), self._limits)


class _Here:
    """A Workplace: so many processes."""

    def __init__(self, job: bytes, number: int) -> None:
        self._given = given(job, told_every(number))
        self._free = [str(each) for each in range(number, 0, -1)]

    def has_room(self) -> bool:
        return bool(self._free)

    def waits(self) -> bool:
        return False

    def start(self, said: Said) -> RemoteWorker:
        name = self._free.pop()
        worker = WorkerProcess(name, self._given, lambda message: said.put((worker, message)))
        return worker

    def left(self, worker: RemoteWorker) -> None:
        self._free.append(worker.name)


def given(job: bytes, every: float) -> bytes:
    """What a process is given first. job: pickled. every: see told_every()."""
    return pickle.dumps(sys.path) + pickle.dumps(every) + job


class WorkerProcess:
    """A worker, which is started at once. hear: is called with what it says, in another thread."""

    def __init__(self, name: str, given: bytes, hear: Callable[[Message], None]) -> None:
        self.name = name
        self._scratch = tempfile.TemporaryDirectory(prefix="txfuzz-worker-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, self._scratch.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
        )  # fmt: skip
        self._orders: SimpleQueue[bytes | None] = SimpleQueue()
        self._orders.put(given)
        for word, work in (("orders", self._send), ("news", lambda: self._listen(hear))):
            threading.Thread(target=work, name=f"worker {name}: {word}", daemon=True).start()

    def take(self, asked: Any) -> None:
        self._orders.put(pickle.dumps(Take(asked)))

    def stop(self) -> None:
        self._orders.put(pickle.dumps(Stop()))

    def leave(self) -> None:
        self._orders.put(None)

    def end(self, seconds: float) -> str:
        self.leave()
        try:
            code = self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._scratch.cleanup()  # of one that was killed
        return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it exited with code {code}"

    def gone(self) -> str:
        return ""  # its standard output ends then

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

    def _listen(self, hear: Callable[[Message], None]) -> None:
        news = self._process.stdout
        assert news is not None
        with suppress(OSError, EOFError, pickle.UnpicklingError), news:
            while True:
                hear(pickle.load(news))
        hear(Gone())
