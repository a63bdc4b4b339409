"""Mutators with one defect each. Run by test_conformance.py."""

from __future__ import annotations

import random as global_random
import time
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from txfuzz import Adjustment
from txfuzz.feedback.adjustments import current
from txfuzz.testing import MutatorConformance

EVERYTHING = (
    "test_the_same_input_gives_the_same_answer",
    "test_it_draws_from_the_random_numbers_that_it_is_given",
    "test_it_changes_nothing_itself",
    "test_it_proposes_what_is_of_its_kind",
    "test_every_workload_that_comes_out_can_run",
    "test_every_adjustment_is_explained",
    "test_every_adjustment_is_data",
)


@dataclass(frozen=True)
class Wrong:
    name: ClassVar[str] = "wrong"
    about: ClassVar[str] = "does something wrong"
    kind: ClassVar[str] = "scheduling"

    def clients(self, workload: Any, after: Any, reason: str = "more clients press harder") -> Adjustment:
        return Adjustment("scheduling.clients", workload.scheduling.clients, after, reason, self.name)

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return None


class TestUnknownKind(MutatorConformance):
    caught_by = ("test_it_says_what_it_is",)

    class Odd(Wrong):
        kind: ClassVar[str] = "clients"

    mutator = Odd()


class TestThawed(MutatorConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass
    class Thawed:
        name: ClassVar[str] = "thawed"
        about: ClassVar[str] = "is no frozen dataclass"
        kind: ClassVar[str] = "keys"

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return None

    mutator = Thawed()


class TestRemembers(MutatorConformance):
    caught_by = ("test_the_same_input_gives_the_same_answer",)

    class Counts(Wrong):
        turns: ClassVar = count(3)

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, next(self.turns) % 10_000 + 1)

    mutator = Counts()


class TestDrawsFromElsewhere(MutatorConformance):
    caught_by = (
        "test_it_draws_from_the_random_numbers_that_it_is_given",
        "test_the_same_input_gives_the_same_answer",
    )

    class Elsewhere(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, global_random.randint(2, 1000))

    mutator = Elsewhere()


class TestWritesIntoTheWorkload(MutatorConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    class Writes(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            object.__setattr__(workload, "seed", workload.seed + 1)
            return None

    mutator = Writes()


class TestChangesWhatIsNotOfItsKind(MutatorConformance):
    caught_by = ("test_it_proposes_what_is_of_its_kind", "test_every_workload_that_comes_out_can_run")

    class Trespasses(Wrong):
        kind: ClassVar[str] = "keys"

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, 7)

    mutator = Trespasses()


class TestKeysOfOthers(MutatorConformance):
    caught_by = ("test_every_workload_that_comes_out_can_run",)

    class Everywhere(Wrong):
        kind: ClassVar[str] = "keys"

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            before = current(workload, "choices")
            after = [{**each, "keys": [70_001, 70_002, 70_003]} for each in before]
            return Adjustment("choices", before, after, "nobody has tried these", self.name)

    mutator = Everywhere()


class TestCannotBeTakenBack(MutatorConformance):
    """The same keys for all choices, which forgets which ones they had."""

    caught_by = ("test_a_change_can_be_taken_back",)

    class Levels(Wrong):
        kind: ClassVar[str] = "keys"

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            before = current(workload, "keys")
            if len(before) < 4 or len({len(each["keys"]) for each in current(workload, "choices")}) < 2:
                return None
            return Adjustment("keys", before, before[:4], "four keys are enough for all", self.name)

    mutator = Levels()


class TestGivesNoReason(MutatorConformance):
    caught_by = ("test_every_adjustment_is_explained",)

    class Silent(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, 7, "because")

    mutator = Silent()


class TestProposesASet(MutatorConformance):
    caught_by = ("test_every_adjustment_is_data",)

    class Sets(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, {1, 2})

    mutator = Sets()


class TestReturnsATuple(MutatorConformance):
    """As heuristics do."""

    caught_by = EVERYTHING

    class Tuple(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return (self.clients(workload, 7),)

    mutator = Tuple()


class TestNeverReturns(MutatorConformance):
    caught_by = EVERYTHING
    patience = 0.1

    class Hangs(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            while True:
                time.sleep(60)

    mutator = Hangs()
