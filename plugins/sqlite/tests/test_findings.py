"""Known anomalies of SQLite show within seconds, and none where it keeps its promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import txfuzz_sqlite
from own_workloads import is_lack, own, refusal, run, shipped_on
from txfuzz.analysis.result import Verdict
from txfuzz.errors import UsageError
from txfuzz.workload.shipped import shipped_workloads

WORKLOADS = Path(txfuzz_sqlite.__file__).parent / "workloads"
CLEAN = [
    {"mode": "wal"},
    {"mode": "wal", "begin": "immediate"},
    {"mode": "rollback-journal"},
    {"mode": "shared-cache", "tables": 4},
]


@pytest.mark.parametrize("options", CLEAN, ids=lambda options: " ".join(map(str, options.values())))
def test_every_mode_is_clean(options: dict[str, Any], tmp_path: Path) -> None:
    result, summary = run(own(WORKLOADS / "wal.yaml"), tmp_path / "h.edn", options=options)
    assert result.verdict is Verdict.VALID, result.anomaly_types
    assert summary.info == 0


def test_a_snapshot_that_is_too_old_to_write_is_refused(tmp_path: Path) -> None:
    _, summary = run(own(WORKLOADS / "wal.yaml"), tmp_path / "h.edn")
    assert set(summary.aborts) <= {"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT"}
    assert summary.aborts["SQLITE_BUSY_SNAPSHOT"] > 0


def test_shared_cache_with_read_uncommitted_is_not_clean(tmp_path: Path) -> None:
    workload = own(WORKLOADS / "shared_cache.yaml")
    shown: set[str] = set()
    for attempt in range(25):  # which interleavings come about is chance, and other work on the machine
        result, _ = run(workload, tmp_path / f"{attempt}.edn")
        assert result.verdict is Verdict.INVALID
        shown |= set(result.anomaly_types)
        if {"G1b", "G-single-item", "lost-update"} <= shown:
            break
    assert {"G1b", "G-single-item", "lost-update"} <= shown
    clean, _ = run(workload, tmp_path / "clean.edn", isolation="serializable")
    assert clean.verdict is Verdict.VALID, clean.anomaly_types


LACKING = {"locking_reads", "crash", "crash_async", "flaky_connections"}
RUN = {
    "lost_update",
    "read_skew",
    "write_skew",
    "long_fork",
    "example",
    "hot_keys",
    "on_conflict",
    "registers",
}


@pytest.mark.parametrize("name", [name for name, _ in shipped_workloads()])
def test_every_shipped_workload_is_clean_or_refused_by_what_is_lacking(name: str, tmp_path: Path) -> None:
    if said := refusal(name, "sqlite", "serializable", {}):
        assert is_lack(said, "sqlite"), said
        assert name not in RUN
        return
    assert name not in LACKING
    workload = shipped_on(name, "sqlite", "serializable", {"append": "update-else-insert"})
    result, _ = run(workload, tmp_path / "h.edn", expect="strict-serializable", transactions=1500)
    assert result.verdict is Verdict.VALID, result.anomaly_types


def test_a_level_that_the_mode_does_not_have() -> None:
    with pytest.raises(UsageError, match="no isolation level 'read uncommitted'"):
        shipped_on("write_skew", "sqlite", "read uncommitted", {})
    assert shipped_on("write_skew", "sqlite", "read uncommitted", {"mode": "shared-cache"})
