"""The soak test: every shipped workload at SERIALIZABLE under every fault must find nothing.

A finding is a bug in txfuzz or in the server; its history and workload are kept for replaying. The
workload that loses commits on purpose (crash_async) is left out. Exit code 1 if anything was found except
the one known hole of PostgreSQL (docs/reference/faults.md, commit_window.py), which is counted separately.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from page_tables import replaced
from txfuzz.analysis.anomalies.durability import Durability
from txfuzz.campaign.iterations.soak import CameOut, Round, Shape, SoakJob
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.campaign.workers.engines import Workers
from txfuzz.campaign.workers.independent import Independent
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import FaultSpec, Scheduling, Workload
from txfuzz.workload.shipped import shipped_workloads
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.writer import workload_text

LEVEL, EXPECT = "serializable", "strict-serializable"
# Reader -rw-> writer -rw-> first writer -wr-> reader, the anomaly of the commit window
KNOWN: set[Shape] = {("G2-item", ("rw", "rw", "wr"))}
LEFT_OUT = {"crash_async"}
FAULTS = {
    "none": (),
    "kill-server": (FaultSpec("kill-server", every=1.0),),
    "terminate-backends": (FaultSpec("terminate-backends", {"share": 0.5}, every=0.2),),
    "pause-server (all)": (FaultSpec("pause-server", {"seconds": 0.1}, every=0.5),),
    "pause-server (one session)": (
        FaultSpec("pause-server", {"whom": "session", "seconds": 0.1}, every=0.2),
    ),
    "pause-server (background)": (
        FaultSpec("pause-server", {"whom": "background", "seconds": 0.3}, every=0.5),
    ),
    "timeouts": (FaultSpec("timeouts", {"seconds": 0.5}, every=1.0),),
    "cut-commit": (FaultSpec("cut-commit", {"connections": 2}, every=0.02),),
}
FAULTS["all together"] = tuple(fault for faults in FAULTS.values() for fault in faults)


@dataclass
class Row:
    """One line of a table: sums over rounds."""

    rounds: int = 0
    injected: int = 0
    asked: int = 0
    ok: int = 0
    fail: int = 0
    info: int = 0
    unknown: int = 0
    happened: int = 0
    lost: int = 0
    findings: int = 0
    known: int = 0

    def add(self, summary: ExecutionSummary, settled: Durability, finding: bool, known: bool) -> None:
        self.rounds += 1
        self.injected += len(summary.faults)
        self.asked += summary.asked
        self.ok += summary.ok
        self.fail += summary.fail
        self.info += summary.info
        self.unknown += settled.unknown
        self.happened += settled.happened
        self.lost += settled.lost
        self.findings += finding and not known
        self.known += known


@dataclass
class Soak:
    """The results so far. keep: the directory for histories of findings."""

    seconds: float
    keep: Path
    by_fault: dict[str, Row] = field(default_factory=dict)
    by_workload: dict[str, Row] = field(default_factory=dict)
    aborts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    server: str = ""

    @property
    def asked(self) -> int:
        return sum(row.asked for row in self.by_fault.values())

    def add(self, asked: Round, came: CameOut) -> None:
        """Count a round."""
        summary = came.summary
        self.server = came.server
        known = came.shapes == KNOWN and not came.settled.lost
        for rows, name in ((self.by_fault, asked.fault), (self.by_workload, asked.workload.name)):
            rows.setdefault(name, Row()).add(summary, came.settled, bool(came.wrong), known)
        self.aborts.update(summary.aborts)
        if came.wrong:
            self._found(asked, came, known)
        print(
            f"{asked.number:4}  {asked.workload.name:18} {asked.fault:27} {summary.ok:7,} ok "
            f"{summary.fail:6,} fail {summary.info:5,} info {len(summary.faults):4} faults  "
            f"{came.verdict.value}  {self.asked:,} in all",
            flush=True,
        )

    def _found(self, asked: Round, came: CameOut, known: bool) -> None:
        """Keep the history and its workload."""
        self.keep.mkdir(parents=True, exist_ok=True)
        history = self.keep / f"round_{asked.number}.edn"
        history.write_bytes(zlib.decompress(came.history))
        history.with_suffix(".yaml").write_text(workload_text(asked.workload), encoding="utf-8")
        finding = f"{came.wrong}: {asked.workload.name} under {asked.fault}; kept as {history}"
        (self.known if known else self.findings).append(finding)
        print(f"{'KNOWN' if known else 'FOUND'} {finding}", flush=True)


def rounds(registry: Registry, seconds: float, seed: int) -> Iterator[tuple[Workload, str]]:
    """Every workload with every fault, in an order that differs from one pass to the next."""
    workloads = [
        read_workload(path, InstalledVocabulary(registry))
        for name, path in shipped_workloads()
        if name not in LEFT_OUT
    ]
    # What a standby shows is never strict-serializable
    workloads = [each for each in workloads if not each.database.endpoints]
    for turn in count():
        pairs = [(workload, fault) for workload in workloads for fault in FAULTS]
        random.Random(f"{seed}/{turn}").shuffle(pairs)
        for workload, fault in pairs:
            options = {**workload.database.options, "synchronous_commit": "on", "fsync": True}
            yield (
                replace(
                    workload,
                    database=replace(workload.database, options=options),
                    faults=FAULTS[fault],
                    scheduling=Scheduling(max(8, workload.scheduling.clients), None, seconds),
                ),
                fault,
            )


def report(soak: Soak, seconds: float, command: str) -> str:
    """Both tables and the text around them, as Markdown."""
    lines = [
        f"`{command}`, {soak.server}, checked against {EXPECT}: {soak.asked:,} transactions in "
        f"{seconds / 60:.0f} minutes ({sum(row.rounds for row in soak.by_fault.values())} rounds of "
        f"{soak.seconds:g} s), {len(soak.findings)} findings; {len(soak.known)} in the known commit window.",
        "",
        "| fault | rounds | injected | transactions | committed | info | writers: happened | findings "
        "| known |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in (name for name in FAULTS if name in soak.by_fault):
        row = soak.by_fault[name]
        lines.append(
            f"| {name} | {row.rounds} | {row.injected:,} | {row.asked:,} | {row.ok:,} | {row.info:,} | "
            f"{row.unknown:,}: {row.happened:,} | {row.findings} | {row.known} |"
        )
    lines += ["", "| workload | rounds | transactions | committed | refused | info | findings | known |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for name, row in sorted(soak.by_workload.items()):
        lines.append(
            f"| {name} | {row.rounds} | {row.asked:,} | {row.ok:,} | {row.fail:,} | {row.info:,} | "
            f"{row.findings} | {row.known} |"
        )
    codes = ", ".join(f"{code} ×{times:,}" for code, times in soak.aborts.most_common())
    lines += ["", f"Error codes: {codes}."]
    lines += [f"- {finding}" for finding in (*soak.findings, *soak.known)]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--transactions", type=int, help="also stop after so many transactions")
    parser.add_argument("--seconds", type=float, default=8.0, help="of one round (default 8)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, help="processes, each with servers of its own")
    parser.add_argument("--dask", metavar="ADDRESS", help="workers of this Dask scheduler instead")
    parser.add_argument("--keep", type=Path, help="where histories of findings go (default: a new directory)")
    parser.add_argument("--write", type=Path, help="replace the tables in this page")
    given = parser.parse_args()
    registry = load_plugins(strict=True)
    directory = given.keep or Path(tempfile.gettempdir(), f"txfuzz-soak-{time.strftime('%Y%m%d-%H%M%S')}")
    soak = Soak(given.seconds, directory)
    start = time.monotonic()

    def enough() -> bool:
        over: bool = given.transactions is not None and soak.asked >= given.transactions
        return over or bool(time.monotonic() - start > given.minutes * 60)

    pairs = enumerate(rounds(registry, given.seconds, given.seed), 1)

    def say(sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    slices: Independent[Round, CameOut] = Independent(
        (Round(workload, fault, number) for number, (workload, fault) in pairs),
        on_ended=lambda part, came: soak.add(part.what, came),
        on_lost=say,
        interrupted=enough,
    )
    try:
        Workers(given.workers, given.dask).engine(say).run(SoakJob(LEVEL, EXPECT), slices)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    command = f"make soak MINUTES={given.minutes:g}"
    text = report(soak, time.monotonic() - start, command)
    print(f"\n{text}")
    if given.write is not None:
        replaced(given.write, "soak", text)
    return 1 if soak.findings else 0


if __name__ == "__main__":
    sys.exit(main())
