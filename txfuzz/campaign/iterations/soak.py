"""Rounds of a soak test, which workers anywhere may run: a workload under faults, and how it is judged."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.anomalies.durability import Durability, durability
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.setup.resolve import assemble
from txfuzz.campaign.workers.independent import Part
from txfuzz.common.scratch import scratch_directory
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import Workload

Shape = tuple[str, tuple[str, ...]]
"""Of an anomaly: its type, and the kinds of its dependencies in order."""


@dataclass(frozen=True)
class Round:
    """fault: what the workload's faults are called together. number: from 1, and the seed."""

    workload: Workload
    fault: str
    number: int


@dataclass(frozen=True)
class CameOut:
    """server: product and version. wrong: what was found, in a clause, or nothing; then there are the shapes
    of all anomalies, and history: the EDN, compressed by zlib."""

    summary: ExecutionSummary
    settled: Durability
    server: str
    verdict: Verdict
    wrong: str = ""
    shapes: frozenset[Shape] = frozenset()
    history: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class SoakJob:
    """A Job of parts of rounds → CameOut (see campaign.workers.contract), each on a server of its own.
    isolation: the level. expect: the consistency model that histories are checked against."""

    isolation: str
    expect: str

    @contextmanager
    def opened(self) -> Iterator[SoakWorker]:
        with scratch_directory("soak") as directory:
            yield SoakWorker(self, directory, load_plugins(strict=True))


@dataclass(frozen=True)
class SoakWorker:
    job: SoakJob
    directory: Path
    registry: Registry

    def run(self, asked: Part[Round], tell: Callable[[CameOut], bool]) -> None:
        """The exception of a round that ended by one."""
        number, workload, job = asked.what.number, asked.what.workload, self.job
        assembled = assemble(workload, self.registry, isolation=job.isolation, expect=job.expect, seed=number)
        path = self.directory / "history.edn"
        with assembled.adapter.open(None) as database:
            found = database.describe()
            server = f"{found['product']} {found['version']} ({found['server']})"
            summary = execute(
                assembled.workload, database, path,
                isolation=assembled.isolation, faults=assembled.faults,
            )  # fmt: skip
        if summary.failure is not None:
            raise summary.failure
        history = read_history(path)
        result = analyze_history(history, job.expect)
        settled = durability(history)
        if wrong := _wrong(result, settled):
            data = zlib.compress(path.read_bytes())
            tell(CameOut(summary, settled, server, result.verdict, wrong, _shapes(result), data))
        else:
            tell(CameOut(summary, settled, server, result.verdict))


def _wrong(result: AnalysisResult, settled: Durability) -> str:
    wrong = list(result.anomaly_types) if result.verdict is Verdict.INVALID else []
    if settled.lost:
        wrong.append(f"{settled.lost} acknowledged transactions lost")
    return ", ".join(wrong)


def _shapes(result: AnalysisResult) -> frozenset[Shape]:
    return frozenset(
        (anomaly.type, tuple(sorted(edge.kind for edge in anomaly.edges))) for anomaly in result.anomalies
    )
