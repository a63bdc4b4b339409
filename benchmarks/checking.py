"""The time of reading and checking, stage by stage, and the memory that they need.

    python benchmarks/checking.py                                   # 10k to 1M transactions
    python benchmarks/checking.py --sizes 10000 100000 --stale 0.5  # with stale readers
    python benchmarks/checking.py --plain 1000 10000                # edn_format and networkx too

Histories come from make_history.py (list-append, 20 processes, 10 keys in use, 32 to 128 appends per key)
and are checked against strict-serializable. Every run has its own process; of several the fastest counts.
Seconds are CPU time, which other load on the machine affects least; `wall` is the elapsed time of reading
and checking, including imports. Memory is the peak of the process in MB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

HERE = Path(__file__).resolve().parent
STAGES = (
    "floor",
    "read",
    "dependencies",
    "anomalies",
    "components",
    "search",
    "check",
    "total",
    "wall",
)


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = process_time()
        yield
        self.seconds[stage] = process_time() - start


def floor(path: str, clock: Clock) -> str:
    """Only the bytes."""
    with clock("floor"), open(path, "rb", buffering=0) as file:
        while file.read(1 << 22):
            pass
    return ""


def whole(path: str, clock: Clock) -> str:
    """Read, then check, as `txfuzz analyze` does. Imports count."""
    with clock("total"):
        from txfuzz.analysis.checker.check import check
        from txfuzz.history.reader import read_history

        with clock("read"):
            history = read_history(path)
        with clock("check"):
            result = check(history, "strict-serializable")
    return f"{result.verdict.value} {' '.join(result.anomaly_types)}".strip()


def stages(path: str, clock: Clock) -> str:
    """The stages of `check`, one after the other."""
    from txfuzz.analysis.anomalies.detect import anomalies
    from txfuzz.analysis.checker import check as front
    from txfuzz.analysis.checker.cycle_search import Budget
    from txfuzz.analysis.checker.scc_graph import scc_graph
    from txfuzz.analysis.dependencies.build import dependencies
    from txfuzz.analysis.dependencies.columns import columns_of
    from txfuzz.analysis.dependencies.edges import REALTIME
    from txfuzz.history.reader import read_history

    history = read_history(path)
    with clock("dependencies"):
        columns = columns_of(history)
        edges = dependencies(history, columns=columns)
    with clock("anomalies"):
        found = tuple(anomalies(columns, edges.versions, 3))
    import scipy.sparse.csgraph  # noqa: F401 (its import is no part of the stage)

    with clock("components"):
        scc_graph(edges, REALTIME)
    with clock("search"):
        judgement = front._Judgement(columns, edges, found, REALTIME, Budget(60), 3)
        result = judgement.of("PL-SS")
    clock.seconds["search"] = max(0.0, clock.seconds["search"] - clock.seconds["components"])
    return result.verdict.value


def plain(path: str, clock: Clock) -> str:
    """edn_format and networkx."""
    import plain_checker

    with clock("total"):
        with clock("read"):
            operations = plain_checker.read(path)
        with clock("check"):
            with clock("dependencies"):
                graph = plain_checker.dependency_graph(operations)
            with clock("components"):
                found = plain_checker.components(graph)
    return f"{len(found)} components"


WORKS: dict[str, Callable[[str, Clock], str]] = {
    "floor": floor,
    "whole": whole,
    "stages": stages,
    "plain": plain,
}


def measured(work: str, path: str, times: int) -> dict[str, Any]:
    """The fastest of several runs, each in its own process."""
    runs = []
    for _ in range(times):
        command = [sys.executable, __file__, "--work", work, path]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    best = min(runs, key=lambda run: sum(run["seconds"].values()))
    return {**best, "memory": max(run["memory"] for run in runs)}


def run_once(work: str, path: str) -> None:
    clock = Clock()
    start = perf_counter()
    said = WORKS[work](path, clock)
    clock.seconds["wall"] = perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": clock.seconds, "memory": memory, "said": said}))


def row(cells: list[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def report(name: str, size: int, stale: float, path: str, works: tuple[str, ...], times: int) -> None:
    seconds: dict[str, float] = {}
    memory, said = 0.0, ""
    for work in works:
        run = measured(work, path, times)
        if work in ("whole", "plain"):
            memory, said = run["memory"], run["said"]
        else:
            run["seconds"].pop("wall")
        seconds |= run["seconds"]
    megabytes = os.path.getsize(path) / 1e6
    told = [f"{seconds[stage]:.2f}" if stage in seconds else "" for stage in STAGES]
    row([name, f"{size:,}", f"{stale:.0%}", f"{megabytes:.0f}", *told, f"{memory:.0f}", said])


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    options.add_argument("--stale", type=float, nargs="*", default=[0.0, 0.5], help="shares of stale readers")
    options.add_argument("--plain", type=int, nargs="*", default=[], help="sizes for edn_format and networkx")
    options.add_argument("--times", type=int, default=2)
    options.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.work:
        return run_once(*chosen.work)
    row(["", "transactions", "stale", "MB", *STAGES, "peak MB", "says"])
    row(["---"] * (len(STAGES) + 6))
    with tempfile.TemporaryDirectory() as directory:
        for stale in chosen.stale:
            for size in sorted({*chosen.sizes, *chosen.plain}):
                path = os.path.join(directory, "history.edn")
                make: list[str | Path] = [sys.executable, HERE / "make_history.py", "--out", path]
                subprocess.run([*make, "--transactions", str(size), "--stale", str(stale)], check=True)
                if size in chosen.sizes:
                    report("txfuzz", size, stale, path, ("floor", "whole", "stages"), chosen.times)
                if size in chosen.plain:
                    report("edn_format, networkx", size, stale, path, ("plain",), 1)
    return None


if __name__ == "__main__":
    main()
