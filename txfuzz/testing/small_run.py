"""A small run of many clients, and its analysis."""

from __future__ import annotations

import tempfile
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history, vacuous_reason
from txfuzz.analysis.result import AnalysisResult
from txfuzz.common.kind import Kind
from txfuzz.database.api import Database
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.testing.sessions import WRITE
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight, Workload

KEYS = (1, 2, 3, 4)


def pressing(kind: Kind, *, clients: int = 8, transactions: int = 300, seed: int = 0) -> Workload:
    """Read-modify-write, read skew, write skew and plain writes, on four keys."""
    f = WRITE[kind]
    one, other = Choice(KEYS, "one"), Choice(KEYS, "other", ("one",))
    shapes = {
        "rmw": (Step("r", one), Step(f, Ref("one"))),
        "skew": (Step("r", one), Step("r", other), Step(f, Ref("one"))),
        "reads": (Step("r", one), Step("r", other)),
        "writes": (Step(f, one), Step(f, Ref("one")), Step(f, other)),
    }
    return Workload(
        name="pressing",
        transactions=tuple(Transaction(name, steps) for name, steps in shapes.items()),
        mix=tuple(Weight(name, 1.0) for name in shapes),
        scheduling=Scheduling(clients, transactions),
        seed=seed,
    )


def recorded(
    database: Database, workload: Workload, isolation: str
) -> tuple[ExecutionSummary, History, str | None]:
    """Run it on fresh tables: summary, history, and why the history is vacuous, if it is."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "history.edn"
        summary = execute(workload, database, path, isolation=isolation)
        if summary.failure is not None:
            raise summary.failure
        history = read_history(path)
    return summary, history, vacuous_reason(history, analyze_history(history))


def fuzzed(
    database: Database, workload: Workload, isolation: str, expect: str
) -> tuple[ExecutionSummary, AnalysisResult, str | None]:
    """The same, with the history checked against a model instead of the history."""
    summary, history, vacuous = recorded(database, workload, isolation)
    return summary, analyze_history(history, expect), vacuous
