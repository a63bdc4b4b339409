"""Campaigns as a whole: roles stay, nothing runs away, nothing freezes, and one near-cycle is pursued."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from txfuzz import NearCycle, Verdict, run_campaign
from txfuzz.history.reader import read_history
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.pictures.panels import panels_of
from txfuzz.transactions.model import Choice

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[2] / "tests" / "cases"
SKEWS = """version: 1
name: skews
database: {adapter: memory, isolation: LEVEL}
expect: serializable
seed: 3
workload:
  transactions:
    - name: book
      steps:
        - {f: r, key: {choice: {range: [1, 60]}, as: a}}
        - {f: r, key: {choice: {range: [1, 60]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: a}}
scheduling: {clients: 6, transactions: 300}
"""


def in_memory(case: str, tmp_path: Path, isolation: str = "snapshot") -> Path:
    """The case on the database in memory."""
    lines = (CASES / case).read_text(encoding="utf-8").splitlines()
    memory = f"database: {{adapter: memory, isolation: {isolation}}}"
    path = tmp_path / case
    path.write_text("\n".join(memory if line.startswith("database:") else line for line in lines) + "\n")
    return path


def skews(tmp_path: Path, isolation: str) -> Path:
    path = tmp_path / "skews.yaml"
    path.write_text(SKEWS.replace("LEVEL", isolation))
    return path


def asked(campaign: CampaignResult) -> list[int]:
    return [len(each.workload.logical_keys()) for each in campaign.iterations]


def check_disjoint(campaign: CampaignResult) -> None:
    assert campaign.found == {}
    assert campaign.verdict is Verdict.VALID
    assert asked(campaign)[0] == 100
    assert asked(campaign)[1] <= 8
    assert campaign.iterations[1].result.concurrent_edges_per_txn > 0.1, "and yet they press on each other"
    for each in campaign.iterations:
        xfer, look = each.workload.transactions
        assert chosen(xfer.steps[0].key) <= set(range(1, 51))
        assert chosen(xfer.steps[1].key) | chosen(look.steps[0].key) <= set(range(51, 101))


def chosen(key: Any) -> set[int]:
    assert isinstance(key, Choice)
    return set(key.keys)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_workload_cannot_show_is_never_reported(tmp_path: Path, seed: int) -> None:
    case = in_memory("disjoint-roles.yaml", tmp_path)
    check_disjoint(
        run_campaign(workload=case, seed=seed, iterations=3, output=tmp_path / "run", max_graph_nodes=1)
    )


def test_what_the_workload_cannot_show_is_never_reported_on_a_server(tmp_path: Path) -> None:
    case = CASES / "disjoint-roles.yaml"
    check_disjoint(run_campaign(workload=case, iterations=3, output=tmp_path / "run", max_graph_nodes=1))


def check_contact(campaign: CampaignResult) -> None:
    keys, clients = asked(campaign), [each.workload.scheduling.clients for each in campaign.iterations]
    assert keys[0] == 900_000
    met = next(at for at, each in enumerate(campaign.iterations) if each.result.concurrent_edges_per_txn)
    assert keys[: met + 1] == sorted(keys[: met + 1], reverse=True)
    assert keys[1] <= 300, "no more than there were transactions"
    assert clients[0] == 1 < clients[1]
    assert met > 0


def test_keys_narrow_until_transactions_meet(tmp_path: Path) -> None:
    case = in_memory("no-edges.yaml", tmp_path)
    check_contact(run_campaign(workload=case, iterations=6, output=tmp_path / "run", max_graph_nodes=1))


def test_keys_narrow_until_transactions_meet_on_a_server(tmp_path: Path) -> None:
    check_contact(
        run_campaign(
            workload=CASES / "no-edges.yaml", iterations=6, output=tmp_path / "run", max_graph_nodes=1
        )
    )


def test_a_plateau_moves_on_and_aborts_add_no_clients(tmp_path: Path) -> None:
    campaign = run_campaign(
        workload=skews(tmp_path, "serializable"), iterations=12, output=tmp_path / "run", max_graph_nodes=1
    )
    assert campaign.found == {}
    keys = [frozenset(each.workload.logical_keys()) for each in campaign.iterations]
    longest = current = 1
    for one, other in pairwise(keys):
        current = current + 1 if one == other else 1
        longest = max(longest, current)
    assert longest <= 3
    assert len(set(keys[1:])) >= 4, "wide, narrow, wide, narrow"
    for one, other in pairwise(campaign.iterations):
        if one.result.failed > 0.3 * one.result.transactions:
            assert other.workload.scheduling.clients <= one.workload.scheduling.clients


@pytest.fixture(scope="module")
def pursuing(tmp_path_factory: pytest.TempPathFactory) -> CampaignResult:
    place = tmp_path_factory.mktemp("pursuing")
    return run_campaign(
        workload=skews(place, "serializable"), iterations=5, output=place / "run", max_graph_nodes=1
    )


def test_picture_suggestions_notes_and_next_workload_name_the_same_near_cycle(
    pursuing: CampaignResult,
) -> None:
    compared = 0
    for one, other in pairwise(pursuing.iterations):
        if not one.result.near_cycles:
            continue
        compared += 1
        near = one.result.near_cycles[0]
        assert set(near.keys) <= set(other.workload.logical_keys())
        place = pursuing.directory / f"iter_{one.number:02}"
        notes = (place / "notes.md").read_text(encoding="utf-8")
        assert (
            f"pursues near-cycle 1, the first in minimal_dependency_graph.png, and keeps {named(near)}"
            in notes
        )
        [narrow] = [each for each in one.result.suggestions if each.startswith("Narrow")]
        assert f"to a few, including {named(near)[5:]}" in narrow
        history = read_history(place / "history.edn")
        (missing,) = (link for link in panels_of(one.result, history)[0].cycle.links if link.missing)
        assert missing.why.startswith(f"missing: {near.missing.kind} on key {near.missing.key}")
    assert compared >= 3


def named(near: NearCycle) -> str:
    keys = sorted(near.keys)
    return f"keys {', '.join(map(str, keys[:-1]))} and {keys[-1]}"


def test_the_next_iteration_says_whether_the_edge_was_forced(
    pursuing: CampaignResult, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    stats = json.loads((pursuing.directory / "stats.json").read_text(encoding="utf-8"))
    for one, other in pairwise(pursuing.iterations):
        near = one.result.near_cycles[:1]
        pursued = other.pursued
        assert (pursued is not None) == bool(near)
        if pursued is None:
            assert stats["by_iteration"][other.number]["pursued"] is None
            continue
        assert (pursued.iteration, pursued.missing) == (one.number, near[0].missing)
        assert pursued.outcome in ("forced", "not forced")
        assert (pursued.times > 0) == (pursued.outcome == "forced")
        assert stats["by_iteration"][other.number]["pursued"]["outcome"] == pursued.outcome
        missing = near[0].missing
        said = f"he missing {missing.kind} edge book → book on key {missing.key} of iteration {one.number}: "
        notes = (pursuing.directory / f"iter_{other.number:02}" / "notes.md").read_text(encoding="utf-8")
        assert f"T{said}{pursued.outcome}" in notes
        told.append(pursued.outcome)
    assert "forced" in told


def test_an_open_loop_pursues_nothing(tmp_path: Path) -> None:
    campaign = run_campaign(
        workload=skews(tmp_path, "serializable"),
        iterations=2,
        open_loop=True,
        output=tmp_path / "run",
        max_graph_nodes=1,
    )
    assert [each.pursued for each in campaign.iterations] == [None, None]
    assert "pursues" not in (tmp_path / "run" / "iter_00" / "notes.md").read_text(encoding="utf-8")


def test_resumed_campaigns_know_with_which_keys_they_began(tmp_path: Path) -> None:
    """What was narrowed away comes back after a plateau, also where the campaign was cut in between."""
    run_campaign(
        workload=skews(tmp_path, "serializable"), iterations=3, output=tmp_path / "run", max_graph_nodes=1
    )
    resumed = run_campaign(
        workload=skews(tmp_path, "serializable"),
        iterations=6,
        output=tmp_path / "run",
        max_graph_nodes=1,
        resume=True,
    )
    keys = asked(resumed)
    assert keys[1] <= 8
    assert max(keys[2:]) >= 32
