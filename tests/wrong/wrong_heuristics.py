"""Heuristics with one defect each. Run by test_conformance.py."""

from __future__ import annotations

import random as global_random
import time
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from txfuzz import Adjustment
from txfuzz.feedback.adjustments import current
from txfuzz.testing import HeuristicConformance

EVERYTHING = (
    "test_the_same_input_gives_the_same_answer",
    "test_it_draws_from_the_random_numbers_that_it_is_given",
    "test_it_changes_nothing_itself",
    "test_every_workload_that_comes_out_can_run",
    "test_iteration_after_iteration_can_run",
    "test_every_adjustment_is_explained",
    "test_every_adjustment_is_data",
)


@dataclass(frozen=True)
class Wrong:
    name: ClassVar[str] = "wrong"
    about: ClassVar[str] = "does something wrong"

    def clients(
        self, workload: Any, after: Any, reason: str = "more clients press harder"
    ) -> tuple[Any, ...]:
        before = workload.scheduling.clients
        return (Adjustment("scheduling.clients", before, after, reason, self.name),)

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        return ()


class TestUnexplainedOption(HeuristicConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass(frozen=True)
    class Odd(Wrong):
        most: int = 5

    heuristic = Odd()


class TestThawed(HeuristicConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass
    class Thawed:
        name: ClassVar[str] = "thawed"
        about: ClassVar[str] = "is no frozen dataclass"

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return ()

    heuristic = Thawed()


class TestRemembers(HeuristicConformance):
    caught_by = ("test_the_same_input_gives_the_same_answer",)

    class Counts(Wrong):
        turns: ClassVar = count(3)

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, next(self.turns))

    heuristic = Counts()


class TestDrawsFromElsewhere(HeuristicConformance):
    caught_by = (
        "test_it_draws_from_the_random_numbers_that_it_is_given",
        "test_the_same_input_gives_the_same_answer",
    )

    class Elsewhere(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, global_random.randint(2, 1000))

    heuristic = Elsewhere()


class TestWritesIntoTheFeedback(HeuristicConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    class Writes(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            feedback.failed_replays[1] = feedback.failed_replays.get(1, 0) + 1
            return ()

    heuristic = Writes()


class TestWritesIntoTheWorkload(HeuristicConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    class Writes(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            object.__setattr__(workload, "seed", workload.seed + 1)
            return ()

    heuristic = Writes()


class TestWritesIntoItself(HeuristicConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    @dataclass(frozen=True)
    class Writes(Wrong):
        turns: int = 0

        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            object.__setattr__(self, "turns", self.turns + 1)
            return ()

    heuristic = Writes()


class TestOneKey(HeuristicConformance):
    caught_by = ("test_every_workload_that_comes_out_can_run",)

    class OneKey(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            keys = [each.key for each in feedback.key_pressure[:1]]
            if not keys:
                return ()
            return (Adjustment("keys", current(workload, "keys"), keys, "it is pressed hardest", self.name),)

    heuristic = OneKey()


class TestKeysThatNoWorkloadHas(HeuristicConformance):
    caught_by = ("test_every_workload_that_comes_out_can_run",)

    class AnyKey(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            before = current(workload, "keys")
            return (Adjustment("keys", before, [-1, 0, 1, 2], "nobody has tried these", self.name),)

    heuristic = AnyKey()


class TestFewerAndFewerClients(HeuristicConformance):
    caught_by = ("test_iteration_after_iteration_can_run",)

    class Fewer(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, workload.scheduling.clients - 1)

    heuristic = Fewer()


class TestSpeaksOfWhatIsNot(HeuristicConformance):
    caught_by = ("test_every_workload_that_comes_out_can_run",)

    class Mistaken(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return (Adjustment("scheduling.clients", 12345, 8, "that is too many", self.name),)

    heuristic = Mistaken()


class TestGivesNoReason(HeuristicConformance):
    caught_by = ("test_every_adjustment_is_explained",)

    class Silent(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return self.clients(workload, 7, "because")

    heuristic = Silent()


class TestSpeaksForAnother(HeuristicConformance):
    caught_by = ("test_every_adjustment_is_explained",)

    class Other(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            before = workload.scheduling.clients
            return (Adjustment("scheduling.clients", before, 7, "it told me to do so", "another"),)

    heuristic = Other()


class TestProposesASet(HeuristicConformance):
    caught_by = ("test_every_adjustment_is_data",)

    class Sets(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            before = current(workload, "keys")
            return (Adjustment("keys", before, {1, 2, 3, 4}, "these are pressed hardest", self.name),)

    heuristic = Sets()


class TestReturnsNothing(HeuristicConformance):
    caught_by = EVERYTHING

    class Nothing(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return None

    heuristic = Nothing()


class TestReturnsText(HeuristicConformance):
    caught_by = EVERYTHING

    class Text(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            return ("more clients",)

    heuristic = Text()


class TestNeverReturns(HeuristicConformance):
    caught_by = EVERYTHING
    patience = 0.1

    class Hangs(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            while True:
                time.sleep(60)

    heuristic = Hangs()
