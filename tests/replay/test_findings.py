"""What only a replay shows is a finding, wherever anybody looks; against the database in memory."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz import CampaignResult, Verdict, run_campaign
from txfuzz.campaign.sources.resumed import resumed_settings

Cli = Callable[..., Ran]

# Write skew is possible, and so rare that the run of a hundred transactions hardly ever shows it
WORKLOAD = """\
version: 1
name: wide
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: probe
      steps:
        - {f: r, key: {choice: {range: [1, 60]}, as: a}}
        - {f: r, key: {choice: {range: [1, 60]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: b}}
scheduling: {clients: 4, transactions: 120}
heuristics: []
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> CampaignResult:
    """A campaign whose run is valid and whose replay is not."""
    root = tmp_path_factory.mktemp("replayed")
    (root / "wide.yaml").write_text(WORKLOAD)
    for seed in range(1, 20):
        result = run_campaign(
            workload=root / "wide.yaml", seed=seed, iterations=1, run_replay=True, max_graph_nodes=0,
            small_scope=False, output=root / f"out{seed}",
        )  # fmt: skip
        if result.iterations[0].by_replay:
            return result
    pytest.fail("no seed gave a near-cycle without an anomaly")


@pytest.fixture
def place(found: CampaignResult, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(found.directory.parent)
    yield found.directory
    os.chdir(before)


def test_the_campaign_counts_it(found: CampaignResult, place: Path) -> None:
    (outcome,) = found.iterations
    assert outcome.result.verdict is Verdict.VALID
    assert (found.verdict, found.exit_code, found.found) == (Verdict.INVALID, 1, {"G2-item": [0]})
    assert outcome.label == "the replay of iteration 0"
    record = json.loads((place / "campaign.json").read_text())
    (iteration,) = record["iterations"]
    assert (iteration["verdict"], iteration["by_replay"]) == ("invalid", True)
    assert iteration["anomaly_types"] == ["G2-item"]
    (row,) = csv.DictReader((place / "progress.csv").open())
    assert (row["verdict"], row["anomaly_types"]) == ("invalid", "G2-item")
    told = json.loads((place / "iter_00/replay_analysis.json").read_text())
    assert told["verdict"] == "invalid"
    assert {view["template"] for view in told["anomalies"][0]["transactions"]} == {"probe"}
    assert json.loads((place / "iter_00/analysis.json").read_text())["verdict"] == "valid"
    assert "(by its replay)" in found._repr_html_()


def test_the_notes_tell_it(place: Path) -> None:
    notes = (place / "iter_00/notes.md").read_text()
    section = notes.partition("## What the replay of iteration 0 showed\n")[2].partition("\n## ")[0]
    assert "Found G2-item, which contradicts serializable" in section
    assert "**Write skew (G2-item): " in section


def test_every_form_of_the_report_tells_it(place: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", place, "--format", "junit")
    assert ran.code == 1
    (failure,) = ElementTree.fromstring(ran.out).iter("failure")
    assert "found by the replay of iteration 0" in failure.attrib["message"]
    ran = txfuzz("report", "--exit-code", place, "--format", "markdown")
    assert ran.code == 1
    assert "⚠️" in ran.out
    assert "), in the replay of iteration 0" in ran.out
    assert txfuzz("report", "--exit-code", place).code == 1
    page = (place / "report.html").read_text()
    assert "found by the replay of iteration 0" in page
    assert "First in the replay of iteration 0." in page
    assert "replay_history.edn --expect serializable" in page


def test_without_what_its_replay_means_there_is_no_verdict(place: Path, txfuzz: Cli) -> None:
    told = place / "iter_00/replay_analysis.json"
    kept = told.read_bytes()
    told.write_text("{")
    ran = txfuzz("report", "--exit-code", place, "--format", "markdown")
    told.write_bytes(kept)
    assert ran.code == 3
    assert "the replays of iteration 0 showed something" in ran.out


def test_a_baseline_knows_it(place: Path, txfuzz: Cli) -> None:
    assert (
        txfuzz("report", "--exit-code", place, "--write-baseline", "known.yaml", "--out", "r.html").code == 1
    )
    assert txfuzz("report", "--exit-code", place, "--baseline", "known.yaml", "--out", "r.html").code == 0


def test_it_is_shrunk(place: Path, txfuzz: Cli) -> None:
    ran = txfuzz("shrink", "--exit-code", place, "--attempts", 2, "-q", "--output-dir", "small")
    assert ran.code == 1
    assert "2 transactions, 4 steps, 2 keys" in ran.out
    (folder,) = Path("small").iterdir()
    told = json.loads((folder / "finding.json").read_text())
    assert told["templates"] == ["probe", "probe"]
    assert list(told["seen"]) == ["iter_00/replay.yaml"]
    ran = txfuzz("shrink", "--exit-code", place, "--budget", 0, "-q", "--output-dir", "none")
    assert ran.code == 3
    assert "not shrunk: the time limit of 0 s (--budget) was reached before 5 attempts" in ran.out
    ran = txfuzz("shrink", "--exit-code", place, "--isolation", "serializable", "-q", "--attempts", 2)
    assert ran.code == 3
    assert "did not recur" in ran.out


def test_it_is_not_forgotten_when_the_campaign_is_analysed_again(place: Path, found: CampaignResult) -> None:
    again = run_campaign(iterations=1, output=place, skip_run=True, max_graph_nodes=0)
    assert again.found == found.found
    longer = run_campaign(resumed_settings(place, iterations=2))
    assert longer.found["G2-item"][0] == 0
    assert json.loads((place / "iter_00/replay_result.json").read_text())["origins"]


def test_a_campaign_ends_with_the_first_one(found: CampaignResult, place: Path) -> None:
    result = run_campaign(
        workload=place.parent / "wide.yaml", seed=found.iterations[0].workload.seed, iterations=9,
        run_replay=True, stop_on_finding=True, max_graph_nodes=0, output=place.parent / "stopped",
    )  # fmt: skip
    assert result.stopped == "something was found"
