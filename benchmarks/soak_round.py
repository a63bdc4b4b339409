"""One round of the soak test, which a worker of its own may run: a workload under a fault, judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.anomalies.durability import Durability, durability
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.setup.resolve import assemble
from txfuzz.campaign.workers.independent import Part
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import Registry
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.writer import workload_text

EXPECT = "strict-serializable"


@dataclass(frozen=True)
class Round:
    """fault: its name. number: from 1, and the seed."""

    workload: Workload
    fault: str
    number: int


@dataclass(frozen=True)
class CameOut:
    """wrong: what was found, in a sentence, or nothing. known: it is the one known hole."""

    summary: ExecutionSummary
    settled: Durability
    server: str
    verdict: str
    wrong: str = ""
    known: bool = False


@dataclass(frozen=True)
class SoakJob:
    """A Job of rounds (see txfuzz.campaign.workers.contract). directory: for histories."""

    directory: Path

    @contextmanager
    def opened(self) -> Iterator[SoakWorker]:
        yield SoakWorker(self.directory, load_plugins(strict=True))


@dataclass(frozen=True)
class SoakWorker:
    directory: Path
    registry: Registry

    def run(self, asked: Part[Round], tell: Callable[[CameOut], bool]) -> None:
        """Run one workload under one fault, on a server of its own, and judge it."""
        number, workload = asked.what.number, asked.what.workload
        assembled = assemble(workload, self.registry, isolation="serializable", expect=EXPECT, seed=number)
        history_path = self.directory / f"round_{number}.edn"
        with assembled.adapter.open(None) as database:
            found = database.describe()
            server = f"{found['product']} {found['version']} ({found['server']})"
            summary = execute(
                assembled.workload, database, history_path,
                isolation=assembled.isolation, faults=assembled.faults,
            )  # fmt: skip
        if summary.failure is not None:
            raise summary.failure
        history = read_history(history_path)
        result = analyze_history(history, EXPECT)
        settled = durability(history)
        known = in_commit_window(result) and not settled.lost
        wrong = _judged(result, settled, asked.what, history_path)
        tell(CameOut(summary, settled, server, result.verdict.value, wrong, known and bool(wrong)))


def _judged(result: AnalysisResult, settled: Durability, asked: Round, history: Path) -> str:
    """What is wrong. The history is kept then."""
    wrong = list(result.anomaly_types) if result.verdict is Verdict.INVALID else []
    if settled.lost:
        wrong.append(f"{settled.lost} acknowledged transactions lost")
    if not wrong:
        history.unlink()
        return ""
    history.with_suffix(".yaml").write_text(workload_text(asked.workload), encoding="utf-8")
    return f"{', '.join(wrong)}: {asked.workload.name} under {asked.fault}; kept as {history}"


def in_commit_window(result: AnalysisResult) -> bool:
    """Are all anomalies of the known shape, reader -rw-> writer -rw-> first writer -wr-> reader?"""
    shapes = {
        (anomaly.type, tuple(sorted(edge.kind for edge in anomaly.edges))) for anomaly in result.anomalies
    }
    return shapes == {("G2-item", ("rw", "rw", "wr"))}
