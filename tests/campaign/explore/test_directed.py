"""Directed schedules in a campaign of the strategy that learns, on the database in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from txfuzz import run_campaign
from txfuzz.campaign.directory.run_directory import iteration_path
from txfuzz.campaign.sources.resumed import resumed_settings
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.workload.campaign import SmallScope
from txfuzz.workload.yaml.reader import read_workload

SKEW = """\
version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: left
      steps: [{f: r, key: 1}, {f: append, key: 2}]
    - name: right
      steps: [{f: r, key: 2}, {f: append, key: 1}]
    - name: idle
      steps: [{f: append, key: {choice: {range: [11, 40]}}}]
  mix:
    - {txn: left, weight: 1}
    - {txn: right, weight: 1}
    - {txn: idle, weight: 6}
scheduling: {clients: 2, transactions: 200}
"""


def campaign(path: Path, text: str = SKEW, **fields: object) -> CampaignResult:
    file = path / "skew.yaml"
    file.write_text(text)
    given = {"strategy": "learning", "iterations": 6, "seed": 3, "small_scope": SmallScope(schedules=0)}
    return run_campaign(workload=file, output=path / "run", **(given | fields))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> CampaignResult:
    return campaign(tmp_path_factory.mktemp("directed"), iterations=12, lean=True)


def test_the_near_cycle_that_is_pursued_is_played_in_the_next_iteration(ran: CampaignResult) -> None:
    played = [each for each in ran.iterations if each.directed]
    assert played
    for iteration in played:
        before = ran.iterations[iteration.number - 1]
        near = before.result.near_cycles[0]
        [outcome] = iteration.directed
        assert outcome.schedule.missing.kind == near.missing.kind
        assert outcome.schedule.focus_key == near.missing.key
        assert iteration.pursued is not None
        assert iteration.pursued.missing == near.missing
        assert {each.target for each in before.decisions if each.heuristic == "directed"} >= {"directed"}


def test_one_client_alone_is_left_alone(ran: CampaignResult) -> None:
    """The load that shows what needs no overlap; also where the iteration before it has near-cycles."""
    alone = [each for each in ran.iterations if each.workload.scheduling.clients == 1]
    assert any(ran.iterations[each.number - 1].result.near_cycles for each in alone)
    for iteration in alone:
        assert not iteration.workload.directed
        assert not iteration.directed


def test_a_schedule_forces_what_the_crowd_seldom_does(ran: CampaignResult) -> None:
    forced = sum(outcome.forced for each in ran.iterations for outcome in each.directed)
    assert forced
    assert "G2-item" in ran.found


def test_what_came_of_it_is_kept_and_told(ran: CampaignResult) -> None:
    number = next(each.number for each in ran.iterations if each.directed)
    place = iteration_path(ran.directory, number)
    [outcome] = ran.iterations[number].directed
    assert outcome.text in " ".join((place / "notes.md").read_text().replace("\\", "").split())
    stats = json.loads((ran.directory / "stats.json").read_text())
    [kept] = stats["by_iteration"][number]["directed"]
    assert (kept["played"], kept["forced"]) == (outcome.played, outcome.forced)
    assert read_workload(place / "workload.yaml", None).directed == (outcome.schedule,)


def test_its_owner_may_forbid_it(tmp_path: Path) -> None:
    ran = campaign(tmp_path, SKEW + "mutate: [keys, mix]\n", iterations=3)
    assert not any(each.directed for each in ran.iterations)
    said = [note for each in ran.iterations for note in each.learnt]
    assert any("does not let its scheduling change" in note for note in said)


@pytest.mark.slow
def test_the_strategy_can_do_without(tmp_path: Path) -> None:
    ran = campaign(tmp_path, SKEW + "strategy: {name: learning, directed: false}\n", strategy=None)
    assert not any(each.directed for each in ran.iterations)
    assert not any(d.heuristic == "directed" for each in ran.iterations for d in each.decisions)


@pytest.mark.slow
def test_classic_directs_nothing(tmp_path: Path) -> None:
    ran = campaign(tmp_path, strategy="classic")
    assert not any(each.directed for each in ran.iterations)


def test_a_campaign_that_is_resumed_knows_what_came_of_it(tmp_path: Path) -> None:
    whole = campaign(tmp_path, iterations=3)
    again = run_campaign(resumed_settings(tmp_path / "run", iterations=4))
    assert [each.directed for each in again.iterations[:3]] == [each.directed for each in whole.iterations]
    assert not any("nothing here" in note for each in again.iterations for note in each.notes)
