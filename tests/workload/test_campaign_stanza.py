"""`campaign:` in a workload: what it says is as good as flags, and flags go before it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from own_workloads import WORDS
from project_fixtures import Ran
from txfuzz import CampaignSettings, run_campaign
from txfuzz.campaign.setup.campaign_setup import with_workload_defaults
from txfuzz.errors import WorkloadError
from txfuzz.workload.campaign import Campaign, SmallScope
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text

Cli = Callable[..., Ran]

WORKLOAD = """version: 1
name: small
database: {adapter: memory, isolation: read committed}
workload:
  transactions:
    - name: add
      steps: [{f: r, key: {choice: {range: [1, 3]}, as: k}}, {f: append, key: {ref: k}}]
scheduling: {clients: 3, transactions: 40}
"""
EVERYTHING = """campaign:
  iterations: 2
  output_dir: my runs/here
  seed: 7
  expect: serializable
  runner_cmd: cp "pre.edn" "$HISTORY_OUT"
  run_replay: true
  stop_on_finding: false
  max_seconds: 5m
  max_transactions: 1000
  plateau: 3
  small_scope: {schedules: 50, seconds: 2.5, transactions: 2}
"""
SAID = Campaign(
    2, Path("my runs/here"), 7, "serializable", 'cp "pre.edn" "$HISTORY_OUT"', True, False, 300.0, 1000, 3,
    SmallScope(50, 2.5, 2),
)  # fmt: skip


def test_it_is_read_and_written_and_read_again() -> None:
    workload = parse_workload(WORKLOAD + EVERYTHING, "w.yaml", WORDS)
    assert workload.campaign == SAID
    assert parse_workload(workload_text(workload), "w.yaml", WORDS) == workload
    assert parse_workload(WORKLOAD, "w.yaml", WORDS).campaign is None
    assert "campaign" not in workload_text(replace(workload, campaign=None))


@pytest.mark.parametrize(("word", "schedules"), [("true", 40), ("false", 0)])
def test_the_small_scope_search_is_on_or_off(word: str, schedules: int) -> None:
    workload = parse_workload(f"{WORKLOAD}campaign: {{small_scope: {word}}}\n", "w.yaml", WORDS)
    assert workload.campaign is not None
    assert workload.campaign.small_scope == SmallScope(schedules)
    assert parse_workload(workload_text(workload), "w.yaml", WORDS) == workload


def test_no_password_is_written() -> None:
    workload = parse_workload(
        WORKLOAD + "campaign: {runner_cmd: 'PGPASSWORD=hidden ./r --url x://a:hidden@b'}\n", "w.yaml", WORDS
    )
    assert "hidden" not in workload_text(workload)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("iterations: 0", 15),
        ("iteration: 3", 3),
        ("output_dir: ''", 15),
        ("seed: one", 9),
        ("expect: serialisable", 11),
        ("runner_cmd: [a]", 15),
        ("runner_cmd: ' '", 15),
        ("runner_cmd: a 'b", 15),
        ("run_replay: maybe", 15),
        ("stop_on_finding: 1", 20),
        ("max_seconds: soon", 16),
        ("max_transactions: 0.5", 21),
        ("plateau: -1", 12),
        ("small_scope: 7", 16),
        ("small_scope: {schedules: -1}", 28),
        ("small_scope: {transactions: 4}", 31),
        ("small_scope: {scedules: 9}", 17),
    ],
)
def test_complaints_have_their_place(
    line: str, column: int, txfuzz: Cli, snapshot: SnapshotAssertion
) -> None:
    with pytest.raises(WorkloadError) as caught:
        parse_workload(f"{WORKLOAD}campaign:\n  {line}\n", "w.yaml", WORDS)
    assert str(caught.value).startswith(f"w.yaml:10:{column}: ")
    assert str(caught.value) == snapshot
    Path("w.yaml").write_text(f"{WORKLOAD}campaign:\n  {line}\n")
    ran = txfuzz("run", "--config", "w.yaml")
    assert (ran.code, ran.err) == (2, f"txfuzz: {caught.value}\n")


def test_it_is_no_mapping() -> None:
    with pytest.raises(
        WorkloadError, match=r"w.yaml:9:11: found the number 3, expected campaign as a mapping"
    ):
        parse_workload(f"{WORKLOAD}campaign: 3\n", "w.yaml", WORDS)


def test_settings_go_before_it(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD + EVERYTHING)
    found = with_workload_defaults(CampaignSettings(workload=path))
    assert {
        name: getattr(found, "output" if name == "output_dir" else name) for name in SAID.given()
    } == SAID.given()
    given = CampaignSettings(
        workload=path, iterations=9, output=tmp_path, seed=1, expect="read-committed", runner_cmd="x",
        run_replay=False, stop_on_finding=True, max_seconds=1.0, max_transactions=2, plateau=1,
        small_scope=SmallScope(9),
    )  # fmt: skip
    assert with_workload_defaults(given) == given
    assert with_workload_defaults(found) == found
    assert with_workload_defaults(CampaignSettings(workload="write_skew")).iterations == 4


def test_a_campaign_is_run_as_its_workload_says(txfuzz: Cli) -> None:
    Path("w.yaml").write_text(
        WORKLOAD + "campaign: {iterations: 3, output_dir: there, seed: 5, expect: read-committed}\n"
    )
    ran = txfuzz("run", "--config", "w.yaml")
    assert ran.code == 0, ran.err
    record = json.loads(Path("there/campaign.json").read_text())
    assert (len(record["iterations"]), record["seed"], record["expect"]) == (3, 5, "read-committed")
    assert record["arguments"]["iterations"] == 3
    for path in Path("there").rglob("*.yaml"):
        assert "campaign" not in path.read_text(), "an iteration can be run again by itself"
    ran = txfuzz("run", "--config", "w.yaml", "--iterations", 1, "--output-dir", "elsewhere", "--seed", 6)
    assert ran.code == 0, ran.err
    record = json.loads(Path("elsewhere/campaign.json").read_text())
    assert (len(record["iterations"]), record["seed"]) == (1, 6)
    assert len(run_campaign(workload="w.yaml", output=Path("library"), iterations=2).iterations) == 2
    assert txfuzz("run", "--resume", "there", "--iterations", 4).code == 0


@pytest.mark.slow
def test_a_command_that_the_workload_names_is_said(txfuzz: Cli) -> None:
    Path("w.yaml").write_text(WORKLOAD)
    assert txfuzz("execute", "--config", "w.yaml", "--out", "pre.edn").code == 0
    Path("w.yaml").write_text(WORKLOAD + EVERYTHING)
    ran = txfuzz("run", "--config", "w.yaml", "--no-run-replay", "--output-dir", "o")
    assert ran.code == 1, ran.err
    said = """txfuzz: histories are made by the workload's own runner_cmd: cp "pre.edn" "$HISTORY_OUT"\n"""
    assert ran.err.startswith(said)
    again = txfuzz("run", "--config", "w.yaml", "--skip-run", "--output-dir", "o")
    assert again.code == 1, again.err
    ran = txfuzz(
        "adapt", "--history", "pre.edn", "--prev-workload", "w.yaml", "--execute", "--no-run-replay"
    )  # fmt: skip
    assert ran.code == 1, ran.err
    assert said in ran.err
    assert sorted(path.name for path in Path("runs").glob("iter_*")) == ["iter_00", "iter_01", "iter_02"]
    assert not Path("runs/iter_00/replay_history.edn").exists()
