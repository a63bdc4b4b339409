"""The default heuristics: their numbers, and that any feedback gives a workload that can run."""

from __future__ import annotations

import random as randomness
import re
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from txfuzz import FeedbackResult, Heuristic, NearCycle, Verdict, Workload
from txfuzz.analysis.result import Edge, KeyPressure, MissingEdge
from txfuzz.common.options import build, options_of
from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import current, propose_all
from txfuzz.feedback.key_choices import can_choose
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight
from txfuzz_heuristics import txfuzz_register_heuristics
from txfuzz_heuristics.hot_keys import HotKeys
from txfuzz_heuristics.mix import Mix
from txfuzz_heuristics.scheduling import Scheduling as Pace
from txfuzz_heuristics.schema_init import SchemaInit

RANGE = range(1, 101)
WRITER = Transaction("writer", (Step("r", Choice(RANGE, "k")), Step("append", Ref("k"))))
READER = Transaction("reader", (Step("r", Choice(RANGE, "a")), Step("r", Choice(RANGE, None, ("a",)))))
MIXED = Transaction(
    "mixed", (Step("r", Choice(RANGE)), Step("r", Choice(RANGE)), Step("append", Choice(RANGE)))
)
BROAD = Workload(
    "broad", (WRITER, READER, MIXED), (Weight("writer", 1), Weight("reader", 2), Weight("mixed", 1))
)


def near(missing: int, *path: int, score: float = 1.0) -> NearCycle:
    edges = tuple(Edge("rw", 0, 1, key=100 + key, logical_key=key) for key in path)
    end = MissingEdge("rw", 1, 0, missing, "writer", 0, "writer", 1)
    return NearCycle(score, edges, end, "G2-item", "repeatable-read", ())


def pressed(**concurrent: int) -> tuple[KeyPressure, ...]:
    return tuple(KeyPressure(int(key[1:]), 10, 10, 20, edges) for key, edges in concurrent.items())


def feedback(**values: Any) -> FeedbackResult:
    return FeedbackResult(0, Verdict.VALID, **{"transactions": 2000, "committed": 1900, **values})


def only(heuristic: Any, given: FeedbackResult, workload: Workload = BROAD) -> Any:
    adjustments = heuristic.propose(given, workload, Random(1))
    assert len(adjustments) == 1
    return adjustments[0]


# hot-keys


def test_the_keys_of_near_cycles_before_pressed_ones(snapshot: SnapshotAssertion) -> None:
    given = feedback(near_cycles=(near(7, 9), near(7, 9), near(3, 4)), key_pressure=pressed(k50=9, k60=8))
    change = only(HotKeys(), given)
    assert (change.target, change.before, change.after) == ("keys", list(RANGE), [3, 4, 7, 9])
    assert change.reason == snapshot
    assert only(HotKeys(max_keys=3), given).after == [7, 9, 50], (
        "a pair that does not fit is left out as a whole"
    )
    assert only(HotKeys(max_keys=2), given).after == [7, 9]


def test_the_nearest_near_cycle_keeps_its_keys_whatever_the_others_weigh() -> None:
    given = feedback(near_cycles=(near(7, 9, 11), *(near(3, 4) for _ in range(9))))
    assert only(HotKeys(max_keys=2), given).after == [7, 9, 11], "more than max_keys, if it needs more"
    assert only(HotKeys(max_keys=4), given).after == [7, 9, 11]
    assert only(HotKeys(max_keys=5), given).after == [3, 4, 7, 9, 11]
    fixed = Transaction("fixed", (Step("append", Choice((7,))), Step("r", Choice((3, 4, 9, 11, 13)))))
    beside = Workload("beside", (fixed,), (Weight("fixed", 1),))
    assert only(HotKeys(), given, beside).after == [3, 4, 9, 11], "the fixed key is there anyway"
    elsewhere = feedback(near_cycles=(near(7, 777), near(3, 4)))
    assert only(HotKeys(), elsewhere).reason.startswith("near-cycle 2 (pursued) gives keys 3 and 4")


def test_key_pressure_where_no_cycle_came_near(snapshot: SnapshotAssertion) -> None:
    given = feedback(key_pressure=pressed(k5=4, k6=9, k7=1, k8=0, k9=4, k10=3))
    change = only(HotKeys(), given)
    assert change.after == [5, 6, 9, 10]
    assert change.reason == snapshot


def test_weights_of_the_two_sources() -> None:
    given = feedback(near_cycles=(near(7, 9),), key_pressure=pressed(k1=8, k2=6, k3=2, k4=1))
    assert only(HotKeys(max_keys=2, near_cycle_weight=0.0), given).after == [1, 2]
    assert only(HotKeys(pressure_weight=0.0), given).after == [7, 9]


def test_too_few_hot_keys_are_filled_up() -> None:
    given = feedback(key_pressure=pressed(k5=4))
    change = only(HotKeys(), given)
    assert len(change.after) == 2
    assert 5 in change.after
    assert re.search(
        r"; key \d+ was drawn at random, so that every choice has enough keys: 2 keys", change.reason
    )
    three = Transaction(
        "three",
        (
            Step("r", Choice(RANGE, "a")),
            Step("r", Choice(RANGE, "b", ("a",))),
            Step("append", Choice(RANGE, None, ("a", "b"))),
        ),
    )
    wide = Workload("three", (three,), (Weight("three", 1),))
    assert len(only(HotKeys(max_keys=2), given, wide).after) == 3


def test_replays_that_failed_weigh_and_what_found_no_room_is_told(snapshot: SnapshotAssertion) -> None:
    given = feedback(
        near_cycles=(near(1, 2), near(3, 4), near(7, 8), near(5, 6)), failed_replays={5: 2, 6: 1}
    )
    change = only(HotKeys(), given)
    assert change.after == [1, 2, 5, 6]
    assert change.reason == snapshot


def test_no_evidence_no_change() -> None:
    calm = feedback(key_pressure=pressed(k1=0), concurrent_edges_per_txn=0.1)
    assert HotKeys().propose(calm, BROAD, Random(1)) == ()
    literal = Workload("one", (Transaction("one", (Step("append", Choice((1,))),)),), (Weight("one", 1),))
    assert HotKeys().propose(feedback(near_cycles=(near(1, 2),)), literal, Random(1)) == ()
    settled = propose_all([HotKeys()], feedback(near_cycles=(near(1, 2),)), BROAD, Random(1))[0]
    assert HotKeys().propose(feedback(near_cycles=(near(2, 1),)), settled, Random(1)) == ()


def roles(*sets: Any) -> Workload:
    """A transaction for each of these sets, which appends to one of its keys and reads another."""
    each = [
        Transaction(f"t{at}", (Step("append", Choice(keys, "a")), Step("r", Choice(keys, None, ("a",)))))
        for at, keys in enumerate(sets)
    ]
    return Workload("roles", tuple(each), tuple(Weight(one.name, 1) for one in each))


def test_every_choice_keeps_keys_of_its_own() -> None:
    workload = roles(range(1, 51), range(51, 101))
    given = feedback(near_cycles=(near(53, 84),), key_pressure=pressed(k98=3, k99=2))
    changed, [change], warnings = propose_all([HotKeys()], given, workload, Random(1))
    assert warnings == ()
    assert {53, 84, 98, 99} < set(change.after)
    assert len([key for key in change.after if key <= 50]) == 2
    assert "were drawn at random, so that every choice has enough keys" in change.reason
    first, second = changed.transactions
    assert [len(step.key.keys) for step in first.steps if isinstance(step.key, Choice)] == [2, 2]
    assert {key for step in second.steps for key in step.key.keys} == {53, 84, 98, 99}  # type: ignore[union-attr]
    again = HotKeys().propose(given, changed, Random(2))
    assert again == (), "what was drawn once stays"


@pytest.mark.parametrize("seed", range(5))
def test_keys_are_drawn_where_different_choices_meet(seed: int) -> None:
    workload = roles(range(1, 61), range(55, 101), tuple(range(50, 70)))
    changed, _, _ = propose_all([HotKeys()], feedback(key_pressure=pressed(k2=3)), workload, Random(seed))
    used = [{key for step in each.steps for key in step.key.keys} for each in changed.transactions]  # type: ignore[union-attr]
    assert used[1] == used[2] == used[0] - {2}
    assert used[1] <= set(range(55, 61))


def test_without_contact_the_keys_halve(snapshot: SnapshotAssertion) -> None:
    calm = feedback(committed=30)
    change = only(HotKeys(), calm)
    assert len(change.after) == 30, "no more than committed transactions"
    assert change.reason == snapshot
    assert len(only(HotKeys(), feedback()).after) == 50
    workload, sizes = BROAD, []
    for _ in range(12):
        workload, made, _ = propose_all([HotKeys()], feedback(), workload, Random(1))
        sizes += [len(each.after) for each in made]
    assert sizes == [50, 25, 12, 6, 3, 2]
    million = roles(range(1, 1_000_001))
    assert len(only(HotKeys(), feedback(committed=200), million).after) == 200
    assert HotKeys().propose(feedback(committed=0), BROAD, Random(1)) == ()


def test_a_plateau_widens_around_the_pursued_near_cycle(snapshot: SnapshotAssertion) -> None:
    near_cycles = (near(7, 9), near(3, 4))
    narrow, _, _ = propose_all([HotKeys()], feedback(near_cycles=near_cycles), BROAD, Random(1))
    told = feedback(near_cycles=near_cycles, original=BROAD, stale=2)
    assert HotKeys().propose(told, narrow, Random(1)) == ()
    change = only(HotKeys(), replace(told, stale=3), narrow)
    assert len(change.after) == 32
    assert {7, 9} < set(change.after)
    assert change.reason == snapshot
    assert len(only(HotKeys(patience=2, widened=200), told, narrow).after) == 100
    assert HotKeys(patience=0).propose(replace(told, stale=99), narrow, Random(1)) == ()
    assert HotKeys().propose(replace(told, stale=9, original=None), narrow, Random(1)) == ()


# mix


def test_write_heavy_transactions_gain_below_one(snapshot: SnapshotAssertion) -> None:
    change = only(Mix(), feedback(concurrent_edges_per_txn=0.4))
    assert (change.target, change.before) == ("mix", {"writer": 1, "reader": 2, "mixed": 1})
    assert change.after == {"writer": 0.2857, "reader": 0.4762, "mixed": 0.2381}
    assert change.reason == snapshot


def test_read_only_transactions_lose_above_two(snapshot: SnapshotAssertion) -> None:
    change = only(Mix(), feedback(concurrent_edges_per_txn=2.5))
    assert change.after == {"writer": 0.2703, "reader": 0.4595, "mixed": 0.2703}
    assert change.reason == snapshot


@pytest.mark.parametrize("density", [1.0, 1.5, 2.0])
def test_the_mix_stays_in_between(density: float) -> None:
    assert Mix().propose(feedback(concurrent_edges_per_txn=density), BROAD, Random(1)) == ()


def test_thresholds_can_count_all_edges() -> None:
    given = feedback(concurrent_edges_per_txn=0.1, edges_per_txn=2.5)
    assert only(Mix(edges="all"), given).after["reader"] == 0.4595
    assert "2.5 edges per transaction" in only(Mix(edges="all"), given).reason


def test_no_transaction_falls_below_the_floor() -> None:
    workload = replace(BROAD, mix=(Weight("writer", 94), Weight("reader", 6), Weight("mixed", 0)))
    for _ in range(20):
        workload, _, _ = propose_all([Mix()], feedback(concurrent_edges_per_txn=9.0), workload, Random(1))
    assert current(workload, "mix") == {"writer": 0.95, "reader": 0.05, "mixed": 0.0}
    rare = replace(BROAD, mix=(Weight("writer", 99), Weight("reader", 1)))
    assert Mix().propose(feedback(concurrent_edges_per_txn=9.0), rare, Random(1)) == ()


def test_a_mix_of_writers_only_cannot_shift() -> None:
    workload = replace(BROAD, mix=(Weight("writer", 1),))
    assert Mix().propose(feedback(), workload, Random(1)) == ()


# scheduling


@pytest.mark.parametrize(
    ("density", "clients", "after"),
    [
        (0.5, 8, 10),
        (0.5, 31, 32),
        (0.5, 32, 32),
        (0.5, 40, 40),
        (2.0, 8, 8),
        (3.5, 8, 7),
        (3.5, 2, 2),
        (3.5, 1, 1),
    ],
)
def test_clients_follow_contention(density: float, clients: int, after: int) -> None:
    workload = replace(BROAD, scheduling=Scheduling(clients=clients))
    changed, made, _ = propose_all([Pace()], feedback(concurrent_edges_per_txn=density), workload, Random(1))
    assert changed.scheduling.clients == after
    assert len(made) == (after != clients)
    assert all(f"{after} clients instead of {clients}" in each.reason for each in made)


def test_a_barrier_once_near_cycles_appear(snapshot: SnapshotAssertion) -> None:
    calm = feedback(concurrent_edges_per_txn=2.0)
    assert Pace().propose(calm, BROAD, Random(1)) == ()
    change = only(Pace(), replace(calm, near_cycles=(near(1, 2),)))
    assert (change.target, change.before, change.after) == ("scheduling.barrier_every", 0, 25)
    assert change.reason == snapshot
    held = replace(BROAD, scheduling=Scheduling(barrier_every=5))
    assert Pace().propose(replace(calm, near_cycles=(near(1, 2),)), held, Random(1)) == ()


def test_aborts_call_for_no_more_pressure() -> None:
    """Edges are few because the database prevents them: more clients would only cause more aborts."""
    thin = feedback(concurrent_edges_per_txn=0.5, committed=1300, aborted=700)
    assert Pace().propose(thin, BROAD, Random(1)) == ()
    assert Mix().propose(thin, BROAD, Random(1)) == ()
    assert only(Pace(aborts=0.5), thin).after == 10
    assert only(Mix(aborts=0.5), thin).after["writer"] == 0.2857
    thick = replace(thin, concurrent_edges_per_txn=3.5)
    assert only(Pace(), thick).after == 7
    assert only(Mix(), thick).after["reader"] < 0.5


# schema-init


def test_only_the_first_iteration_creates_the_tables() -> None:
    change = only(SchemaInit(), feedback())
    assert (change.target, change.before, change.after) == ("init_schema", True, False)
    assert "1900 committed transactions" in change.reason
    assert SchemaInit().propose(feedback(), replace(BROAD, init_schema=False), Random(1)) == ()
    assert SchemaInit(keep=True).propose(feedback(), BROAD, Random(1)) == ()


# all of them


def test_nothing_committed_changes_neither_mix_nor_clients() -> None:
    nothing = feedback(committed=0)
    assert Mix().propose(nothing, BROAD, Random(1)) == ()
    assert Pace().propose(nothing, BROAD, Random(1)) == ()


def test_what_the_plugin_hands_over() -> None:
    classes: list[Any] = txfuzz_register_heuristics()
    assert [each.name for each in classes] == ["hot-keys", "mix", "scheduling", "schema-init"]
    for each in classes:
        assert isinstance(each(), Heuristic)
        assert each.about
        assert all(option.help for option in options_of(each))
    assert build(HotKeys, {"max_keys": 6}, "heuristic 'hot-keys'") == HotKeys(max_keys=6)
    with pytest.raises(UsageError, match="max_keys must be at least 2, found 1"):
        build(HotKeys, {"max_keys": 1}, "heuristic 'hot-keys'")
    with pytest.raises(UsageError, match="edges cannot be 'some'"):
        build(Mix, {"edges": "some"}, "heuristic 'mix'")


keys = st.integers(-5, 120)
near_cycles = st.builds(lambda missing, path, score: near(missing, *path, score=score),
                        keys, st.lists(keys, max_size=3), st.floats(0, 4))  # fmt: skip
pressures = st.builds(KeyPressure, st.one_of(keys, st.text(max_size=2)), *[st.integers(0, 50)] * 4)
feedbacks = st.builds(
    FeedbackResult,
    iteration=st.integers(0, 5),
    verdict=st.sampled_from(Verdict),
    committed=st.integers(0, 2000),
    edges_per_txn=st.floats(0, 10),
    concurrent_edges_per_txn=st.floats(0, 10),
    near_cycles=st.lists(near_cycles, max_size=15).map(tuple),
    key_pressure=st.lists(pressures, max_size=15).map(tuple),
)
few = st.lists(st.integers(1, 120), min_size=1, max_size=3, unique=True).map(tuple)
steps = st.builds(Step, st.sampled_from(["r", "append"]), st.builds(Choice, st.just(RANGE) | few))


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    count = draw(st.integers(1, 3))
    plain = [
        Transaction(f"t{number}", tuple(draw(st.lists(steps, min_size=1, max_size=4))))
        for number in range(count)
    ]
    weights = draw(st.lists(st.just(0.0) | st.floats(1e-6, 100), min_size=count, max_size=count))
    transactions = (*plain, WRITER, READER)
    mix = [Weight(each.name, weight) for each, weight in zip(plain, weights, strict=True)]
    scheduling = Scheduling(clients=draw(st.integers(1, 64)), barrier_every=draw(st.integers(0, 3)))
    return Workload("any", transactions, (*mix, Weight("reader", 1.0)), scheduling=scheduling)


@settings(max_examples=200, deadline=None)
@given(feedbacks, workloads(), st.integers(0, 3))
def test_any_feedback_gives_a_workload_that_can_run(
    given: FeedbackResult, workload: Workload, seed: int
) -> None:
    heuristics = [cls() for cls in txfuzz_register_heuristics()]
    state = randomness.getstate()
    changed, made, warnings = propose_all(heuristics, given, workload, Random(seed))
    assert warnings == ()
    assert propose_all(heuristics, given, workload, Random(seed)) == (changed, made, ())
    assert randomness.getstate() == state, "random numbers come from the argument alone"
    assert all(can_choose(each) for each in changed.transactions)
    assert sum(each.weight for each in changed.mix) > 0
    assert {each.txn for each in changed.mix if each.weight} == {
        each.txn for each in workload.mix if each.weight
    }
    assert 1 <= changed.scheduling.clients <= max(32, workload.scheduling.clients)
    assert all(each.before != each.after and each.reason for each in made)


def test_thousands_of_near_cycles() -> None:
    many = tuple(near(key % 50, (key * 7) % 50) for key in range(5000))
    [change, *_] = HotKeys().propose(feedback(near_cycles=many), BROAD, Random(1))
    assert len(change.after) == 4
