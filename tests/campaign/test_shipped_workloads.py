"""Every shipped workload on a real server shows what its header says, and is clean where it says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from txfuzz.analysis.analyze import analyze_history, vacuous_reason
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.common.kind import Kind
from txfuzz.execution.run import execute
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.history.writer import write_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.shipped import shipped_workloads, workload_path
from txfuzz.workload.yaml.reader import read_workload

pytestmark = [pytest.mark.server, pytest.mark.slow]

# workload → (isolation, anomalies shown, isolation at which it is clean)
SHOWS = {
    "lost_update": ("read committed", {"lost-update"}, "repeatable read"),
    "read_skew": ("read committed", {"G-single-item"}, "repeatable read"),
    "long_fork": ("read committed", {"G-nonadjacent-item"}, "repeatable read"),
    "write_skew": ("repeatable read", {"G2-item"}, "serializable"),
    "read_only_anomaly": ("repeatable read", {"G2-item"}, "serializable"),
    "example": ("repeatable read", set(), "serializable"),
    "on_conflict": ("serializable", set(), "serializable"),
    "hot_keys": ("serializable", set(), "serializable"),
    "registers": ("serializable", set(), "serializable"),
    "locking_reads": ("read committed", set(), "serializable"),
    "crash": ("serializable", set(), "serializable"),
    "crash_async": ("serializable", {"incompatible-order"}, None),
    "flaky_connections": ("serializable", set(), "serializable"),
    "bank": ("read committed", {"bank-total", "G-single-item", "lost-update"}, "repeatable read"),
    "counter": (
        "read committed",
        {"counter-below", "lost-update", "incompatible-order"},
        "repeatable read",
    ),
    "do_nothing": ("read committed", {"lost-update"}, "repeatable read"),
    "long_fork_probe": ("read committed", {"G-nonadjacent-item"}, "repeatable read"),
    "merge": ("read committed", {"lost-update"}, "repeatable read"),
    "read_modify_write": (
        "read committed",
        {"set-lost", "lost-update", "incompatible-order"},
        "repeatable read",
    ),
    "read_modify_write_locked": ("read committed", set(), "serializable"),
    "savepoint": ("read committed", {"lost-update"}, "repeatable read"),
    "savepoint_locked": ("read committed", set(), "serializable"),
    "set_add": ("repeatable read", {"G2-item"}, "serializable"),
    "unique_id": ("repeatable read", {"G2-item"}, "serializable"),
    "stale_reads": ("serializable", {"G-single-item-realtime"}, None),
    "stale_reads_remote_apply": ("serializable", set(), None),
    "standby_long_fork": ("repeatable read", {"G-nonadjacent-item"}, None),
    "standby_read_only_anomaly": ("serializable", {"G2-item"}, None),
    "failover": ("serializable", {"incompatible-order"}, None),
    "failover_remote_apply": ("serializable", set(), None),
}
REGISTERS = {"registers", "set_add", "unique_id"}
Judged = Callable[..., tuple[AnalysisResult, History]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    registry = load_plugins(strict=True)

    def run(
        name: str, isolation: str | None, transactions: int | None = None
    ) -> tuple[AnalysisResult, History]:
        workload = read_workload(workload_path(name), InstalledVocabulary(registry))
        if workload.faults:
            workload = replace(workload, scheduling=replace(workload.scheduling, duration=2.2))
        elif transactions:
            workload = replace(workload, scheduling=replace(workload.scheduling, transactions=transactions))
        assembled = assemble(workload, registry, isolation=isolation)
        path = tmp_path_factory.mktemp(name) / "history.edn"
        with assembled.adapter.open(None) as database:
            summary = execute(
                assembled.workload, database, path, isolation=assembled.isolation, faults=assembled.faults
            )
        assert not summary.stopped
        history = read_history(path)
        result = analyze_history(history, assembled.expect, analyzers=assembled.analyzers)
        assert vacuous_reason(history, result) is None
        assert assembled.isolation == (isolation or SHOWS[name][0])
        return result, history

    return run


def test_the_table_is_whole() -> None:
    assert {name for name, _ in shipped_workloads()} == set(SHOWS)


@pytest.mark.parametrize("name", SHOWS)
def test_it_shows_what_it_hunts(name: str, judged: Judged, tmp_path: Path) -> None:
    hunted = SHOWS[name][1]
    if name == "example":
        return  # what the loop finds with it is tested with the loop
    for _ in range(3):  # which interleavings come about is chance
        result, history = judged(name, None)
        if hunted <= set(result.anomaly_types) or not hunted:
            break
    assert hunted <= set(result.anomaly_types)
    if not hunted:
        assert result.verdict is Verdict.VALID
    if name in ("long_fork", "long_fork_probe"):
        shortest = next(each for each in result.anomalies if each.type == "G-nonadjacent-item")
        assert len(shortest.transactions) == 4
        assert result.anomaly_types == ("G-nonadjacent-item",)
    if name == "write_skew":
        shortest = next(each for each in result.anomalies if each.type == "G2-item")
        assert len(shortest.transactions) == 2
    if name == "read_only_anomaly":
        for anomaly in result.anomalies:
            assert "audit" in {view.template for view in anomaly.transactions}
    assert history.kind is (Kind.RW_REGISTER if name in REGISTERS else Kind.LIST_APPEND)
    without_loss(history, tmp_path / "again.edn")


@pytest.mark.parametrize("name", [name for name in SHOWS if SHOWS[name][2]])
def test_it_is_clean_where_it_says_so(name: str, judged: Judged) -> None:
    result, _ = judged(name, SHOWS[name][2], transactions=1500)
    assert result.verdict is Verdict.VALID, result.reason


def without_loss(history: History, path: Path) -> None:
    """What was recorded is read back as it was."""
    write_history(path, history)
    again = read_history(path)
    for column in (
        "type",
        "process",
        "invoke_time",
        "complete_time",
        "mops",
        "mop_f",
        "mop_value",
        "mop_step",
    ):
        assert (getattr(history, column) == getattr(again, column)).all(), column
    assert list(history.keys) == list(again.keys)
    assert list(history.logical) == list(again.logical)
    assert [history.templates[name] for name in history.template] == [
        again.templates[name] for name in again.template
    ]
