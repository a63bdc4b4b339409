"""Whatever feedback does, no transaction comes to do what the workload of the campaign could not do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from any_workloads import KEYS, a_key, workloads
from txfuzz import Adjustment, FeedbackResult, Verdict, Workload
from txfuzz.analysis.result import Edge, KeyPressure, MissingEdge, NearCycle
from txfuzz.feedback.adjustments import current, propose_all
from txfuzz.feedback.key_choices import can_choose
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import Weight
from txfuzz_heuristics import txfuzz_register_heuristics

Possible = set[tuple[str, int, str | None, int]]  # transaction, step, what it does, logical key


def possible(workload: Workload) -> Possible:
    """Every micro-operation that the workload may ask."""
    found: Possible = set()
    asked = {each.txn for each in workload.mix if each.weight > 0}
    for transaction in workload.transactions:
        named: dict[str | None, Any] = {}
        for number, step in enumerate(transaction.steps):
            for term in step.key_terms():
                if isinstance(term, Choice):
                    named[term.name] = term.keys
            keys = (
                ()
                if step.key is None
                else named[step.key.name]
                if isinstance(step.key, Ref)
                else step.key.keys
            )
            if transaction.name in asked:
                found |= {(transaction.name, number, step.f, key) for key in keys}
    return found


@st.composite
def near_cycles(draw: st.DrawFn) -> NearCycle:
    path = tuple(
        Edge("rw", 0, 1, key=100 + key, logical_key=key)
        for key in draw(st.lists(a_key, min_size=1, max_size=3))
    )
    missing = MissingEdge("rw", 1, 0, draw(st.integers(1, KEYS + 5)), "t0", 0, "t0", 0)
    return NearCycle(draw(st.floats(0, 4)), path, missing, "G2-item", "repeatable-read", ())


pressures = st.builds(KeyPressure, st.integers(1, KEYS + 5), *[st.integers(0, 9)] * 4)
feedbacks = st.builds(
    FeedbackResult,
    iteration=st.integers(0, 5),
    verdict=st.sampled_from(Verdict),
    committed=st.integers(0, 60),
    aborted=st.integers(0, 60),
    concurrent_edges_per_txn=st.sampled_from([0.0, 0.5, 2.5, 9.0]),
    near_cycles=st.lists(near_cycles(), max_size=4).map(tuple),
    key_pressure=st.lists(pressures, max_size=6).map(tuple),
    failed_replays=st.dictionaries(a_key, st.integers(0, 3), max_size=3),
    stale=st.integers(0, 5),
)


@dataclass(frozen=True)
class Proposes:
    """A heuristic of somebody else, which proposes what it was given."""

    name: ClassVar[str] = "proposes"
    about: ClassVar[str] = "proposes anything"
    keys: tuple[int, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        wanted = {"keys": list(self.keys), "mix": self.weights}
        return tuple(
            Adjustment(target, current(workload, target), after, "it may be worth a try", self.name)
            for target, after in wanted.items()
            if after
        )


strangers = st.builds(
    Proposes,
    st.lists(st.integers(1, KEYS + 10), max_size=8).map(tuple),
    st.dictionaries(st.sampled_from(["t0", "t1", "t2"]), st.sampled_from([0.0, 0.5, 2.0]), max_size=3),
)
SHIPPED = [cls() for cls in txfuzz_register_heuristics()]


def check_roles(began: Workload, now: Workload) -> None:
    assert possible(now) <= possible(began)
    assert all(map(can_choose, now.transactions)), "choices that must differ still can"
    assert [each.name for each in now.transactions] == [each.name for each in began.transactions]
    allowed = possible(began)
    asking = TransactionGenerator(now, Random(1), KeySpace(now.keys, 0, lambda keys: None))
    for _ in range(5):
        asked = asking.next()
        steps = began.transaction(asked.name).steps
        done = zip(asked.numbers, asked.logical, strict=True)
        assert {(asked.name, number, steps[number].f, key) for number, key in done} <= allowed


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(workloads(), st.lists(feedbacks, min_size=1, max_size=4), st.integers(0, 3))
def test_shipped_heuristics_keep_roles(began: Workload, course: list[FeedbackResult], seed: int) -> None:
    workload = began
    for each in course:
        told = replace(each, original=began)
        workload, _, warnings = propose_all(SHIPPED, told, workload, Random(seed))
        assert warnings == (), "what they propose needs no correction"
        check_roles(began, workload)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(workloads(), st.lists(st.tuples(feedbacks, strangers), min_size=1, max_size=4), st.booleans())
def test_heuristics_of_others_are_held_to_roles(
    began: Workload, course: list[tuple[FeedbackResult, Proposes]], told_of_the_beginning: bool
) -> None:
    workload = began
    for each, stranger in course:
        told = replace(each, original=began) if told_of_the_beginning else each
        outside = set(stranger.keys) - set(began.logical_keys())
        given_weight = {name for name, weight in stranger.weights.items() if weight}
        changed, made, warnings = propose_all([stranger, *SHIPPED], told, workload, Random(1))
        check_roles(began, changed)
        if outside:
            assert any("'proposes'" in warning for warning in warnings), "and that is said"
        if given_weight - {each.txn for each in began.mix if each.weight}:
            assert any("'proposes'" in warning for warning in warnings)
        for one in made:
            assert one.target != "keys" or set(one.after) <= set(began.logical_keys())
        workload = changed


def test_the_sentence_names_the_heuristic_and_the_keys(snapshot: SnapshotAssertion) -> None:
    began = Workload("w", (Transaction("t", (Step("r", Choice((1, 2, 3))),)),), (Weight("t", 1),))
    told = FeedbackResult(0, Verdict.VALID)
    _, _, [said] = propose_all([Proposes((1, 2, 9))], told, began, Random(1))
    assert said == snapshot(name="left out")
    unchanged, made, [refused] = propose_all([Proposes((8, 9))], told, began, Random(1))
    assert (unchanged, made) == (began, ())
    assert refused == snapshot(name="skipped")
