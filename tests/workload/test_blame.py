"""The database is blamed for what contradicts its promise, not for what a workload's own SQL overwrites."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.checker.consistency import answerable
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.history.reader import read_history_bytes
from txfuzz.plugin.loader import load_plugins
from txfuzz.report.text.finding_readme import judgement
from txfuzz.report.verdict import verdict_sentence
from txfuzz.transactions.model import Step
from txfuzz.workload.model import Workload
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload

Cli = Callable[..., Ran]
CONTRADICTING = b"""\
{:type :invoke, :process 0, :value [[:append 1 1]]}
{:type :ok, :process 0, :value [[:append 1 1]]}
{:type :invoke, :process 1, :value [[:append 1 2]]}
{:type :ok, :process 1, :value [[:append 1 2]]}
{:type :invoke, :process 0, :value [[:r 1 nil]]}
{:type :ok, :process 0, :value [[:r 1 [1]]]}
{:type :invoke, :process 0, :value [[:r 1 nil]]}
{:type :ok, :process 0, :value [[:r 1 [2]]]}
"""


def shipped(name: str) -> Workload:
    return read_workload(workload_path(name), InstalledVocabulary(load_plugins()))


def test_whose_fault_it_can_be() -> None:
    assert answerable("read-committed", own_lists=shipped("counter").own_lists) is None
    assert answerable("snapshot-isolation", own_lists=shipped("counter").own_lists) == "snapshot-isolation"
    assert answerable("read-committed", own_lists=shipped("lost_update").own_lists) == "read-committed"
    plain = shipped("lost_update")
    beside = tuple(
        replace(each, steps=(*each.steps, Step(None, sql="SELECT 1"))) for each in plain.transactions
    )
    assert not replace(plain, transactions=beside).own_lists


def test_why_a_level_does_not_answer_for_lists_of_ones_own_sql() -> None:
    counter, registry = shipped("counter"), load_plugins()
    at = {level: assemble(counter, registry, isolation=level) for level in ("read committed", "serializable")}
    assert at["read committed"].answers_for is None
    [said] = at["read committed"].disclaimers
    assert said == (
        "the database is not blamed for what is found here: read_add_write writes lists with its own "
        "SQL, and at read committed updates may be lost"
    )
    assert at["serializable"].answers_for
    assert not at["serializable"].disclaimers
    plain = assemble(shipped("lost_update"), registry, isolation="read committed")
    assert plain.answers_for
    assert not plain.disclaimers


def test_the_same_history_is_told_in_both_ways() -> None:
    result = analyze_history(read_history_bytes(CONTRADICTING), "serializable")
    assert "incompatible-order" in result.anomaly_types
    assert "broke its promise" in verdict_sentence(result, "read committed", "read-committed")
    said = verdict_sentence(result, "read committed", None)
    assert "broke its promise" not in said
    assert "the workload's own SQL or its faults may be the cause" in said
    assert "SQL" not in verdict_sentence(result, None, None), "of a history nothing of the kind is known"


def test_a_finding_is_told_in_both_ways() -> None:
    assert "this is a bug" in judgement("incompatible-order", "RC", "read-committed", "serializable")
    assert "the workload's own SQL" in judgement("incompatible-order", "RC", None, "serializable")


@pytest.mark.server
@pytest.mark.slow
def test_a_campaign_that_overwrites_lists_blames_nobody(txfuzz: Cli) -> None:
    ran = txfuzz("run", "--workload", "counter", "--iterations", 1, "--output-dir", "run")
    assert ran.code == 1
    assert "broke its promise" not in ran.out
    record = json.loads(Path("run/campaign.json").read_text())
    assert (record["promised"], record["answers_for"]) == ("read-committed", None)
    assert "broke its promise" not in Path("run/iter_00/notes.md").read_text()
    assert txfuzz("report", "run").code == 0
    assert "broke its promise" not in Path("run/report.html").read_text()


@pytest.mark.server
@pytest.mark.slow
def test_graphs_of_a_campaign_are_kept_and_its_replays_told_each_time(txfuzz: Cli) -> None:
    ran = txfuzz("run", "--workload", "lost_update", "--iterations", 2, "--run-replay", "--output-dir", "run")
    assert ran.err.count("\n  replay: ") == 2
    picture = Path("run/iter_01/minimal_dependency_graph.png")
    drawn = picture.read_bytes()
    history = "run/iter_01/history.edn"
    ran = txfuzz("analyze", history, "--expect", "read-committed")
    assert "holds those of its campaign" in ran.out
    assert picture.read_bytes() == drawn
    txfuzz("analyze", history, "--expect", "read-committed", "--graph-dir", "mine")
    assert Path("mine/minimal_dependency_graph.png").read_bytes() != drawn
    refused = txfuzz("analyze", history, "--graph-dir", "/proc/nowhere")
    assert refused.code == 2
    assert "/proc/nowhere: cannot be written" in refused.err
    picture.unlink()
    txfuzz("analyze", history, "--expect", "read-committed")
    assert picture.exists()
