"""Directed schedules on a real server: what they force, and faults that strike while they are open."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.directed.outcomes import outcomes
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import parse_workload

pytestmark = pytest.mark.server

TEXT = """\
version: 1
name: directed
database: {adapter: postgres, isolation: %s, tables: 1}
workload:
  transactions:
    - name: book
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: a}}
        - {f: r, key: {choice: {from: [1, 2]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: a}}
    - name: look
      steps:
        - {f: r, key: {choice: {from: [9]}}}
  mix: [{txn: look, weight: 1}]
keys: {rows: inserted}
scheduling: {clients: 2, transactions: %d}
directed:
  - transactions:
      - {alias: t1, txn: book, keys: %s}
      - {alias: t2, txn: book, keys: %s}
    schedule:
      - {alias: t1, action: step, steps: %d}
      - {alias: t2, action: step, steps: 3}
      - {alias: t2, action: commit}
    missing: {kind: rw, from: t1, to: t2}
    focus_key: 2
%s
"""
SKEW = ("[1, 2]", "[2, 1]", 2)
CLASH = ("[1, 2]", "[1, 2]", 3)
Ran = tuple[Workload, ExecutionSummary, History]


def run(path: Path, isolation: str, shape: tuple[str, str, int], faults: str = "", most: int = 300) -> Ran:
    registry = load_plugins(strict=True)
    text = TEXT % (isolation, most, *shape, faults)
    assembled = assemble(parse_workload(text, "w.yaml", InstalledVocabulary(registry)), registry)
    with assembled.adapter.open(None) as database:
        summary = execute(
            assembled.workload,
            database,
            path / "h.edn",
            isolation=assembled.isolation,
            faults=assembled.faults,
        )
    assert summary.failure is None, summary.failure
    return assembled.workload, summary, read_history(path / "h.edn")


def test_write_skew_is_forced_where_it_is_allowed(tmp_path: Path) -> None:
    workload, summary, history = run(tmp_path, "repeatable read", SKEW)
    [outcome] = outcomes(history, workload, summary, None)
    assert outcome.played > 10
    assert outcome.forced == outcome.committed == outcome.played
    assert "G2-item" in analyze_history(history, "serializable").anomaly_types


def test_write_skew_is_refused_where_it_is_not(tmp_path: Path) -> None:
    workload, summary, history = run(tmp_path, "serializable", SKEW)
    [outcome] = outcomes(history, workload, summary, None)
    assert outcome.played > 10
    assert outcome.committed == outcome.forced == 0
    assert outcome.refused == {"40001": outcome.played}
    assert analyze_history(history, "serializable").verdict is Verdict.VALID


@pytest.mark.slow
def test_a_wait_for_a_lock_is_noticed_and_passed_over(tmp_path: Path) -> None:
    workload, summary, history = run(tmp_path, "repeatable read", CLASH)
    [outcome] = outcomes(history, workload, summary, None)
    assert outcome.played
    assert outcome.waited == outcome.played
    assert outcome.refused == {"40001": outcome.played}


@pytest.mark.parametrize("when", ["commit", "lock"])
@pytest.mark.slow
def test_connections_end_while_a_directed_schedule_is_open(tmp_path: Path, when: str) -> None:
    """What was under way when the connection went is info if its COMMIT had been sent, else failed."""
    faults = f"faults: [{{name: terminate-backends, share: 1.0, every: 20ms, times: 6, when: {when}}}]"
    _, summary, history = run(tmp_path, "repeatable read", SKEW, faults, most=3000)
    assert len(summary.faults) >= 2
    lost = [code for play in summary.plays for code in play.codes if code not in ("", "40001")]
    assert lost
    assert analyze_history(history, "snapshot-isolation").verdict is Verdict.VALID
    assert summary.asked == 3000
