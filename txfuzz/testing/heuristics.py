"""Conformance tests for heuristics: subclass HeuristicConformance and run pytest."""

from __future__ import annotations

import copy
import dataclasses
import json
import random as global_random
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, ClassVar

import pytest

from txfuzz.errors import TxfuzzError
from txfuzz.feedback.adjustments import apply
from txfuzz.feedback.contract import Adjustment, FeedbackResult
from txfuzz.testing.feedback_samples import FEEDBACKS, WORKLOADS
from txfuzz.testing.sessions import PATIENCE, Later
from txfuzz.testing.subjects import KnownNames, check_identity, given
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text

SEEDS = range(2)
ROUNDS = 8  # iterations in a row, each on the workload left by the previous one
WORDS = 3  # in a sentence, at least


class HeuristicConformance:
    """A heuristic is pure, and whatever its input, its output can run and is explained.

        class TestMine(HeuristicConformance):
            heuristic = MyHeuristic()

    heuristic: class attribute or fixture. workloads, feedbacks: additional ones to try it on, keyed by
    a phrase that completes "a workload …", "feedback …". patience: seconds after which a call counts as
    hung.
    """

    heuristic: Any = None
    workloads: ClassVar[Mapping[str, Workload]] = {}
    feedbacks: ClassVar[Mapping[str, FeedbackResult]] = {}
    patience: ClassVar[float] = PATIENCE

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest) -> Any:
        return given(request, "heuristic", "propose")

    def cases(self) -> Iterator[tuple[str, FeedbackResult, Workload]]:
        """Every feedback with every workload, and a description of both."""
        for about, feedback in {**FEEDBACKS, **self.feedbacks}.items():
            for shape, workload in {**WORKLOADS, **self.workloads}.items():
                yield f"feedback {about}, a workload {shape}", feedback, workload

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

    def test_the_same_input_gives_the_same_answer(self, subject: Any) -> None:
        """Also later, and from another object with the same options."""
        cases = list(self.cases())
        first = [self.proposed(subject, feedback, workload, 7) for _, feedback, workload in cases]
        other = dataclasses.replace(subject)
        for (words, feedback, workload), answer in reversed(list(zip(cases, first, strict=True))):
            for each in (subject, other):
                again = self.proposed(each, feedback, workload, 7)
                assert again == answer, f"{words}: called twice, it proposed {answer!r} and {again!r}"

    def test_it_draws_from_the_random_numbers_that_it_is_given(self, subject: Any) -> None:
        for words, feedback, workload in self.cases():
            before = global_random.getstate()
            self.proposed(subject, feedback, workload)
            assert global_random.getstate() == before, f"{words}: it used the global random generator"

    def test_it_changes_nothing_itself(self, subject: Any) -> None:
        mine = list(self.cases())
        as_given = copy.deepcopy(mine)
        options = copy.deepcopy(subject)
        for (words, feedback, workload), known in zip(mine, as_given, strict=True):
            self.proposed(subject, feedback, workload)
            assert feedback == known[1], f"{words}: it changed the feedback that it was given"
            assert workload == known[2], f"{words}: it changed the workload that it was given"
            assert subject == options, f"{words}: it changed its own options"

    def test_every_workload_that_comes_out_can_run(self, subject: Any) -> None:
        ran: set[str] = set()
        for words, feedback, workload in self.cases():
            for seed in SEEDS:
                adjustments = self.proposed(subject, feedback, workload, seed)
                changed = _applied(f"{words}, seed {seed}", workload, adjustments)
                if repr(changed) not in ran:
                    ran.add(repr(changed))
                    _check_can_run(f"{words}, seed {seed}", changed)

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
                _check_can_run(f"{words}, after {ROUNDS} iterations", workload)

    def test_every_adjustment_is_explained(self, subject: Any) -> None:
        for words, feedback, workload in self.cases():
            for each in self.proposed(subject, feedback, workload):
                assert isinstance(each.reason, str), f"{words}: the reason {each.reason!r} is not text"
                assert len(each.reason.split()) >= WORDS, (
                    f"{words}: the reason {each.reason!r} for changing {each.target} is not a sentence"
                )
                assert "\n" not in each.reason, f"{words}: the reason {each.reason!r} has several lines"
                assert each.heuristic == subject.name, (
                    f"{words}: an adjustment of {subject.name!r} names {each.heuristic!r} as its heuristic"
                )

    def test_every_adjustment_is_data(self, subject: Any) -> None:
        for words, feedback, workload in self.cases():
            for each in self.proposed(subject, feedback, workload):
                for name, value in (("before", each.before), ("after", each.after)):
                    try:
                        json.dumps(value, allow_nan=False)
                    except (TypeError, ValueError) as error:
                        pytest.fail(f"{words}: `{name}` of {each.target} is not JSON data: {error}")

    def test_it_does_something_sometimes(self, subject: Any) -> None:
        """One that never proposes anything is useless, or no sample concerns it."""
        if not any(self.proposed(subject, feedback, workload) for _, feedback, workload in self.cases()):
            pytest.skip("it proposed nothing on any sample: set `feedbacks` or `workloads` that it reacts to")


def _applied(words: str, workload: Workload, adjustments: tuple[Adjustment, ...]) -> Workload:
    try:
        return apply(workload, adjustments)
    except TxfuzzError as error:
        pytest.fail(f"{words}: {error}")


def _check_can_run(words: str, workload: Workload) -> None:
    """Check that it can be written to a file and generates transactions."""
    try:
        read = parse_workload(workload_text(workload), "changed", KnownNames())
        assert read == workload, f"{words}: it reads back as a different one"
        asking = TransactionGenerator(workload, Random(1), KeySpace(workload.keys, 0, lambda keys: None))
        for _ in range(20):
            asking.next()
    except TxfuzzError as error:
        pytest.fail(f"{words}: {error}")
