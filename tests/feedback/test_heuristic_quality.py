"""Heuristics judged where the truth is known: what is planted is found sooner, and nothing else is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from txfuzz.campaign.loop import run_campaign
from txfuzz.compare.bench import Bench
from txfuzz.compare.campaign_effort import campaign_effort
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.targets import Target
from txfuzz.workload.model import PluginSpec

pytestmark = pytest.mark.slow

SEEDS = range(6)
PER_ITERATION = 200
WIDE = """version: 1
name: wide
database: {{adapter: memory, isolation: snapshot{defect}}}
workload:
  transactions:
    - name: rmw
      steps:
        - {{f: r, key: {{choice: {{range: [1, 1000]}}, as: one}}}}
        - {{f: append, key: {{ref: one}}}}
    - name: skew
      steps:
        - {{f: r, key: {{choice: {{range: [1, 1000]}}, as: one}}}}
        - {{f: r, key: {{choice: {{range: [1, 1000]}}, distinct_from: [one]}}}}
        - {{f: append, key: {{ref: one}}}}
    - name: reads
      steps:
        - {{f: r, key: {{choice: {{range: [1, 1000]}}, as: one}}}}
        - {{f: r, key: {{choice: {{range: [1, 1000]}}, distinct_from: [one]}}}}
scheduling: {{clients: 8, transactions: {transactions}}}
heuristics: [hot-keys, mix, scheduling]
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as shared:
        yield shared


def wide(directory: Path, *defects: str) -> Path:
    planted = f", defects: [{', '.join(defects)}], probability: 0.3" if defects else ""
    path = directory / "wide.yaml"
    path.write_text(WIDE.format(defect=planted, transactions=PER_ITERATION))
    return path


def efforts(
    bench: Bench, directory: Path, *defects: str, strategy: str = "classic", iterations: int = 6
) -> list[Effort]:
    target = Target("wide", wide(directory, *defects))
    most = iterations * PER_ITERATION
    tasks = [Task(target, strategy, "", PluginSpec(strategy), seed, most) for seed in SEEDS]
    return [effort for task in tasks if (effort := campaign_effort(task, bench)) is not None]


def found(efforts: list[Effort]) -> int:
    return sum(each.transactions is not None for each in efforts)


@pytest.mark.flaky(reruns=2)
@pytest.mark.parametrize(
    ("defect", "iterations"),
    [
        ("lost-update", 4),
        ("stale-read", 3),
        ("dirty-read", 6),
        ("non-monotonic-snapshot", 4),
        ("lost-committed-write", 3),
    ],
)
def test_the_loop_finds_what_is_planted(bench: Bench, tmp_path: Path, defect: str, iterations: int) -> None:
    assert found(efforts(bench, tmp_path, defect, iterations=iterations)) >= 5


@pytest.mark.flaky(reruns=2)
def test_without_feedback_it_takes_longer(bench: Bench, tmp_path: Path) -> None:
    ours, control = (
        efforts(bench, tmp_path, "dirty-read", strategy=name) for name in ("classic", "open-loop")
    )
    assert found(control) + 3 <= found(ours)
    assert sum(each.attempted for each in ours) * 1.5 < sum(each.attempted for each in control)


def test_a_clean_database_yields_nothing(bench: Bench, tmp_path: Path) -> None:
    assert [each.anomalies for each in efforts(bench, tmp_path, iterations=4)] == [()] * len(SEEDS)


def test_the_loop_presses_where_it_found_something_near(tmp_path: Path) -> None:
    campaign = run_campaign(workload=wide(tmp_path), iterations=3, seed=1, output=tmp_path / "run", lean=True)
    last = campaign.iterations[-1].asked
    assert last is not None
    assert len(last.logical_keys()) <= 4


def test_a_campaign_finds_it_as_well(tmp_path: Path) -> None:
    path = wide(tmp_path, "lost-update")
    campaign = run_campaign(
        workload=path, iterations=6, seed=5, output=tmp_path / "run", stop_on_finding=True, lean=True
    )
    assert "lost-update" in campaign.found
