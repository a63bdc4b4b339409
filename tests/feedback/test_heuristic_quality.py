"""Heuristics judged where the truth is known: what is planted is found sooner, and nothing else is found."""

from __future__ import annotations

import pytest

from txfuzz.campaign.loop import run_campaign
from txfuzz.testing import Hunt, MemoryAdapter, hunt
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight, Workload
from txfuzz_heuristics.hot_keys import HotKeys
from txfuzz_heuristics.mix import Mix
from txfuzz_heuristics.scheduling import Scheduling as Pace

SEEDS = range(6)
LOOP = (HotKeys(), Mix(), Pace())
KEYS = range(1, 1001)  # so many that transactions seldom meet by chance
ONE, OTHER = Choice(KEYS, "one"), Choice(KEYS, "other", ("one",))
TRANSACTIONS = (
    Transaction("rmw", (Step("r", ONE), Step("append", Ref("one")))),
    Transaction("skew", (Step("r", ONE), Step("r", OTHER), Step("append", Ref("one")))),
    Transaction("reads", (Step("r", ONE), Step("r", OTHER))),
)


def wide(seed: int) -> Workload:
    mix = tuple(Weight(each.name, 1.0) for each in TRANSACTIONS)
    return Workload("wide", TRANSACTIONS, mix, scheduling=Scheduling(8, 200), seed=seed)


def hunts(*defects: str, loop: bool = True, iterations: int = 6) -> list[Hunt]:
    return [
        hunt(
            MemoryAdapter(defects=defects, probability=0.3, defect_seed=seed),
            wide(seed),
            LOOP if loop else (),
            isolation="snapshot",
            iterations=iterations,
        )
        for seed in SEEDS
    ]


def found(hunts: list[Hunt]) -> int:
    return sum(each.iteration is not None for each in hunts)


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
def test_the_loop_finds_what_is_planted(defect: str, iterations: int) -> None:
    assert found(hunts(defect, iterations=iterations)) >= 5


def test_without_feedback_it_takes_longer() -> None:
    with_feedback, without = (hunts("dirty-read", loop=loop) for loop in (True, False))
    assert found(without) + 3 <= found(with_feedback)
    assert sum(each.transactions for each in with_feedback) * 1.5 < sum(each.transactions for each in without)


def test_the_loop_presses_where_it_found_something_near() -> None:
    end = hunt(MemoryAdapter(), wide(1), LOOP, isolation="snapshot", iterations=3)
    assert end.iteration is None
    assert len(end.workload.logical_keys()) <= 4


def test_a_clean_database_yields_nothing() -> None:
    assert [each.anomalies for each in hunts(iterations=4)] == [()] * len(SEEDS)


def test_a_campaign_finds_it_as_well(tmp_path) -> None:
    (tmp_path / "wide.yaml").write_text(
        """version: 1
name: wide
database: {adapter: memory, isolation: snapshot, defects: [lost-update], probability: 0.3}
seed: 5
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {range: [1, 1000]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 8, transactions: 300}
heuristics: [hot-keys, mix, scheduling]
"""
    )
    campaign = run_campaign(
        workload=tmp_path / "wide.yaml", iterations=6, output=tmp_path / "run", stop_on_finding=True
    )
    assert "lost-update" in campaign.found
