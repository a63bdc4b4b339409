"""Mutators with one defect each. Run by test_conformance.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import wrong_proposals as wrong
from txfuzz import Adjustment
from txfuzz.feedback.adjustments import current
from txfuzz.testing import MutatorConformance

EVERYTHING = (*wrong.ALIKE, "test_it_proposes_what_is_of_its_kind")


@dataclass(frozen=True)
class Wrong(wrong.Wrong):
    kind: ClassVar[str] = "scheduling"

    def answer(self, adjustment: Adjustment | None) -> Adjustment | None:
        return adjustment


def mutator_with(defect: type[wrong.Wrong]) -> Any:
    return dataclass(frozen=True)(type(defect.__name__, (defect, Wrong), {}))()


class TestUnknownKind(MutatorConformance):
    caught_by = ("test_it_says_what_it_is",)

    class Odd(Wrong):
        kind: ClassVar[str] = "clients"

    mutator = Odd()


class TestThawed(MutatorConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass
    class AnyTime(wrong.Thawed):
        pass

    mutator = AnyTime()


class TestRemembers(MutatorConformance):
    caught_by = (wrong.CONSTANT,)
    mutator = mutator_with(wrong.Counts)


class TestDrawsFromElsewhere(MutatorConformance):
    caught_by = (wrong.OWN_RANDOM, wrong.CONSTANT)
    mutator = mutator_with(wrong.Elsewhere)


class TestWritesIntoTheWorkload(MutatorConformance):
    caught_by = (wrong.CHANGES_NOTHING,)
    mutator = mutator_with(wrong.WritesIntoTheWorkload)


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
    caught_by = (wrong.EXPLAINED,)
    mutator = mutator_with(wrong.Silent)


class TestProposesASet(MutatorConformance):
    caught_by = (wrong.IS_DATA,)
    mutator = mutator_with(wrong.Sets)


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
    mutator = mutator_with(wrong.Hangs)
