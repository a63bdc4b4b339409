"""What runs in a thread of a Dask worker: a process of ours, which has a database and does slices.

A process rather than the thread, since a thread that waits for a database that does not answer cannot be
ended. It stays for the next slices, ends with the Dask worker whatever becomes of that, and when nobody has
asked it for anything for a while.
"""

from __future__ import annotations

import pickle
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from txfuzz.campaign.workers.coordinator import LEAVING
from txfuzz.campaign.workers.messages import Ended, Failed, Gone, Message
from txfuzz.campaign.workers.processes import WorkerProcess, given

_LOOKS = 0.2  # seconds between two questions whether the slice is still wanted
_UNUSED = 60.0  # seconds without a slice, after which a process ends
_WANTED = ("executing", "long-running")  # states of a task, in Dask's words


@dataclass(frozen=True)
class Order:
    """A slice for a worker. worker: its name among all of them. topic: where to say what it comes to. job:
    pickled; None where the worker has it already. every: see coordinator.told_every()."""

    worker: str
    topic: str
    asked: Any = field(repr=False)
    job: bytes | None = field(default=None, repr=False)
    every: float = 0.1


class _Kept:
    """A process between its slices."""

    def __init__(self, order: Order) -> None:
        assert order.job is not None
        self.said: SimpleQueue[Message] = SimpleQueue()
        self.process = WorkerProcess(order.worker, given(order.job, order.every), self.said.put)
        self._timer: threading.Timer | None = None

    def wait_for_more(self, worker: str) -> None:
        self._timer = threading.Timer(_UNUSED, _end, (worker, LEAVING))
        self._timer.daemon = True
        self._timer.start()

    def go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


_kept: dict[str, _Kept] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Packed:
    """Does a slice when it is unpickled, so that `pickle.loads` is all that Dask's scheduler, which reads
    tasks too, has to know of. Compressed, since a job may have a password in it, and Dask logs what tasks it
    could not run."""

    order: bytes = field(repr=False)

    @classmethod
    def of(cls, order: Order) -> bytes:
        return pickle.dumps(cls(zlib.compress(pickle.dumps(order), 1)))

    def __reduce__(self) -> Any:
        return do_slice, (self.order,)


def do_slice(packed: bytes) -> None:
    """What a task does, in a thread of a Dask worker."""
    from distributed import get_worker

    order: Order = pickle.loads(zlib.decompress(packed))
    dask = get_worker()
    task = dask.get_current_task()

    def say(message: Message) -> None:
        dask.log_event(order.topic, [order.worker, pickle.dumps(message)])

    with _lock:
        kept = _kept.get(order.worker)
        if kept is None and order.job is not None:
            kept = _kept[order.worker] = _Kept(order)
    if kept is None:
        say(Failed("its process had ended"))
        return
    kept.go_on()
    kept.process.take(order.asked)
    left: float | None = None  # seconds, once it is to end
    while True:
        try:
            message = kept.said.get(timeout=_LOOKS)
        except Empty:
            message = None
        if message is not None:
            if isinstance(message, Gone):
                message = Failed(kept.process.end(LEAVING))
            say(message)
            if isinstance(message, Ended):
                kept.wait_for_more(order.worker)
                return
            if isinstance(message, Failed):
                _end(order.worker, 0.0)
                return
        state = dask.state.tasks.get(task)
        if left is None and (state is None or state.state not in _WANTED):
            kept.process.stop()
            left = LEAVING
        elif left is not None and message is None:
            left -= _LOOKS
            if left <= 0:
                _end(order.worker, 0.0)
                return


async def leave(workers: Sequence[str]) -> None:
    """Let the processes of these workers end; does not wait for them. A coroutine, so that Dask does not wait
    for it either."""
    for each in workers:
        if each in _kept:
            threading.Thread(target=_end, args=(each, LEAVING), daemon=True).start()


def _end(worker: str, seconds: float) -> None:
    with _lock:
        kept = _kept.pop(worker, None)
    if kept is not None:
        kept.go_on()
        kept.process.end(seconds)
