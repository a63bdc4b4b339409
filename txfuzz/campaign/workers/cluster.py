"""Workers on many machines, by a Dask scheduler that is there: `--dask ADDRESS`.

Dask keeps the connections, moves the slices and shows them on its dashboard. Each thread of each of its
workers gets a process of ours with a database of its own (workers.at_worker), and one slice at a time.
"""

from __future__ import annotations

import logging
import pickle
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from txfuzz.campaign.workers import versions
from txfuzz.campaign.workers.at_worker import Order, Packed, leave
from txfuzz.campaign.workers.contract import Asked, Job, Slices, Told
from txfuzz.campaign.workers.coordinator import Limits, RemoteWorker, Said, coordinate, told_every
from txfuzz.errors import DatabaseUnavailable, UsageError

CONNECTING = 10.0  # seconds
ARRIVING = 60.0  # seconds that there may be no worker at the scheduler
_LOOKS = 1.0  # seconds between two questions which workers there are
_LIMITS = Limits()
Say = Callable[[str], None]


class Cluster:
    """An Engine. address: of the scheduler. most: workers; None for as many as the cluster has threads.
    say: is told of workers that are refused, in a sentence."""

    def __init__(
        self,
        address: str,
        most: int | None = None,
        *,
        say: Say = lambda sentence: None,
        limits: Limits = _LIMITS,
        arriving: float = ARRIVING,
    ) -> None:
        self._address, self._most, self._say, self._limits = address, most, say, limits
        self._arriving = arriving
        self._at: _Workers | None = None

    @property
    def size(self) -> int:
        """How many workers there are now. UsageError, DatabaseUnavailable where there can be none."""
        return self._workers().size

    def run(self, job: Job[Asked, Told], slices: Slices[Asked, Told]) -> None:
        workers = self._workers()
        workers.begin(pickle.dumps(job))
        try:
            coordinate(slices, workers, self._limits)
        finally:
            self._at = None
            workers.close()

    def _workers(self) -> _Workers:
        if self._at is None:
            self._at = _Workers(
                _connected(self._address), self._address, self._most, self._say, self._arriving
            )
        return self._at


def _connected(address: str) -> Any:
    for name in ("client", "core", "utils", "batched"):  # tracebacks, of what is said here in a sentence
        logging.getLogger(f"distributed.{name}").setLevel(logging.CRITICAL)
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs the package distributed: pip install 'txfuzz[dask]'") from None
    try:
        made: Callable[..., Any] = Client
        return made(address, timeout=CONNECTING, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DatabaseUnavailable(f"no Dask scheduler answers at {address}: {why}") from None


class _Workers:
    """A Workplace: the threads of the cluster's workers that have the same versions as are here."""

    def __init__(self, client: Any, address: str, most: int | None, say: Say, arriving: float) -> None:
        self._client, self._address, self._most, self._say = client, address, most, say
        self._arriving = arriving
        self._topic = f"txfuzz-{uuid.uuid4().hex}"
        self._ours = versions.installed_versions()
        self._threads: dict[str, int] = {}  # by address, of the workers that are there and not refused
        self._refused: dict[str, str] = {}
        self._taken: dict[str, int] = {}
        self._by_name: dict[str, _ClusterWorker] = {}
        self._since = time.monotonic()  # there was somebody
        self._cut = ""
        self._closed = threading.Event()
        self._job, self._every = b"", 0.1
        self._look()
        self._watch = threading.Thread(target=self._watching, name="cluster", daemon=True)
        self._watch.start()

    @property
    def size(self) -> int:
        while not self._threads and self.waits():
            time.sleep(0.1)
        threads = sum(self._threads.values())
        return threads if self._most is None else min(threads, self._most)

    def begin(self, job: bytes) -> None:
        self._job, self._every = job, told_every(self.size)
        self._client.subscribe_topic(self._topic, self._hear)

    # -- the workers that there are, seen by a thread of its own --------------------------------

    def _watching(self) -> None:
        while not self._closed.wait(_LOOKS):
            self._look()

    def _look(self) -> None:
        try:
            if not self.connected():
                return
            there: dict[str, int] = self._client.nthreads()
            new = [each for each in there if each not in self._threads and each not in self._refused]
            if new:
                self._ask(new)
        except Exception as error:  # whatever the connection ends by
            if not self._closed.is_set():
                self._cut = (str(error).splitlines() or [""])[0] or type(error).__name__
            return
        self._threads = {at: number for at, number in there.items() if at not in self._refused}

    def _ask(self, addresses: Sequence[str]) -> None:
        """Which versions they have: those with others than here are refused."""
        import cloudpickle

        cloudpickle.register_pickle_by_value(versions)
        try:
            answers = self._client.run(
                versions.installed_versions, workers=list(addresses), on_error="return"
            )
        finally:
            cloudpickle.unregister_pickle_by_value(versions)
        for address, answer in answers.items():
            if isinstance(answer, BaseException):
                why = f"it cannot be asked for its versions: {(str(answer).splitlines() or [''])[0]}"
            else:
                why = versions.difference(self._ours, answer)
            if why:
                self._refused[address] = f"the worker {address} is refused: {why}"
                self._say(self._refused[address])

    # -- as a Workplace ---------------------------------------------------------------------------

    def has_room(self) -> bool:
        self._check()
        if self._most is not None and len(self._by_name) >= self._most:
            return False
        return self._free() is not None

    def _free(self) -> str | None:
        if len(self._by_name) >= sum(self._threads.values()):
            return None
        return next((at for at, most in self._threads.items() if self._taken.get(at, 0) < most), None)

    def waits(self) -> bool:
        self._check()
        now = time.monotonic()
        if self._threads:
            self._since = now
        elif self._refused and now - self._since > _LOOKS:
            raise UsageError(next(iter(self._refused.values())))
        elif now - self._since > self._arriving:
            raise DatabaseUnavailable(
                f"the Dask scheduler at {self._address} has had no worker for {self._arriving:g} s"
            )
        return True

    def connected(self) -> bool:
        """Otherwise whatever is asked of Dask waits for a new connection, half a minute or so."""
        if not self._cut and self._client.status != "running":
            self._cut = f"it is {self._client.status}"
        return not self._cut

    def _check(self) -> None:
        if not self.connected():
            raise DatabaseUnavailable(
                f"the connection to the Dask scheduler at {self._address} was lost: {self._cut}"
            )

    def start(self, said: Said) -> RemoteWorker:
        address = self._free()
        assert address is not None
        self._taken[address] = self._taken.get(address, 0) + 1
        name = f"{uuid.uuid4().hex}"
        worker = self._by_name[name] = _ClusterWorker(self, name, address, said)
        return worker

    def left(self, worker: RemoteWorker) -> None:
        assert isinstance(worker, _ClusterWorker)
        self.leave(worker)
        if self._by_name.pop(worker.key, None) is not None:
            self._taken[worker.name] -= 1

    # -- for each of its workers -------------------------------------------------------------------

    def is_there(self, address: str) -> bool:
        self._check()
        return address in self._threads

    def submit(self, worker: _ClusterWorker, asked: Any, number: int) -> Any:
        job = self._job if number == 1 else None
        order = Order(worker.key, self._topic, asked, job, self._every)
        return self._client.submit(
            pickle.loads, Packed.of(order), key=f"txfuzz-slice-{worker.key}-{number}", workers=[worker.name],
            allow_other_workers=False, pure=False, retries=0,
        )  # fmt: skip

    def leave(self, *workers: _ClusterWorker) -> None:
        keys = [each.key for each in workers if each.name in self._threads]
        at = sorted({each.name for each in workers if each.name in self._threads})
        if keys and self.connected():
            with suppress(Exception):  # they may be gone by now
                self._client.run(leave, keys, workers=at, wait=False, on_error="ignore")

    def _hear(self, event: tuple[float, Sequence[Any]]) -> None:
        key, message = event[1]
        worker = self._by_name.get(key)
        if worker is not None:
            worker.said.put((worker, pickle.loads(message)))

    def close(self) -> None:
        """All that are still known end."""
        self.leave(*self._by_name.values())
        self._closed.set()
        with suppress(Exception):
            self._client.close(timeout=2.0)


class _ClusterWorker:
    """A thread of a Dask worker. name: the address of that. key: what tells it from all others."""

    def __init__(self, at: _Workers, key: str, address: str, said: Said) -> None:
        self._at, self.key, self.name, self.said = at, key, address, said
        self._future: Any = None
        self._slices = 0

    def take(self, asked: Any) -> None:
        self._slices += 1
        self._future = self._at.submit(self, asked, self._slices)

    def stop(self) -> None:
        if self._future is not None and self._at.connected():
            with suppress(Exception):  # it may end at any time
                self._future.cancel()

    def leave(self) -> None:
        self.stop()

    def end(self, seconds: float) -> str:
        """Not by force: what runs there sees that its slice is not wanted any more."""
        self.leave()
        return "it is gone"

    def gone(self) -> str:
        if self._at.is_there(self.name):
            error = self._error()
            return f"Dask could not run its slice: {error}" if error else ""
        return "it has left the Dask scheduler"

    def _error(self) -> str:
        if self._future is None or self._future.status != "error":
            return ""
        error = self._future.exception()
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
