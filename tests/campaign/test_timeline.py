"""timeline.jsonl: a line for each iteration, which is never written twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from txfuzz import run_campaign
from txfuzz.campaign.directory.timeline import TimelineEntry
from txfuzz.campaign.events import Event, IterationEnded

WORKLOAD = """
version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: serializable
seed: 3
workload:
  transactions:
    - name: left
      steps: [{f: r, key: {choice: {range: [1, 4]}}}, {f: append, key: {choice: {range: [1, 4]}}}]
    - name: right
      steps: [{f: append, key: {choice: {range: [1, 4]}}}, {f: r, key: {choice: {range: [1, 4]}}}]
scheduling: {clients: 4, transactions: 300, barrier_every: 5}
"""


def lines(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "timeline.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def workload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("w") / "w.yaml"
    path.write_text(WORKLOAD)
    return path


@pytest.fixture(scope="module")
def ran(workload: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("timeline") / "run"
    seen: list[int] = []

    def subscriber(event: Event) -> None:
        if isinstance(event, IterationEnded):
            seen.append(len(lines(directory)))

    run_campaign(workload=workload, iterations=3, output=directory, subscriber=subscriber, lean=True)
    first = seen[0]
    assert seen == [first, first + 1, first + 2]  # each as soon as its iteration has ended
    return directory


def test_a_line_has_the_numbers_of_its_iteration(ran: Path) -> None:
    stats = json.loads((ran / "stats.json").read_text())["by_iteration"]
    entries = [each for each in lines(ran) if each["iteration"] >= 0]
    assert [each["iteration"] for each in entries] == [0, 1, 2]
    for entry, row in zip(entries, stats, strict=True):
        assert {*entry} == {*TimelineEntry.__dataclass_fields__}
        assert entry["verdict"] == row["verdict"]
        for name in ("transactions", "ok", "edges_per_txn", "per_second", "near_cycles", "seconds"):
            assert entry["numbers"][name] == row[name]
        committed = sum(each[2] for each in entry["course"])
        assert committed == row["ok"] - 1  # without the final reads
        assert all(p50 is None or 0 <= p50 <= p95 for *_, p50, p95 in entry["course"])
        decided = json.loads((ran / f"iter_{entry['iteration']:02d}" / "decisions.json").read_text())
        assert [each["reason"] for each in entry["decisions"]] == [each["reason"] for each in decided]


def test_a_finding_is_told_when_it_is_new(ran: Path) -> None:
    known: set[str] = set()
    for entry in lines(ran):
        news = {each["name"] for each in entry["found"]}
        assert not news & known
        assert {*entry["again"]} <= known
        known |= news
    assert known
    assert all(each["said"] for entry in lines(ran) for each in entry["found"])


def test_a_campaign_that_goes_on_has_one_line_for_each_iteration(ran: Path, workload: Path) -> None:
    before = [each["iteration"] for each in lines(ran)]
    run_campaign(output=ran, resume=True, iterations=4, lean=True)
    assert [each["iteration"] for each in lines(ran)] == [*before, 3]


def test_histories_that_are_judged_again(ran: Path, workload: Path) -> None:
    before = [each for each in lines(ran) if each["iteration"] >= 0]
    run_campaign(workload=workload, output=ran, skip_run=True, lean=True)
    after = [each for each in lines(ran) if each["iteration"] >= 0]
    assert [each["course"] for each in after] == [each["course"] for each in before]
    assert [each["verdict"] for each in after] == [each["verdict"] for each in before]
