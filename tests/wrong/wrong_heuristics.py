"""Heuristics with one defect each. Run by test_conformance.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import wrong_proposals as wrong
from txfuzz import Adjustment
from txfuzz.feedback.adjustments import current
from txfuzz.testing import HeuristicConformance

EVERYTHING = (*wrong.ALIKE, "test_iteration_after_iteration_can_run")


@dataclass(frozen=True)
class Wrong(wrong.Wrong):
    def answer(self, adjustment: Adjustment | None) -> tuple[Adjustment, ...]:
        return () if adjustment is None else (adjustment,)


def heuristic_with(defect: type[wrong.Wrong]) -> Any:
    return dataclass(frozen=True)(type(defect.__name__, (defect, Wrong), {}))()


class TestUnexplainedOption(HeuristicConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass(frozen=True)
    class Odd(Wrong):
        most: int = 5

    heuristic = Odd()


class TestThawed(HeuristicConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass
    class AnyTime(wrong.Thawed):
        pass

    heuristic = AnyTime()


class TestRemembers(HeuristicConformance):
    caught_by = (wrong.CONSTANT,)
    heuristic = heuristic_with(wrong.Counts)


class TestDrawsFromElsewhere(HeuristicConformance):
    caught_by = (wrong.OWN_RANDOM, wrong.CONSTANT)
    heuristic = heuristic_with(wrong.Elsewhere)


class TestWritesIntoTheFeedback(HeuristicConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    class Writes(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            feedback.failed_replays[1] = feedback.failed_replays.get(1, 0) + 1
            return ()

    heuristic = Writes()


class TestWritesIntoTheWorkload(HeuristicConformance):
    caught_by = (wrong.CHANGES_NOTHING,)
    heuristic = heuristic_with(wrong.WritesIntoTheWorkload)


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
    caught_by = (wrong.EXPLAINED,)
    heuristic = heuristic_with(wrong.Silent)


class TestSpeaksForAnother(HeuristicConformance):
    caught_by = ("test_every_adjustment_is_explained",)

    class Other(Wrong):
        def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
            before = workload.scheduling.clients
            return (Adjustment("scheduling.clients", before, 7, "it told me to do so", "another"),)

    heuristic = Other()


class TestProposesASet(HeuristicConformance):
    caught_by = (wrong.IS_DATA,)
    heuristic = heuristic_with(wrong.Sets)


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
    heuristic = heuristic_with(wrong.Hangs)
