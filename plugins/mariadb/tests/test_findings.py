"""Known anomalies of MariaDB show within seconds, and none where it keeps its promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import txfuzz_mariadb
from mariadb_server import needs_mariadb
from own_workloads import WORDS, is_lack, own, refusal, run, shipped_on
from txfuzz.analysis.result import Verdict
from txfuzz.errors import WorkloadError
from txfuzz.execution.summary import injection_counts
from txfuzz.workload.shipped import shipped_targets, shipped_workloads
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz_mariadb.server.launcher import launch

pytestmark = [needs_mariadb, pytest.mark.server]
WORKLOADS = Path(txfuzz_mariadb.__file__).parent / "workloads"
SNAPSHOTS = {"innodb_snapshot_isolation": True}


@pytest.fixture(scope="module")
def here() -> Iterator[str]:
    """The URL of a running server."""
    with launch() as server:
        yield f"mysql://{server.user}@/?unix_socket={server.socket}"


def test_repeatable_read_loses_updates(here: str, tmp_path: Path) -> None:
    result, _ = run(own(WORKLOADS / "repeatable_read.yaml"), tmp_path / "h.edn", url=here)
    assert {"G-single-item", "internal", "lost-update"} <= set(result.anomaly_types)


def test_with_snapshots_nothing_of_it_is_left(here: str, tmp_path: Path) -> None:
    workload = own(WORKLOADS / "repeatable_read.yaml")
    result, summary = run(workload, tmp_path / "h.edn", url=here, options=SNAPSHOTS)
    assert result.verdict is Verdict.VALID, result.anomaly_types
    assert summary.aborts["1020"] > 0


def test_with_snapshots_only_write_skew_shows(here: str, tmp_path: Path) -> None:
    result, _ = run(own(WORKLOADS / "snapshot_isolation.yaml"), tmp_path / "h.edn", url=here)
    assert set(result.anomaly_types) - {"G2-item-realtime"} == {"G2-item"}


@pytest.mark.parametrize("path", sorted(WORKLOADS.glob("*.yaml")), ids=lambda path: path.stem)
def test_serializable_is_clean(path: Path, here: str, tmp_path: Path) -> None:
    result, _ = run(
        own(path), tmp_path / "h.edn", url=here, isolation="serializable", expect="strict-serializable"
    )
    assert result.verdict is Verdict.VALID, result.anomaly_types


def test_serializable_gives_back_the_locks_behind_a_savepoint(here: str, tmp_path: Path) -> None:
    """MySQL bug 119490. With a read before the savepoint the locks stay."""
    text = dict(shipped_targets())["mariadb_savepoint"].read_text()
    text = text.replace("[1, 500]", "[1, 4]").replace("txn: peek, weight: 0.5", "txn: peek, weight: 5")
    result, _ = run(parse_workload(text, "w.yaml", WORDS), tmp_path / "h.edn", url=here, transactions=1_000)
    assert "G2-item" in result.anomaly_types
    assert all(each.startswith("G-") or each == "G2-item" for each in result.anomaly_types), (
        "all read what was there"
    )
    before = "- {f: r, key: {choice: {range: [1, 4]}, as: c}}\n        - sql: SAVEPOINT s"
    kept = parse_workload(text.replace("- sql: SAVEPOINT s", before), "w.yaml", WORDS)
    result, _ = run(kept, tmp_path / "k.edn", url=here, transactions=1_000)
    assert result.verdict is Verdict.VALID, result.anomaly_types


# Shipped workload → (isolation, options, what it shows checked against serializable)
SHOWS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "lost_update": ("repeatable read", {}, {"lost-update"}),
    "read_skew": ("read committed", {}, {"G-single-item"}),
    "long_fork": ("read committed", {}, {"G-nonadjacent-item"}),
    "write_skew": ("repeatable read", SNAPSHOTS, {"G2-item"}),
    "read_only_anomaly": ("repeatable read", SNAPSHOTS, {"G2-item"}),
}


@pytest.mark.parametrize("name", SHOWS)
def test_shipped_workloads_show_what_they_hunt(name: str, here: str, tmp_path: Path) -> None:
    isolation, options, shown = SHOWS[name]
    workload = shipped_on(name, "mariadb", isolation, options)
    found: set[str] = set()
    for attempt in range(3):  # which interleavings come about is chance
        result, _ = run(workload, tmp_path / f"{attempt}.edn", url=here, expect="serializable")
        found |= set(result.anomaly_types)
        if shown <= found:
            break
    assert shown <= found


RUN = {"on_conflict", "hot_keys", "registers", "locking_reads", *SHOWS}


@pytest.mark.parametrize("name", [name for name, _ in shipped_workloads()])
def test_every_shipped_workload_is_clean_or_refused_by_what_is_lacking(
    name: str, here: str, tmp_path: Path
) -> None:
    if said := refusal(name, "mariadb", "serializable", {}):
        assert is_lack(said, "mariadb"), said
        assert name not in RUN
        return
    workload = shipped_on(name, "mariadb", "serializable", {})
    if not workload.faults:
        # Reads lock here: eight clients on a handful of keys mostly end as deadlock victims
        few = replace(workload.scheduling, clients=min(3, workload.scheduling.clients), transactions=600)
        result, _ = run(replace(workload, scheduling=few), tmp_path / "h.edn", url=here)
        assert result.verdict is Verdict.VALID, result.anomaly_types


FAULTS = """\
version: 1
name: faults
database: {adapter: mariadb, isolation: serializable}
expect: strict-serializable
workload:
  transactions:
    - name: read_append
      steps:
        - {f: r, key: {choice: {range: [1, 12]}, as: a}}
        - {f: append, key: {choice: {range: [1, 12]}, distinct_from: [a]}}
scheduling: {clients: 4, duration: 2s}
faults:
  - {name: kill-server, at: 0.8s}
  - {name: terminate-backends, at: 0.3s}
  - {name: pause-server, at: 0.5s, seconds: 0.05}
  - {name: cut-commit, every: 50ms}
"""


def test_faults_leave_a_true_history(tmp_path: Path) -> None:
    result, summary = run(parse_workload(FAULTS, "w.yaml", WORDS), tmp_path / "h.edn")
    assert {"kill-server", "terminate-backends", "pause-server", "cut-commit"} <= set(
        injection_counts(summary.faults)
    )
    assert summary.info > 0
    assert result.verdict is Verdict.VALID, result.anomaly_types


def test_what_it_cannot_do_is_refused_by_name() -> None:
    with pytest.raises(WorkloadError, match="expected a lock that adapter 'mariadb' supports"):
        parse_workload(FAULTS.replace("{f: r,", "{f: r, lock: no key update,"), "w.yaml", WORDS)
