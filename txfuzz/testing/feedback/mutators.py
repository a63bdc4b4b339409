"""Conformance tests for mutators: subclass MutatorConformance and run pytest."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from txfuzz.errors import TxfuzzError
from txfuzz.feedback.adjustments import apply, current
from txfuzz.feedback.contract import Adjustment, FeedbackResult
from txfuzz.feedback.mutators import Mutation, mutated
from txfuzz.feedback.targets.choices import few_choices
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.testing.feedback.proposals import PureProposals, check_can_run, check_data, check_explained
from txfuzz.testing.feedback.samples import allowing_everything
from txfuzz.testing.sessions import Later
from txfuzz.testing.subjects import check_identity, given
from txfuzz.workload.allowed_changes import KINDS
from txfuzz.workload.model import Workload

SEEDS = range(2)
ROUNDS = 4  # changes in a row
_MANY = 100  # keys


class MutatorConformance(PureProposals):
    """A mutator is pure, and proposes one change of its kind that can run and be taken back.

        class TestMine(MutatorConformance):
            mutator = MyMutator()

    mutator: class attribute or fixture. workloads, feedbacks: additional ones to try it on, keyed by a
    phrase that completes "a workload …", "feedback …". All workloads allow every kind of change. patience:
    seconds after which a call counts as hung.
    """

    mutator: Any = None

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest) -> Any:
        return given(request, "mutator", "propose")

    def cases(self) -> Iterator[tuple[str, FeedbackResult, Workload]]:
        narrowed: set[str] = set()
        for words, feedback, plain in super().cases():
            workload = allowing_everything(plain)
            told = dataclasses.replace(feedback, original=workload)
            yield words, told, workload
            about = words.partition(",")[0]
            if about not in narrowed and len(workload.logical_keys()) >= _MANY:
                narrowed.add(about)
                few = few_choices(workload, 3, Random(1))
                narrow = Adjustment("choices", current(workload, "choices"), few, "", "samples")
                yield f"{words}, narrowed to three", told, apply(workload, [narrow])

    def proposed(
        self, mutator: Any, feedback: FeedbackResult, workload: Workload, seed: int = 0
    ) -> Adjustment | None:
        """What it proposes, checked for type and time."""
        call = Later(lambda: mutator.propose(feedback, workload, Random(seed)), self.patience)
        answer: object = call.result("propose()")
        assert answer is None or isinstance(answer, Adjustment), (
            f"propose() returned {answer!r}, expected a txfuzz.Adjustment or None"
        )
        return answer

    def all_proposed(self, mutator: Any) -> Iterator[tuple[str, Adjustment]]:
        """What it proposes in every case that has something for it."""
        for words, feedback, workload in self.cases():
            for seed in SEEDS:
                answer = self.proposed(mutator, feedback, workload, seed)
                if answer is not None:
                    yield f"{words}, seed {seed}", answer

    def test_it_says_what_it_is(self, subject: Any) -> None:
        check_identity(subject, "mutator")
        kind = getattr(subject, "kind", None)
        assert kind in KINDS, (
            f"the kind of mutator {subject.name!r} is {kind!r}, not one of {', '.join(KINDS)}"
        )

    def test_it_proposes_what_is_of_its_kind(self, subject: Any) -> None:
        for words, each in self.all_proposed(subject):
            assert each.target in TARGETS, f"{words}: there is no target {each.target!r}"
            kind = TARGETS[each.target].kind
            assert kind == subject.kind, (
                f"{words}: {subject.name!r} is for changes of {subject.kind}, but changes {each.target}, "
                f"which is of the kind {kind}"
            )

    def test_every_workload_that_comes_out_can_run(self, subject: Any) -> None:
        """Change after change."""
        ran: set[str] = set()
        for words, feedback, first in self.cases():
            workload = first
            for turn in range(ROUNDS):
                made = self.made(f"{words}, change {turn}", subject, feedback, workload, turn)
                workload = workload if made is None else made.workload
            if workload != first and repr(workload) not in ran:
                ran.add(repr(workload))
                check_can_run(f"{words}, after {ROUNDS} changes", workload)

    def test_a_change_can_be_taken_back(self, subject: Any) -> None:
        """By the same adjustment the other way round, which a strategy does with what brought nothing."""
        for words, feedback, workload in self.cases():
            made = self.made(words, subject, feedback, workload, 0)
            if made is None:
                continue
            there = made.adjustment
            back = dataclasses.replace(there, before=there.after, after=there.before)
            try:
                again = apply(made.workload, [back], feedback.original)
            except TxfuzzError as error:
                pytest.fail(f"{words}: its change cannot be taken back: {error}")
            assert again == workload, f"{words}: taken back, its change leaves another workload"

    def test_every_adjustment_is_explained(self, subject: Any) -> None:
        for words, each in self.all_proposed(subject):
            check_explained(words, each, subject.name)

    def test_every_adjustment_is_data(self, subject: Any) -> None:
        for words, each in self.all_proposed(subject):
            check_data(words, each)

    def test_it_does_something_sometimes(self, subject: Any) -> None:
        """One that never proposes anything is useless, or no sample concerns it."""
        if not any(True for _ in self.all_proposed(subject)):
            pytest.skip("it proposed nothing on any sample: set `feedbacks` or `workloads` that it reacts to")

    def made(
        self, words: str, mutator: Any, feedback: FeedbackResult, workload: Workload, seed: int
    ) -> Mutation | None:
        """The workload with what it proposes; a failure if that is not valid."""
        call = Later(lambda: mutated(mutator, feedback, workload, Random(seed)), self.patience)
        try:
            return call.result("propose()")
        except TxfuzzError as error:
            pytest.fail(f"{words}: {error}")
