"""The speed of reading histories, compared with reading bytes, counting lines, and edn_format.

    python benchmarks/reading.py                        # 1k to 1M transactions
    python benchmarks/reading.py --transactions 10000 --stale 0.5 --kind rw-register
    python benchmarks/reading.py history.edn …

Every measurement runs in its own process (so that its peak of memory is separate) and is the best
of --repeat. Each way is only measured up to a size that it can handle. Imports are not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

MAKE = Path(__file__).with_name("make_history.py")


def read_bytes(path: str) -> int:
    with open(path, "rb") as file:
        return len(file.read())


def count_lines(path: str) -> int:
    with open(path, "rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def read_history(path: str) -> int:
    from txfuzz.history import reader as reading

    return len(reading.read_history(path))


def read_without_fast_path(path: str) -> int:
    from txfuzz.history import reader as reading

    return len(reading.read_history_bytes(Path(path).read_bytes(), path, fast=False))


def edn_format(path: str) -> int:
    import edn_format

    with open(path) as file:
        return sum(1 for line in file if edn_format.loads(line))


# Each way with the largest file in MB that it can handle.
WAYS: dict[str, tuple[Callable[[str], int], float]] = {
    "read the bytes": (read_bytes, float("inf")),
    "count the lines": (count_lines, float("inf")),
    "txfuzz": (read_history, float("inf")),
    "txfuzz, fast path off": (read_without_fast_path, 6.0),
    "edn_format, line by line": (edn_format, 0.6),
}


def measure(way: str, path: str) -> None:
    """Seconds, and the peak of memory in MB, in a separate process."""
    import numpy  # noqa: F401

    from txfuzz.history import reader  # noqa: F401

    start = time.perf_counter()
    WAYS[way][0](path)
    print(time.perf_counter() - start, _peak())


def _peak() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def report(path: str, transactions: int, repeat: int) -> None:
    size = os.path.getsize(path) / 1e6
    print(f"\n{transactions:,} transactions, {size:,.1f} MB")
    for way, (_, largest) in WAYS.items():
        if size > largest:
            print(f"  {way:26} (skipped)")
            continue
        runs = [_run(way, path) for _ in range(repeat)]
        seconds, peak = min(run[0] for run in runs), max(run[1] for run in runs)
        speed = f"{transactions / seconds:12,.0f} transactions/s {size / seconds:9,.1f} MB/s"
        print(f"  {way:26} {seconds:9.3f} s {speed} {peak:8,.0f} MB at most", flush=True)


def _run(way: str, path: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--measure", way, path]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="histories (default: generated ones)")
    parser.add_argument("--transactions", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--kind", default="list-append")
    parser.add_argument("--stale", default="0")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        measure(options.measure, options.files[0])
        return
    for path in options.files:
        report(path, read_history(path), options.repeat)
    with tempfile.TemporaryDirectory() as folder:
        for transactions in options.transactions if not options.files else ():
            path = os.path.join(folder, "history.edn")
            make = ["--transactions", str(transactions), "--kind", options.kind, "--stale", options.stale]
            subprocess.run([sys.executable, MAKE, "--fields", "--out", path, *make], check=True)
            report(path, transactions, options.repeat)


if __name__ == "__main__":
    main()
