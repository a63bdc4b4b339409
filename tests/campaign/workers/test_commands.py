"""Commands with several workers come to the same as with one."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from txfuzz.campaign.check.check import check_file
from txfuzz.campaign.check.sets import CheckLimits
from txfuzz.campaign.explore.explore import explore_workload
from txfuzz.campaign.workers.engines import Workers
from txfuzz.check.finding.result import CheckResult
from txfuzz.cli import run_command
from txfuzz.compare.compare import Progress, compare
from txfuzz.compare.record import ComparisonSettings
from txfuzz.errors import ExitCode, UsageError
from txfuzz.report.check.data import check_data

ROOT = Path(__file__).parents[3]
TWO = Workers(2)
SCENARIO = """version: 1
name: counter
setup: |
  CREATE TABLE t (k INTEGER PRIMARY KEY, v INTEGER NOT NULL);
  INSERT INTO t VALUES (1, 0);
workload:
  transactions:
    - name: add
      steps:
        - sql: SELECT v AS seen FROM t WHERE k = 1
          returns: {seen: seen}
        - sql: UPDATE t SET v = :seen + 1 WHERE k = 1
    - name: look
      steps:
        - sql: SELECT v FROM t
"""
SMALL = """version: 1
name: small
database: {adapter: memory, isolation: snapshot, defects: [lost-update], probability: 0.1}
seed: 1
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {range: [1, 200]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 8, transactions: 150}
"""


def plain(found: Any) -> Any:
    """Without times."""
    if isinstance(found, dict):
        return {name: plain(value) for name, value in found.items() if name != "seconds"}
    return [plain(each) for each in found] if isinstance(found, list) else found


def test_explore_runs_the_same_schedules(tmp_path: Path) -> None:
    names = ["read_both_append_first", "read_both_append_second", "read_both_append_first"]
    found = {}
    for workers in (Workers(), TWO):
        place = tmp_path / str(workers.number)
        found[workers] = explore_workload(
            "write_skew",
            names,
            isolation=["serializable"],
            adapter="sqlite",
            most=120,
            output=place,
            workers=workers,
        ).to_json()
    assert plain(found[Workers()]) == plain(found[TWO])
    assert found[TWO]["levels"][0]["schedules"] > 100, "several slices"
    kept = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("None", "2")]
    assert kept[0] == kept[1]


def test_check_counts_and_explains_the_same(tmp_path: Path) -> None:
    path = tmp_path / "add.yaml"
    path.write_text(SCENARIO)
    found: list[Any] = []
    for workers in (Workers(), TWO):
        result = check_file(
            path,
            isolation=["serializable"],
            adapter="sqlite",
            limits=CheckLimits(20),
            workers=workers,
            output=tmp_path / "out",
        )
        assert isinstance(result, CheckResult)
        assert len(result.sets) == 3
        found.append(plain(json.loads(json.dumps(check_data(result)))))
    assert found[0] == found[1]


def test_check_refuses_code_in_several_processes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is Python code, which one process checks: leave out --workers"):
        check_file(ROOT / "examples" / "coupon" / "broken.py", adapter="sqlite", workers=TWO)


@pytest.mark.slow
def test_compare_runs_every_task_once_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    settings = ComparisonSettings((str(path),), ("open", "static-4"), 2, 100)
    stop, seen = threading.Event(), list[Progress]()

    def first(progress: Progress) -> None:
        seen.append(progress)
        stop.set()

    out = tmp_path / "out"
    half, _ = compare(settings, output=out, workers=TWO, interrupted=stop, on_progress=first)
    assert half.interrupted
    assert 1 <= len(seen) <= 2
    whole, _ = compare(None, resume=out, workers=TWO, on_progress=seen.append)
    assert not whole.interrupted
    assert sorted((each.task.seed, each.task.strategy) for each in seen) == [
        (1, "open"), (1, "static-4"), (2, "open"), (2, "static-4")
    ]  # fmt: skip


def test_run_by_a_command_has_one_worker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    more = ["--runner-cmd", "true", "--output-dir", str(out)]
    assert run_command(["run", "--workers", "2", *more]) == ExitCode.USAGE
    assert "an external command makes are made one after another: leave out" in capsys.readouterr().err
    assert not out.exists()


def test_compare_keeps_no_campaigns_on_other_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    more = ["--keep", "--dask", "tcp://127.0.0.1:9", "--output-dir", str(tmp_path / "out")]
    assert run_command(["compare", str(path), *more]) == ExitCode.USAGE
    assert "--keep leaves campaigns where they are run: leave it out with --dask" in capsys.readouterr().err
