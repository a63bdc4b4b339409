"""The interleavings of a few transactions: each once, and what they give on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Ran
from replay_server import playing, server, shipped
from txfuzz.database.port import Database
from txfuzz.replay.assigning import assignments
from txfuzz.replay.composing import Aim, compose, schedule
from txfuzz.replay.exploring import explore, plan
from txfuzz.replay.interleaving import Interleavings, sampled
from txfuzz.replay.judging import Judge
from txfuzz.replay.predicting import Deed, Event, predict
from txfuzz.workload.model import Choice, Step, Transaction

__all__ = ["server"]

Deeds = dict[str, tuple[Deed, ...]]
steps = st.tuples(st.sampled_from("rwl"), st.integers(1, 3))
deeds_of = st.lists(steps, min_size=1, max_size=2).map(tuple)


def every_order(deeds: Deeds) -> set[tuple[Event, ...]]:
    """By brute force."""
    labels = [alias for alias, each in deeds.items() for _ in range(len(each) + 1)]
    orders = set()
    for labelled in set(permutations(labels)):
        done = dict.fromkeys(deeds, 0)
        order: list[Event] = []
        for alias in labelled:
            order.append((alias, done[alias]))
            done[alias] += 1
        orders.add(tuple(order))
    return orders


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds_of, min_size=2, max_size=3))
def test_each_interleaving_comes_once(all_deeds: list[tuple[Deed, ...]]) -> None:
    deeds = {f"t{at}": each for at, each in enumerate(all_deeds)}
    if sum(len(each) + 1 for each in all_deeds) > 8:
        deeds = dict(list(deeds.items())[:2])
    interleavings = Interleavings(deeds)
    orders = every_order(deeds)
    assert interleavings.count == len(orders)
    different = list(interleavings.all())
    assert len(different) == len(set(different))
    assert {interleavings.normal(order) for order in orders} == set(different)


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds_of, min_size=2, max_size=2), st.booleans())
def test_orders_that_mean_the_same_bring_the_same_about(
    all_deeds: list[tuple[Deed, ...]], snapshots: bool
) -> None:
    deeds = {f"t{at}": each for at, each in enumerate(all_deeds)}
    interleavings = Interleavings(deeds)
    found: dict[tuple[Event, ...], object] = {}
    for order in every_order(deeds):
        prediction = predict(order, deeds, snapshots=snapshots)
        same = found.setdefault(interleavings.normal(order), (prediction.links, prediction.refused))
        assert same == (prediction.links, prediction.refused)


def test_a_sample_is_drawn_by_its_seed() -> None:
    deeds: Deeds = {f"t{at}": (("r", 1), ("w", 2), ("r", 3), ("w", 1)) for at in range(4)}
    one, again, other = (sampled(deeds, 20, seed) for seed in (1, 1, 2))
    assert one == again != other
    assert len(set(one)) == 20


def choose(*keys: Sequence[int]) -> Transaction:
    chosen = [Choice(tuple(each), f"k{at}") for at, each in enumerate(keys)]
    return Transaction("any", tuple(Step("r" if at else "append", key) for at, key in enumerate(chosen)))


def test_keys_are_shared_in_every_way_once() -> None:
    ways = list(assignments([choose(range(1, 100), range(1, 100))] * 2))
    marks = {tuple(role.deeds for role in way) for way in ways}
    assert len(marks) == len(ways)
    # append a, read b: both on one key; the same two; two crosswise; …
    assert ((("w", 1), ("r", 2)), (("w", 2), ("r", 1))) in marks
    assert ((("w", 1), ("r", 1)), (("w", 1), ("r", 1))) in marks
    assert all(set(one) & set(two) or {key for _, key in one} & {key for _, key in two} for one, two in marks)
    assert list(assignments([choose([1]), choose([2])])) == []


@pytest.mark.server
def test_pruned_orders_mean_the_same_on_the_server(server: Database) -> None:
    """All 140 orders of two transactions against their representatives, at two levels."""
    assembled = shipped("write_skew")
    for isolation in ("read committed", "repeatable read"):
        (case, *_) = plan(assembled.workload.transactions, 10_000, 0)
        deeds = {role.alias: role.deeds for role in case.roles}
        interleavings = Interleavings(deeds)
        by_alias = {role.alias: role for role in case.roles}
        composed = compose(assembled.workload, case.roles, case.orders[0], Aim(), rows="inserted")
        assert composed.replay is not None
        judge = Judge("serializable", isolation)
        found: dict[tuple[Event, ...], tuple[str, ...]] = {}
        with playing(server, replace(assembled, isolation=isolation)) as player:
            prepared = player.prepared(composed)
            for order in every_order(deeds):
                attempt = prepared.run(replace(composed.replay, schedule=schedule(order, by_alias)))
                types = judge.judge(attempt).all_types
                assert found.setdefault(interleavings.normal(order), types) == types


@pytest.mark.server
def test_levels_against_anomalies(server: Database) -> None:
    assembled = shipped("write_skew")
    capabilities = assembled.adapter.capabilities()
    names = [each.name for each in assembled.workload.transactions]
    found = explore(assembled.workload, names, server, capabilities.isolation, "serializable")
    assert (len(found.cases), found.orders, found.sampled) == (2, 140, False)
    levels = {level.isolation: level for level in found.levels}
    assert [level.broken for level in found.levels] == [(), (), (), ()]
    assert all(level.schedules == found.distinct for level in found.levels)
    assert set(levels["read committed"].anomalies) == {"G-single-item", "G2-item", "lost-update"}
    assert levels["read uncommitted"].anomalies == levels["read committed"].anomalies
    assert set(levels["repeatable read"].anomalies) == {"G2-item"}
    assert levels["serializable"].anomalies == {}
    assert set(levels["repeatable read"].aborted) == {"40001"}
    assert levels["serializable"].aborted["40001"] > levels["repeatable read"].aborted["40001"]


@pytest.mark.server
def test_a_sample_where_there_are_too_many(server: Database) -> None:
    assembled = shipped("read_only_anomaly")
    names = ["deposit", "withdraw", "audit"]
    levels = {"repeatable read": "snapshot-isolation"}
    found = explore(assembled.workload, names, server, levels, "serializable", most=30)
    assert found.sampled
    assert found.levels[0].schedules == found.distinct == 30
    assert found.orders == 4200


@pytest.mark.server
def test_the_command(tmp_path: Path, txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz(
        "explore", "lost_update", "--transactions", "read_append,read_append", "--output-dir", "found",
        "--isolation", "READ COMMITTED", "--isolation", "repeatable-read",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "20 orders of their steps, of which 14" in ran.out
    table = {line[:16].strip(): line[16:].split() for line in ran.out.splitlines()}
    assert table["lost-update"] == ["12", "–"]
    assert table["aborted 40001"] == ["–", "12"]
    told = json.loads((tmp_path / "found" / "explore.json").read_text())
    assert [level["schedules"] for level in told["levels"]] == [14, 14]
    replay = tmp_path / "found" / "read-committed_lost-update.yaml"
    assert "lost-update in 1" in txfuzz("execute", "--config", replay, "--out", "h.edn").out


@pytest.mark.parametrize(
    ("transactions", "said"),
    [
        ("read_append,read_apend", "no transaction 'read_apend' in lost_update: did you mean 'read_append'?"),
        ("read_append", "--transactions names at least two"),
    ],
)
def test_mistakes(txfuzz: Callable[..., Ran], transactions: str, said: str) -> None:
    ran = txfuzz("explore", "lost_update", "--transactions", transactions)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
