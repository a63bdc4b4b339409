"""How soon the loop finds a known anomaly, for evaluating heuristics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from txfuzz.analysis.analyze import analyze_history
from txfuzz.database.api import Adapter
from txfuzz.feedback.adjustments import propose_all
from txfuzz.feedback.contract import Heuristic, LoopState
from txfuzz.testing.small_run import recorded
from txfuzz.workload.model import Workload
from txfuzz.workload.seeds import stream


@dataclass(frozen=True)
class Hunt:
    """The result of a hunt.

    iteration: the one that found something, from 0; None if none did. transactions: in total, up to
    and including that iteration. anomalies: their types. workload: the last one.
    """

    iteration: int | None
    transactions: int
    anomalies: tuple[str, ...]
    workload: Workload


def hunt(
    adapter: Adapter,
    workload: Workload,
    heuristics: Sequence[Heuristic],
    *,
    isolation: str | None = None,
    expect: str | None = None,
    iterations: int = 10,
    url: str | None = None,
) -> Hunt:
    """Run the loop until something contradicts `expect`, as a campaign does but without its artefacts.

    heuristics: empty for an open loop. isolation, expect: by default the adapter's default level and
    its promise. The seed is the workload's. Every iteration starts with fresh tables.
    """
    can = adapter.capabilities()
    level = isolation or can.default_isolation
    model = expect or can.isolation[level]
    asked, state = 0, LoopState()
    with adapter.open(url) as database:
        for iteration in range(iterations):
            summary, history, _ = recorded(database, workload, level)
            asked += summary.asked
            result = analyze_history(history, model)
            if result.anomaly_types:
                return Hunt(iteration, asked, result.anomaly_types, workload)
            following = stream(workload.seed, "iteration", iteration + 1).getrandbits(31)
            feedback = state.feedback_result(result, workload, iteration)
            draws = stream(workload.seed, "feedback", iteration)
            workload, _, _ = propose_all(heuristics, feedback, replace(workload, seed=following), draws)
    return Hunt(None, asked, (), workload)
