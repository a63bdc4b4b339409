"""Adaptive mode: from anybody's history to the next workload, with notes that explain it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from project_fixtures import Ran, Site
from txfuzz import Verdict, run_campaign

Cli = Callable[..., Ran]

WORKLOAD = """version: 1
name: small
database: {adapter: dictionary, isolation: dirty}
expect: serializable
seed: 5
workload:
  transactions:
    - name: look
      steps:
        - {f: r, key: {choice: {range: [1, 40]}, as: a}}
        - {f: append, key: {choice: {range: [1, 40]}, distinct_from: [a]}}
scheduling: {clients: 3, transactions: 60, barrier_every: 1}
heuristics: [hot-keys, scheduling, schema-init]
"""
# Two transactions that overlap; one more anti-dependency would make a write skew
HISTORY = """{:index 0, :type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 2 1]]}
{:index 1, :type :invoke, :process 1, :f :txn, :value [[:r 2 nil] [:append 1 1]]}
{:index 2, :type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 2 1]]}
{:index 3, :type :ok, :process 1, :f :txn, :value [[:r 2 [1]] [:append 1 1]]}
{:index 4, :type :invoke, :process 2, :f :txn, :value [[:r 1 nil] [:r 2 nil]]}
{:index 5, :type :ok, :process 2, :f :txn, :value [[:r 1 [1]] [:r 2 [1]]]}
"""


@pytest.fixture
def given(txfuzz: Cli, site: Site) -> Path:
    """An empty directory with somebody's history and workload; it is the working directory."""
    site.add_third()
    Path("w.yaml").write_text(WORKLOAD)
    Path("h.edn").write_text(HISTORY)
    return Path()


def the_directory() -> Path:
    return Path("runs")


def test_without_execute_it_stops_at_a_workload_that_is_ready(txfuzz: Cli, given: Path) -> None:
    ran = txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml")
    assert ran.code == 0
    place = the_directory() / "iter_00"
    assert (place / "history.edn").read_text() == HISTORY
    for name in (
        "workload.yaml",
        "analysis.json",
        "minimal_dependency_graph.png",
        "dependency_graph.png",
        "notes.md",
    ):
        assert (place / name).exists(), name
    assert f"next workload: {place / 'next_workload.yaml'}" in ran.out
    following = yaml.safe_load((place / "next_workload.yaml").read_text())
    decisions = json.loads((place / "decisions.json").read_text())
    assert "scheduling.clients" in {each["target"] for each in decisions}
    assert following["scheduling"]["clients"] > 3
    assert txfuzz("execute", "--config", place / "next_workload.yaml", "--out", "next.edn").code == 0


def test_the_notes_say_what_changed_and_why(txfuzz: Cli, given: Path) -> None:
    txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml")
    notes = (the_directory() / "iter_00/notes.md").read_text()
    analysis = json.loads((the_directory() / "iter_00/analysis.json").read_text())
    assert analysis["near_cycles"]
    for words in (
        "# small, iteration 0",
        "3 of 3 transactions committed",
        "## What nearly happened",
        f"| 1 | {analysis['near_cycles'][0]['score']:.2f} |",
        "Score parts: ",
        "**scheduling** changes the number of clients from 3 to 5, because ",
        "It hopes to force the ",
        "**hot-keys** changes the choice of keys from 40 keys to keys ",
    ):
        assert words in notes, words


def test_with_execute_it_runs_the_next_workloads(txfuzz: Cli, given: Path) -> None:
    ran = txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml", "--execute", "--iterations", 2)
    directory = the_directory()
    record = json.loads((directory / "campaign.json").read_text())
    assert [each["iteration"] for each in record["iterations"]] == [0, 1, 2]
    assert ran.code == {"valid": 0, "invalid": 1, "unknown": 3}[record["verdict"]]
    for number in range(2):
        decided = (directory / f"iter_{number:02d}" / "next_workload.yaml").read_text()
        assert (directory / f"iter_{number + 1:02d}" / "workload.yaml").read_text() == decided
    assert (directory / "iter_00/history.edn").read_text() == HISTORY
    assert "final-read" in (directory / "iter_02/history.edn").read_text()


@pytest.mark.parametrize(
    ("history", "workload", "words"),
    [
        ("nowhere.edn", "w.yaml", "nowhere.edn: No such file or directory"),
        ("h.edn", "nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_what_is_missing_is_said(txfuzz: Cli, given: Path, history: str, workload: str, words: str) -> None:
    ran = txfuzz("adapt", "--history", history, "--prev-workload", workload)
    assert ran.code == 2
    assert words in ran.err


def test_the_root_can_be_elsewhere(txfuzz: Cli, given: Path) -> None:
    ran = txfuzz(
        "adapt",
        "--history",
        "h.edn",
        "--prev-workload",
        "w.yaml",
        "--output-root",
        "other",
        "--strict-plugins",
    )
    assert ran.code == 0
    assert Path("other/iter_00/notes.md").exists()
    assert not Path("runs").exists()


@pytest.mark.slow
def test_a_campaign_stops_when_it_is_asked_to(given: Path, tmp_path: Path) -> None:
    def run(name: str, **more: object) -> tuple[int, str | None]:
        result = run_campaign(workload="w.yaml", iterations=6, output=tmp_path / name, **more)
        assert result.verdict is not Verdict.UNKNOWN
        return len(result.iterations), result.stopped

    assert run("seconds", max_seconds=0.0) == (1, "0 seconds have passed")
    count, why = run("transactions", max_transactions=100)
    assert count == 2
    assert why is not None
    assert "transactions have been run" in why
    Path("w.yaml").write_text(
        WORKLOAD.replace("[hot-keys, scheduling, schema-init]", "[]")
        + "analyzers: [{name: longest-list, allowed: 1}]\n"
    )
    count, why = run("finding", stop_on_finding=True)
    assert why == "something was found"
    count, why = run("plateau", plateau=2)
    assert (count, why) == (3, "2 iterations in a row showed nothing new")


REGISTERS = """{:index 0, :type :invoke, :process 0, :f :txn, :value [[:w 1 7]]}
{:index 1, :type :ok, :process 0, :f :txn, :value [[:w 1 7]]}
"""


@pytest.mark.parametrize(
    ("history", "judged"), [(REGISTERS, False), (HISTORY.replace(":f :txn", ':f :txn, :txn "hold"'), True)]
)
def test_a_history_of_another_workload_is_refused(
    txfuzz: Cli, given: Path, history: str, judged: bool, snapshot: SnapshotAssertion
) -> None:
    Path("h.edn").write_text(history)
    ran = txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml")
    assert ran.code == 2
    assert ran.err == snapshot(name="adapt")
    assert not Path("runs").exists()
    place = Path("out/iter_00")
    place.mkdir(parents=True)
    Path("h.edn").rename(place / "history.edn")
    ran = txfuzz("run", "--config", "w.yaml", "--skip-run", "--output-dir", "out")
    assert [line for line in ran.err.splitlines() if line.startswith("txfuzz:")] == snapshot(name="run")
    assert ran.code == (0 if judged else 2), "a warning, for it may be judged all the same"


def test_a_history_that_names_a_transaction_of_the_workload_fits(txfuzz: Cli, given: Path) -> None:
    Path("h.edn").write_text(HISTORY.replace(":f :txn", ':f :txn, :txn "look"', 1))
    assert txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml").code == 0


def test_a_replay_is_not_fuzzed(txfuzz: Cli, given: Path) -> None:
    stanza = "replay:\n  transactions: [{alias: t1, txn: look}]\n"
    Path("replay.yaml").write_text(WORKLOAD + stanza)
    for command in (
        ("run", "--config", "replay.yaml", "--iterations", 1),
        ("run", "--config", "replay.yaml", "--iterations", 1, "--runner-cmd", "true"),
        ("adapt", "--history", "h.edn", "--prev-workload", "replay.yaml"),
    ):
        ran = txfuzz(*command)
        assert ran.code == 2
        assert "is a replay: run it with `txfuzz execute replay.yaml --out FILE`" in ran.err
        assert not Path("runs").exists()
    Path("replay.yaml").write_text(WORKLOAD + stanza + "  enabled: false\n")
    assert txfuzz("run", "--config", "replay.yaml", "--iterations", 1).code in (0, 1)
