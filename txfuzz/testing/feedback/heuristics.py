"""Conformance tests for heuristics: subclass HeuristicConformance and run pytest."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import Any

import pytest

from txfuzz.errors import TxfuzzError
from txfuzz.feedback.adjustments import apply
from txfuzz.feedback.contract import Adjustment, FeedbackResult
from txfuzz.testing.feedback.proposals import PureProposals, check_can_run, check_data, check_explained
from txfuzz.testing.sessions import Later
from txfuzz.testing.subjects import check_identity, given
from txfuzz.workload.model import Workload

SEEDS = range(2)
ROUNDS = 8  # iterations in a row, each on the workload left by the previous one


class HeuristicConformance(PureProposals):
    """A heuristic is pure, and whatever its input, its output can run and is explained.

        class TestMine(HeuristicConformance):
            heuristic = MyHeuristic()

    heuristic: class attribute or fixture. workloads, feedbacks: additional ones to try it on, keyed by
    a phrase that completes "a workload …", "feedback …". patience: seconds after which a call counts as
    hung.
    """

    heuristic: Any = None

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest) -> Any:
        return given(request, "heuristic", "propose")

    def proposed(
        self, heuristic: Any, feedback: FeedbackResult, workload: Workload, seed: int = 0
    ) -> tuple[Adjustment, ...]:
        """What it proposes, checked for type and time."""
        call = Later(lambda: heuristic.propose(feedback, workload, Random(seed)), self.patience)
        answer = call.result("propose()")
        assert isinstance(answer, tuple | list), (
            f"propose() returned {answer!r}, expected a tuple of adjustments"
        )
        for each in answer:
            assert isinstance(each, Adjustment), f"propose() returned {each!r}, expected a txfuzz.Adjustment"
        return tuple(answer)

    def test_it_says_what_it_is(self, subject: Any) -> None:
        check_identity(subject, "heuristic")

    def test_every_workload_that_comes_out_can_run(self, subject: Any) -> None:
        ran: set[str] = set()
        for words, feedback, workload in self.cases():
            for seed in SEEDS:
                adjustments = self.proposed(subject, feedback, workload, seed)
                changed = _applied(f"{words}, seed {seed}", workload, adjustments)
                if repr(changed) not in ran:
                    ran.add(repr(changed))
                    check_can_run(f"{words}, seed {seed}", changed)

    def test_iteration_after_iteration_can_run(self, subject: Any) -> None:
        ran: set[str] = set()
        for words, feedback, first in self.cases():
            workload = first
            for iteration in range(ROUNDS):
                told = dataclasses.replace(feedback, iteration=iteration)
                adjustments = self.proposed(subject, told, workload, iteration)
                workload = _applied(f"{words}, iteration {iteration}", workload, adjustments)
            if repr(workload) not in ran:
                ran.add(repr(workload))
                check_can_run(f"{words}, after {ROUNDS} iterations", workload)

    def test_every_adjustment_is_explained(self, subject: Any) -> None:
        for words, feedback, workload in self.cases():
            for each in self.proposed(subject, feedback, workload):
                check_explained(words, each, subject.name)

    def test_every_adjustment_is_data(self, subject: Any) -> None:
        for words, feedback, workload in self.cases():
            for each in self.proposed(subject, feedback, workload):
                check_data(words, each)

    def test_it_does_something_sometimes(self, subject: Any) -> None:
        """One that never proposes anything is useless, or no sample concerns it."""
        if not any(self.proposed(subject, feedback, workload) for _, feedback, workload in self.cases()):
            pytest.skip("it proposed nothing on any sample: set `feedbacks` or `workloads` that it reacts to")


def _applied(words: str, workload: Workload, adjustments: tuple[Adjustment, ...]) -> Workload:
    try:
        return apply(workload, adjustments)
    except TxfuzzError as error:
        pytest.fail(f"{words}: {error}")
