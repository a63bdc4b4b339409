"""What heuristics and mutators have in common: they are pure, and their proposals are explained data."""

from __future__ import annotations

import copy
import dataclasses
import json
import random as global_random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, ClassVar

import pytest

from txfuzz.errors import TxfuzzError
from txfuzz.feedback.contract import Adjustment, FeedbackResult
from txfuzz.testing.feedback.samples import FEEDBACKS, WORKLOADS
from txfuzz.testing.sessions import PATIENCE
from txfuzz.workload.generator import TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz.workload.yaml.writer import workload_text

WORDS = 3  # in a sentence, at least


class PureProposals(ABC):
    """Tried on every feedback with every workload."""

    workloads: ClassVar[Mapping[str, Workload]] = {}
    feedbacks: ClassVar[Mapping[str, FeedbackResult]] = {}
    patience: ClassVar[float] = PATIENCE

    def cases(self) -> Iterator[tuple[str, FeedbackResult, Workload]]:
        """Every feedback with every workload, and a description of both."""
        for about, feedback in {**FEEDBACKS, **self.feedbacks}.items():
            for shape, workload in {**WORKLOADS, **self.workloads}.items():
                yield f"feedback {about}, a workload {shape}", feedback, workload

    @abstractmethod
    def proposed(self, subject: Any, feedback: FeedbackResult, workload: Workload, seed: int = 0) -> Any:
        """What it proposes, checked for type and time."""

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


def check_explained(words: str, each: Adjustment, name: str, *others: str) -> None:
    """others: names under which it may propose besides its own."""
    assert isinstance(each.reason, str), f"{words}: the reason {each.reason!r} is not text"
    assert len(each.reason.split()) >= WORDS, (
        f"{words}: the reason {each.reason!r} for changing {each.target} is not a sentence"
    )
    assert "\n" not in each.reason, f"{words}: the reason {each.reason!r} has several lines"
    assert each.heuristic in (name, *others), (
        f"{words}: an adjustment of {name!r} names {each.heuristic!r} as its heuristic"
    )


def check_data(words: str, each: Adjustment) -> None:
    for name, value in (("before", each.before), ("after", each.after)):
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            pytest.fail(f"{words}: `{name}` of {each.target} is not JSON data: {error}")


def check_can_run(words: str, workload: Workload) -> None:
    """Check that it can be written to a file and generates transactions."""
    try:
        read = parse_workload(workload_text(workload), "changed", None)
        assert read == workload, f"{words}: it reads back as a different one"
        asking = TransactionGenerator(workload, Random(1), KeySpace(workload.keys, 0, lambda keys: None))
        for _ in range(20):
            asking.next()
    except TxfuzzError as error:
        pytest.fail(f"{words}: {error}")
