"""Whatever mutators make of a workload, the adjustments in between lead there and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from txfuzz.analysis.result import Verdict
from txfuzz.common.kind import Kind
from txfuzz.feedback.adjustments import apply
from txfuzz.feedback.contract import FeedbackResult
from txfuzz.feedback.learning.difference import changed_to, difference
from txfuzz.feedback.mutators import applicable, mutated
from txfuzz.plugin.loader import load_plugins
from txfuzz.testing.small_run import pressing
from txfuzz.workload.allowed_changes import EVERYTHING, AllowedChanges
from txfuzz.workload.model import Workload

MUTATORS = tuple(entry.value() for entry in load_plugins().all("mutator"))


def walked(original: Workload, seed: int, steps: int) -> Workload:
    random, workload = Random(seed), original
    feedback = FeedbackResult(0, Verdict.VALID, 100, 90, 10, original=original)
    for _ in range(steps):
        found = mutated(random.choice(applicable(MUTATORS, original)), feedback, workload, random)
        workload = workload if found is None else found.workload
    return workload


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 6), st.booleans())
def test_it_leads_from_any_mutant_to_any_other(one: int, other: int, steps: int, structure: bool) -> None:
    original = pressing(Kind.LIST_APPEND)
    if structure:
        original = replace(original, mutate=EVERYTHING)
    here, there = walked(original, one, steps), walked(original, other, 3)
    between = difference(here, there, original, "why", "learning")
    assert apply(here, between, original) == there
    assert {(each.reason, each.heuristic) for each in between} <= {("why", "learning")}
    assert difference(there, there, original, "why", "learning") == ()


def test_what_the_owner_does_not_allow_stays() -> None:
    original = replace(pressing(Kind.LIST_APPEND), mutate=AllowedChanges(("mix",)))
    other = replace(original, scheduling=replace(original.scheduling, clients=3))
    assert difference(original, other, original, "why", "learning") == ()
    assert changed_to(original, "scheduling.clients", 3, original) == original
