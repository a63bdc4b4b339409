"""Large histories that are correct by construction, with a given number of planted anomalies.

    python benchmarks/make_history.py --transactions 1000000 --out /tmp/history.edn
    python benchmarks/make_history.py --transactions 10000 --plant G1a=2 --plant write-skew=1 --out h.edn

A single-copy database executes every transaction at one instant between its invocation and its
completion, so the history is strictly serializable. Stale readers (--stale) are read-only
transactions that see one older state: still serializable. Planted anomalies use separate
keys. The history is written as it is generated; memory grows only with the keys in use.
"""

from __future__ import annotations

import argparse
import heapq
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO, TypeAlias

LAG = 200  # a stale reader is at most so many commits behind

# Each plants one anomaly: transactions that all overlap, by how they end and what they do to the
# keys a and b; a read says what it sees.
PLANTS: dict[str, list[tuple[str, str]]] = {
    "G1a": [("fail", "append a 1"), ("ok", "append a 2"), ("ok", "r a 1 2")],
    "G1b": [("ok", "append a 1, append a 2"), ("ok", "r a 1")],
    "G1c": [("ok", "append a 1, r b 1"), ("ok", "append b 1, r a 1")],
    "lost-update": [("ok", "r a, append a 1"), ("ok", "r a, append a 2"), ("ok", "r a 1 2")],
    "read-skew": [("ok", "append a 1, append b 1"), ("ok", "r a 1, r b")],
    "write-skew": [("ok", "r a, append b 1"), ("ok", "r b, append a 1"), ("ok", "r a 1, r b 1")],
    "incompatible-order": [("ok", "append a 1"), ("ok", "append a 2"), ("ok", "r a 1"), ("ok", "r a 2 1")],
}


@dataclass(slots=True)
class Key:
    """A growing list: its text, and for every append the end of the text and the time."""

    name: int
    slot: int  # its place among the keys in use: the logical key
    appends: int  # writes until another key takes its place
    taken: int = 0
    text: str = ""
    ends: list[int] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)

    def write(self, value: int, commit: int) -> None:
        self.text = f"{self.text} {value}" if self.text else str(value)
        self.ends.append(len(self.text))
        self.commits.append(commit)

    def read(self, commit: int) -> str:
        """What it holds after that commit."""
        seen = bisect_right(self.commits, commit)
        return f"[{self.text[: self.ends[seen - 1]] if seen else ''}]"


class Register(Key):
    """A register: of the list of all that was ever written, the last."""

    def read(self, commit: int) -> str:
        seen = bisect_right(self.commits, commit)
        return (
            self.text[self.ends[seen - 2] if seen > 1 else 0 : self.ends[seen - 1]].strip() if seen else "nil"
        )


# (f, key, value): the value of a read is None.
Mops: TypeAlias = list[tuple[str, Key, int | None]]
Running: TypeAlias = tuple[Mops, bool]  # whether it reads an old state


@dataclass(slots=True)
class Maker:
    """The database, its clients, and the file that they are recorded in."""

    options: argparse.Namespace
    out: IO[str]
    random: random.Random
    keys: list[Key] = field(default_factory=list)
    made: int = 0
    values: int = 0
    commit: int = 0
    index: int = 0
    time: int = 0

    def run(self) -> None:
        options = self.options
        self.keys = [self.key(slot) for slot in range(options.keys)]
        plants = [name for name, count in options.plant for _ in range(count)]
        every = options.transactions // (len(plants) + 1)
        clients: list[tuple[float, int, Running | None]]
        clients = [(self.random.random(), process, None) for process in range(options.processes)]
        heapq.heapify(clients)
        begun = 0
        while clients:
            now, process, running = heapq.heappop(clients)
            self.time = int(now * 1e6)
            if running is not None:
                process = self.end(process, *running)
                running = None
            elif begun < options.transactions:
                begun += 1
                running = self.begin(process)
                if plants and begun % every == 0:
                    self.plant(plants.pop())
            else:
                continue
            heapq.heappush(clients, (now + self.random.expovariate(1.0), process, running))

    def key(self, slot: int) -> Key:
        self.made += 1
        kind = Key if self.options.kind == "list-append" else Register
        return kind(self.made, slot, self.random.randint(*self.options.appends))

    def begin(self, process: int) -> Running:
        """Invoke a transaction; keys and values are chosen here."""
        stale = self.random.random() < self.options.stale
        mops: Mops = []
        for _ in range(self.random.randint(*self.options.mops)):
            key = self.random.choice(self.keys)
            if stale or self.random.random() < 0.5:
                mops.append(("r", key, None))
            else:
                mops.append(self.write(key))
        extra = ""
        if self.options.fields:
            steps = " ".join(map(str, range(len(mops))))
            slots = " ".join(str(key.slot) for _, key, _ in mops)
            extra = f', :txn "{"reader" if stale else "mixed"}", :steps [{steps}], :logical [{slots}]'
        self.line("invoke", process, [text(f, key, value) for f, key, value in mops], extra)
        return mops, stale

    def write(self, key: Key) -> tuple[str, Key, int]:
        key.taken += 1
        if key.taken == key.appends:
            self.keys[key.slot] = self.key(key.slot)
        self.values += 1
        f = "append" if self.options.kind == "list-append" else "w"
        return f, key, self.values if self.options.values == "global" else key.taken

    def end(self, process: int, mops: Mops, stale: bool) -> int:
        """Execute and complete a transaction; returns the process that continues."""
        fate = self.random.random()
        failed, unknown = fate < self.options.fail, 0 <= fate - self.options.fail < self.options.info
        seen = []
        if not failed and (not unknown or self.random.random() < 0.5):
            as_of = self.commit - self.random.randint(0, LAG) if stale else self.commit + 1
            self.commit += 1
            for f, key, value in mops:
                if value is None:
                    seen.append(f"[:r {key.name} {key.read(as_of)}]")
                else:
                    key.write(value, self.commit)
                    seen.append(text(f, key, value))
        if failed or unknown:
            asked = [text(f, key, value) for f, key, value in mops]
            error = ', :error ["40001" "commit"]' if failed else ', :error ["08006" "commit"]'
            self.line("fail" if failed else "info", process, asked, error)
            return process if failed else process + self.options.processes
        self.line("ok", process, seen)
        return process

    def plant(self, name: str) -> None:
        """Write the transactions of an anomaly, all at once, by separate clients."""
        keys = {"a": self.key(0).name, "b": self.key(0).name}
        parts = [[mop.split(" ") for mop in mops.split(", ")] for _, mops in PLANTS[name]]
        processes = [1_000_000_000 + self.made * 10 + at for at in range(len(parts))]
        for process, mops in zip(processes, parts, strict=True):
            self.line("invoke", process, [asked(f, keys[key], values) for f, key, *values in mops])
        for (end, _), process, mops in zip(PLANTS[name], processes, parts, strict=True):
            show: Callable[[str, int, Sequence[str]], str] = answered if end == "ok" else asked
            self.line(end, process, [show(f, keys[key], values) for f, key, *values in mops])

    def line(self, type: str, process: int, mops: list[str], extra: str = "") -> None:
        before, after = (extra, "") if type == "invoke" else ("", extra)
        self.out.write(
            f"{{:index {self.index}, :type :{type}, :process {process}, :f :txn, :time {self.time}{before}, "
            f":value [{' '.join(mops)}]{after}}}\n"
        )
        self.index += 1


def text(f: str, key: Key, value: int | None) -> str:
    return f"[:{f} {key.name} {'nil' if value is None else value}]"


def asked(f: str, key: int, values: Sequence[str]) -> str:
    return f"[:{f} {key} {'nil' if f == 'r' else values[0]}]"


def answered(f: str, key: int, values: Sequence[str]) -> str:
    return f"[:{f} {key} [{' '.join(values)}]]" if f == "r" else asked(f, key, values)


def pair(argument: str) -> tuple[int, int]:
    low, _, high = argument.partition("-")
    return int(low), int(high or low)


def planted(argument: str) -> tuple[str, int]:
    name, _, count = argument.partition("=")
    if name not in PLANTS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PLANTS)}")
    return name, int(count or 1)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--out", required=True, help="the file to write")
    options.add_argument("--transactions", type=int, default=100_000)
    options.add_argument("--kind", choices=("list-append", "rw-register"), default="list-append")
    options.add_argument("--processes", type=int, default=20)
    options.add_argument("--keys", type=int, default=10, help="keys in use at a time")
    options.add_argument("--appends", type=pair, default=(32, 128), help="per key, e.g. 32-128")
    options.add_argument("--mops", type=pair, default=(1, 6), help="micro-operations per transaction")
    options.add_argument(
        "--values", choices=("key", "global"), default="key", help="unique per key or overall"
    )
    options.add_argument(
        "--stale", type=float, default=0.0, help="share of transactions that read an old state"
    )
    options.add_argument("--fail", type=float, default=0.02, help="share that fails")
    options.add_argument("--info", type=float, default=0.005, help="share of unknown outcome")
    options.add_argument("--plant", type=planted, action="append", default=[], metavar="NAME[=COUNT]")
    options.add_argument("--fields", action="store_true", help="with :txn, :steps and :logical")
    options.add_argument("--seed", type=int, default=7)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if options.plant and options.kind != "list-append":
        raise SystemExit("anomalies are planted in list-append only")
    with open(options.out, "w", buffering=1 << 20) as out:
        Maker(options, out, random.Random(options.seed)).run()


if __name__ == "__main__":
    main()
