"""From a history to a directed schedule, and from the next history to what came of it; in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import AnalysisResult
from txfuzz.common.kind import Kind
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.replay.directed.direct import direct
from txfuzz.replay.directed.outcomes import outcomes
from txfuzz.testing import MemoryAdapter
from txfuzz.testing.small_run import pressing
from txfuzz.workload.directed import misfit
from txfuzz.workload.model import Workload

WORKLOAD = pressing(Kind.LIST_APPEND, clients=4, transactions=200)


def run(path: Path, workload: Workload) -> tuple[ExecutionSummary, History]:
    with MemoryAdapter().open(None) as database:
        summary = execute(workload, database, path, isolation="snapshot")
    return summary, read_history(path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[History, AnalysisResult]:
    _, history = run(tmp_path_factory.mktemp("ran") / "h.edn", WORKLOAD)
    return history, analyze_history(history, "serializable")


def test_near_cycles_become_schedules_of_their_own_transactions(ran: tuple[History, AnalysisResult]) -> None:
    history, result = ran
    transactions = {each.name: each for each in WORKLOAD.transactions}
    directed = 0
    for near in result.near_cycles:
        found = direct(near, history, WORKLOAD, "snapshot-isolation")
        assert found.near is near
        assert bool(found.schedules) != bool(found.reason)
        assert len(set(found.schedules)) == len(found.schedules) <= 5
        for each in found.schedules:
            assert misfit(each, transactions) == ""
            assert sorted(one.txn for one in each.transactions) == sorted(
                str(view.template) for view in near.transactions
            )
            assert (each.missing.kind, each.focus_key) == (near.missing.kind, near.missing.key)
            directed += 1
    assert directed


def test_what_snapshot_isolation_allows_is_forced_where_nobody_is_in_the_way(
    ran: tuple[History, AnalysisResult], tmp_path: Path
) -> None:
    """Near-cycles of write skew, played beside a crowd that only reads: every play has the missing edge."""
    history, result = ran
    near = next(each for each in result.near_cycles if each.anomaly == "G2-item" and len(each.path) == 1)
    schedule = direct(near, history, WORKLOAD, "snapshot-isolation").schedules[0]
    calm = tuple(replace(each, weight=float(each.txn == "reads")) for each in WORKLOAD.mix)
    workload = replace(WORKLOAD, mix=calm, directed=(schedule,))
    summary, played = run(tmp_path / "h.edn", workload)
    [outcome] = outcomes(played, workload, summary, None)
    assert outcome.played == len(summary.plays) > 10
    assert outcome.forced == outcome.committed == outcome.played
    assert not outcome.refused
    assert "G2-item" in analyze_history(played, "serializable").anomaly_types


def test_what_the_crowd_prevents_is_counted_as_refused(
    ran: tuple[History, AnalysisResult], tmp_path: Path
) -> None:
    history, result = ran
    near = result.near_cycles[0]
    schedule = direct(near, history, WORKLOAD, "snapshot-isolation").schedules[0]
    workload = replace(WORKLOAD, directed=(schedule,))
    summary, played = run(tmp_path / "h.edn", workload)
    [outcome] = outcomes(played, workload, summary, None)
    assert outcome.played == len(summary.plays)
    # Now and then the crowd makes a deadlock of it
    refused = Counter(code for play in summary.plays for code in play.codes if code)
    assert set(refused) <= {"conflict", "deadlock"}
    assert outcome.refused == refused


def test_a_history_that_was_cut_short_counts_what_it_has(
    ran: tuple[History, AnalysisResult], tmp_path: Path
) -> None:
    history, result = ran
    schedule = direct(result.near_cycles[0], history, WORKLOAD, "snapshot-isolation").schedules[0]
    workload = replace(WORKLOAD, directed=(schedule,))
    path = tmp_path / "h.edn"
    summary, _ = run(path, workload)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    [outcome] = outcomes(read_history(path), workload, summary, None)
    assert outcome.played == len(summary.plays)
    assert outcome.forced <= outcome.played


def test_without_a_summary_nothing_is_known(ran: tuple[History, AnalysisResult]) -> None:
    history, result = ran
    schedule = direct(result.near_cycles[0], history, WORKLOAD, "snapshot-isolation").schedules[0]
    workload = replace(WORKLOAD, directed=(schedule,))
    [outcome] = outcomes(history, workload, None, None)
    assert (outcome.played, outcome.reason) == (0, "who played is not known")
    assert outcomes(history, WORKLOAD, None, None) == ()
