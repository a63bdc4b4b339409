"""How many slices a second one coordinator hands out and takes in, and how many bytes each of them is.

Workers are simulated: they answer as soon as they are asked, with what a slice of a hunt or of an exploration
really comes to, pickled as it would come. So the time is that of the coordinator alone. --dask also runs
slices that do nothing on a Dask cluster of this machine, which measures all that is between.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from txfuzz.campaign.hunt.opening import hunting_ground
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.campaign.hunt.slices import HuntNews, HuntSlices
from txfuzz.campaign.workers.coordinator import Limits, RemoteWorker, Said, coordinate
from txfuzz.campaign.workers.independent import Independent
from txfuzz.campaign.workers.messages import Ended, News, Opened
from txfuzz.hunt.guidance.strategies import source_named
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.result import HuntCounts, HuntResult
from txfuzz.replay.explore import LevelResult

BAR = 1_000  # slices a second
_ENDED = pickle.dumps(Ended())
NEWS = 3  # of a slice, the last one included


class Simulated:
    """A Workplace of workers that answer at once. Counts the bytes that would be sent."""

    def __init__(self, number: int, answers: Callable[[Any], list[Any]]) -> None:
        self._free, self._answers = number, answers
        self.sent = self.received = self.slices = 0
        self.seconds = 0.0  # of the workers

    def has_room(self) -> bool:
        return self._free > 0

    def waits(self) -> bool:
        return False

    def start(self, said: Said) -> RemoteWorker:
        self._free -= 1
        worker = _Worker(str(self._free), self, said)
        worker.hear(pickle.dumps(Opened()))
        return worker

    def left(self, worker: RemoteWorker) -> None:
        self._free += 1

    def taken(self, worker: _Worker, asked: Any) -> None:
        self.slices += 1
        order = pickle.dumps(asked)
        self.sent += len(order)
        began = time.process_time()
        said = [pickle.dumps(News(news)) for news in self._answers(pickle.loads(order))]
        self.seconds += time.process_time() - began
        for message in said:
            worker.hear(message)
        worker.hear(_ENDED)


class _Worker:
    def __init__(self, name: str, at: Simulated, said: Said) -> None:
        self.name, self._at, self._said = name, at, said

    def take(self, asked: Any) -> None:
        self._at.taken(self, asked)

    def hear(self, data: bytes) -> None:
        self._at.received += len(data)
        self._said.put((self, pickle.loads(data)))

    def stop(self) -> None: ...

    def leave(self) -> None: ...

    def end(self, seconds: float) -> str:
        return "it has ended"

    def gone(self) -> str:
        return ""


def hunting(slices: int, workers: int) -> tuple[Any, Callable[[Any], list[Any]]]:
    """A hunt for so many slices; each has 600 features that are covered, of which few are new."""
    ground = hunting_ground(HuntSettings("sqlite"), ())
    covered = range(1 << 40, (1 << 40) + 600)
    counts = HuntCounts(0, 400, 800, 700, 100, 100)

    def answers(asked: Any) -> list[Any]:
        numbers, found = asked.numbers, []
        for share in range(1, NEWS + 1):
            done = replace(
                counts, number=numbers.start + len(numbers) * share // NEWS, schedules=800 * share // NEWS
            )
            found.append(
                HuntNews("a server 1.0", HuntResult(done, covered=frozenset(covered[: 200 * share])))
            )
        return found

    coordinator = HuntSlices(
        Budget(schedules=800 * slices),
        workers,
        source_named("random", ground.scope, 0, serial=True),
        HuntResult(HuntCounts()),
        on_hole=lambda hole, files: None,
        on_news=lambda counts, holes: True,
    )
    return coordinator, answers


def exploring(slices: int, workers: int) -> tuple[Any, Callable[[Any], list[Any]]]:
    """An exploration; each slice is a hundred schedules."""

    def answers(asked: Any) -> list[Any]:
        level = LevelResult("serializable", "serializable", 100, Counter({"G2-item": 3}), judged=100)
        return [level] * NEWS

    return Independent(range(slices), on_ended=lambda part, news: None), answers


def measured(kind: str, slices: int, workers: int) -> float:
    """Prints a line, and gives the slices a second."""
    make = {"hunt": hunting, "explore": exploring}[kind]
    coordinator, answers = make(slices, workers)
    place = Simulated(workers, answers)
    began = time.process_time()
    coordinate(coordinator, place, Limits())
    ran = time.process_time() - began - place.seconds
    each = 1e6 * ran / place.slices
    print(
        f"| {kind} | {workers:,} | {place.slices:,} | {place.slices / ran:,.0f} | {each:,.0f} "
        f"| {place.sent / place.slices:,.0f} | {place.received / place.slices:,.0f} |"
    )
    return place.slices / ran


def by_dask(slices: int) -> None:
    from distributed import LocalCluster

    from idle_slices import IdleJob
    from txfuzz.campaign.workers.cluster import Cluster

    local: Callable[..., Any] = LocalCluster
    with local(n_workers=2, threads_per_worker=4, dashboard_address=None) as cluster:
        engine = Cluster(cluster.scheduler_address)
        coordinator: Independent[int, int] = Independent(range(slices), on_ended=lambda part, news: None)
        began, ran = time.perf_counter(), time.process_time()
        engine.run(IdleJob(), coordinator)
        ran, wall = time.process_time() - ran, time.perf_counter() - began
    print(
        f"\nDask, 8 workers on this machine, slices that do nothing: {slices / wall:,.0f} a second; "
        f"{1e6 * ran / slices:,.0f} µs of each in the coordinator's process, with Dask's client and scheduler"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=5_000)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 100, 1_000])
    parser.add_argument("--dask", action="store_true")
    given = parser.parse_args()
    print("| slices of | workers | slices | a second of processor time | µs each | bytes out | bytes in |")
    print("|---|---|---|---|---|---|---|")
    slowest = min(
        measured(kind, given.slices, workers) for kind in ("hunt", "explore") for workers in given.workers
    )
    if given.dask:
        by_dask(given.slices)
    if slowest < BAR:
        print(f"fewer than {BAR:,} slices a second: {slowest:,.0f}", file=sys.stderr)
    return 0 if slowest >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
