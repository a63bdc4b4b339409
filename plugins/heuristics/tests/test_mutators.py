"""Our own mutators pass the public conformance tests, and do what their names say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from txfuzz import FeedbackResult, Verdict, Workload
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.feedback.mutators import Mutation, applicable, mutated
from txfuzz.testing import MutatorConformance
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.allowed_changes import EVERYTHING
from txfuzz.workload.directed import DirectedSchedule, Missing
from txfuzz.workload.model import FaultSpec, Scheduling, ThinkTime, Weight
from txfuzz_heuristics import txfuzz_register_mutators
from txfuzz_heuristics.mutators.keys import FewerKeys
from txfuzz_heuristics.mutators.mix import NearTransactions

SHIPPED = {cls.name: cls() for cls in txfuzz_register_mutators()}
TOLD = ("of nothing", "with a near-cycle", "with anomalies")  # only two look at what others differ in


@pytest.mark.parametrize("mutator", SHIPPED.values(), ids=SHIPPED)
class TestShipped(MutatorConformance):
    @pytest.fixture
    def subject(self, mutator: object) -> object:
        return mutator

    def cases(self) -> Iterator[tuple[str, FeedbackResult, Workload]]:
        return (
            case
            for case in super().cases()
            if case[0].startswith(tuple(f"feedback {told}," for told in TOLD))
        )


class TestFewerKeys(MutatorConformance):
    mutator = FewerKeys()


class TestNearTransactions(MutatorConformance):
    mutator = NearTransactions()


BOTH = Transaction(
    "both",
    (
        Step("r", Choice(range(1, 51), "a")),
        Step("append", Choice(range(51, 101), "b", ("a",))),
        Step("r", Ref("a")),
    ),
)
ONE = Transaction("one", (Step("append", Choice(range(51, 101))),))
WORKLOAD = Workload(
    "w", (BOTH, ONE), (Weight("both", 1.0), Weight("one", 1.0)), scheduling=Scheduling(8), mutate=EVERYTHING
)


def made(name: str, workload: Workload = WORKLOAD, seed: int = 1, **seen: Any) -> Mutation | None:
    feedback = FeedbackResult(0, Verdict.VALID, original=WORKLOAD, **seen)
    return mutated(SHIPPED[name], feedback, workload, Random(seed))


def next_workload(name: str, workload: Workload = WORKLOAD, seed: int = 1) -> Workload:
    mutation = made(name, workload, seed)
    assert mutation is not None
    return mutation.workload


def keys_of(workload: Workload, name: str) -> list[set[int]]:
    return [set(step.key.keys) for step in workload.transaction(name).steps if isinstance(step.key, Choice)]


def test_keys_are_narrowed_moved_and_widened_within_their_roles() -> None:
    few = next_workload("fewer-keys")
    read, written = keys_of(few, "both")
    assert (len(read), len(written)) == (8, 8)
    assert read <= set(range(1, 51)), "those that it reads"
    assert written <= set(range(51, 101)), "those that it writes"
    assert keys_of(few, "one") == [written], "choices of one set meet on the same keys"
    moved = keys_of(next_workload("other-keys", few, 2), "both")
    assert [len(keys) for keys in moved] == [8, 8]
    assert moved != [read, written]
    assert [len(keys) for keys in keys_of(next_workload("more-keys", few), "both")] == [32, 32]
    assert made("more-keys") is None, "it has all of its keys"


def test_transactions_are_reordered_with_their_choices() -> None:
    def shape(workload: Workload, name: str = "both") -> list[tuple[str | None, str | None]]:
        return [
            (step.f, step.key.name if isinstance(step.key, Choice | Ref) else None)
            for step in workload.transaction(name).steps
        ]

    orders = {tuple(shape(next_workload("write-first", seed=seed))) for seed in range(8)}
    assert orders == {
        (("append", "b"), ("r", "a"), ("r", "a")),
        (("r", "a"), ("r", "a"), ("append", "b")),
    }
    swapped = next(
        workload
        for workload in (next_workload("write-first", seed=seed) for seed in range(8))
        if shape(workload)[0] == ("append", "b")
    )
    first, second, third = swapped.transaction("both").steps
    assert first.key == Choice(range(51, 101), "b")
    assert second.key == Choice(range(1, 51), "a", ("b",)), "they must still differ"
    assert third.key == Ref("a")


def test_two_become_one_and_one_becomes_two() -> None:
    merged = next_workload("merge", seed=3)
    new = merged.transactions[-1]
    assert " + " in new.name
    assert len(new.steps) in (2, 4, 6)
    assert merged.mix[-1] == Weight(new.name, 1.0)
    split = next_workload("split")
    assert [each.name for each in split.transactions] == ["both", "one", "both, part 2"]
    assert sum(len(split.transaction(name).steps) for name in ("both", "both, part 2")) == 3


def test_only_what_the_workload_allows_is_applicable() -> None:
    own = replace(WORKLOAD, mutate=Workload("w", (), ()).mutate)
    kinds = {each.kind for each in applicable(tuple(SHIPPED.values()), own)}
    assert kinds == {"keys", "mix", "scheduling", "timing"}
    assert set(applicable(tuple(SHIPPED.values()), WORKLOAD)) == set(SHIPPED.values())


def test_pauses_come_and_go() -> None:
    thinking = next_workload("think-time")
    think = thinking.scheduling.think_time
    assert isinstance(think, ThinkTime)
    gone = {next_workload("think-time", thinking, seed).scheduling.think_time is None for seed in range(8)}
    assert gone == {True, False}


def test_faults_wait_for_what_directed_schedules_do_as_long_as_some_are_played() -> None:
    faults = (FaultSpec("kill-server", every=2.0), FaultSpec("pause-server", at=(1.0,)))
    workload = replace(WORKLOAD, faults=faults)
    schedule = DirectedSchedule((), (), Missing("rw", "both", "one"), 51)
    played, unplayed = DirectedOutcome(schedule, played=3), DirectedOutcome(schedule, reason="too long")
    assert made("fault-moments", workload) is None, "nobody would come to such a moment"
    assert made("fault-moments", workload, directed=(unplayed,)) is None
    seen = set()
    for seed in range(30):
        mutation = made("fault-moments", workload, seed, directed=(played,))
        assert mutation is not None
        changed = mutation.workload.faults
        assert [replace(each, when=None) for each in changed] == list(faults), "the times are kept"
        seen |= {(each.name, each.when) for each in changed if each.when is not None}
    assert seen == {(each.name, when) for each in faults for when in ("commit", "lock")}
    waiting = replace(workload, faults=(replace(faults[0], when="lock"),))
    released = made("fault-moments", waiting, directed=(unplayed,))
    assert released is not None
    assert released.workload.faults == faults[:1]
