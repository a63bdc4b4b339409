"""Strategies with one defect each. Run by test_conformance.py."""

from __future__ import annotations

import random as global_random
import time
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from txfuzz import Adjustment
from txfuzz.common.options import option
from txfuzz.feedback.adjustments import apply, current
from txfuzz.feedback.contract import Proposal
from txfuzz.feedback.mutators import applicable, mutated
from txfuzz.feedback.targets.choices import few_choices
from txfuzz.testing import StrategyConformance

EVERYTHING = (
    "test_it_answers_before_the_first_iteration_and_after_each",
    "test_what_it_proposes_can_be_done",
    "test_what_may_not_change_is_left_out_without_harm",
    "test_shown_the_same_it_decides_the_same",
    "test_it_draws_from_the_random_numbers_that_it_is_given",
    "test_it_changes_nothing_itself",
    "test_every_adjustment_is_explained",
    "test_every_adjustment_is_data",
    "test_heuristics_and_mutators_that_fail_do_not_stop_it",
)


@dataclass
class Wrong:
    name: ClassVar[str] = "wrong"
    about: ClassVar[str] = "does something wrong"
    blind: ClassVar[bool] = False

    def clients(self, situation: Any, after: Any, reason: str = "more clients press harder") -> Proposal:
        before = situation.workload.scheduling.clients
        return Proposal((Adjustment("scheduling.clients", before, after, reason, self.name),))

    def propose(self, situation: Any, random: Any) -> Any:
        return Proposal()


class TestDoesNotSayWhetherItIsBlind(StrategyConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass
    class Mute:
        name: ClassVar[str] = "mute"
        about: ClassVar[str] = "does not say whether it is blind"

        def propose(self, situation: Any, random: Any) -> Proposal:
            return Proposal()

    strategy = Mute()


class TestBlindWithCoverage(StrategyConformance):
    caught_by = ("test_it_says_what_it_is",)

    class Sees(Wrong):
        blind: ClassVar[bool] = True
        uses_coverage: ClassVar[bool] = True

    strategy = Sees()


class TestAnOptionOutOfItsRange(StrategyConformance):
    caught_by = ("test_it_says_what_it_is",)

    @dataclass
    class Few(Wrong):
        keys: int = option(1, "how many keys", least=2)

    strategy = Few()


class TestDividesByWhatCommitted(StrategyConformance):
    caught_by = ("test_it_answers_before_the_first_iteration_and_after_each",)

    class Divides(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            feedback = situation.feedback
            if feedback is None or feedback.aborted / feedback.committed < 0.5:
                return Proposal()
            return self.clients(situation, 2)

    strategy = Divides()


class TestSupposesFeedback(StrategyConformance):
    """There is none before the first iteration."""

    caught_by = EVERYTHING

    class Supposes(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            return self.clients(situation, 2 + situation.feedback.iteration)

    strategy = Supposes()


class TestReturnsATuple(StrategyConformance):
    caught_by = EVERYTHING

    class Tuple(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            return self.clients(situation, 7).adjustments

    strategy = Tuple()


class TestNeverReturns(StrategyConformance):
    caught_by = EVERYTHING
    patience = 0.1

    class Hangs(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            while True:
                time.sleep(60)

    strategy = Hangs()


class TestBeforeOfLongAgo(StrategyConformance):
    """It remembers what it set, not what is."""

    caught_by = ("test_what_it_proposes_can_be_done",)

    class Stale(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            feedback = situation.feedback
            before = 8 if feedback is None else 8 + feedback.iteration
            reason = "one client more each time"
            return Proposal((Adjustment("scheduling.clients", before, before + 1, reason, self.name),))

    strategy = Stale()


class TestKeysOfOthers(StrategyConformance):
    caught_by = ("test_what_it_proposes_can_be_done",)

    class Everywhere(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            before = current(situation.workload, "choices")
            after = [{**each, "keys": [70_001, 70_002, 70_003]} for each in before]
            return Proposal((Adjustment("choices", before, after, "nobody has tried these", self.name),))

    strategy = Everywhere()


class TestBuildsOnWhatMayBeLeftOut(StrategyConformance):
    """Its second change says what the keys are after its first one, which may not happen."""

    caught_by = ("test_what_may_not_change_is_left_out_without_harm",)

    class Builds(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            workload = situation.workload
            keys = current(workload, "keys")
            if situation.feedback is not None or len(keys) < 100:
                return Proposal()
            first = Adjustment("keys", keys, keys[:40], "forty keys are enough", self.name)
            narrowed = apply(workload, [first])
            few = few_choices(narrowed, 4, random)
            second = Adjustment("choices", current(narrowed, "choices"), few, "four are better", self.name)
            return Proposal((first, second))

    strategy = Builds()


class TestRemembersForAll(StrategyConformance):
    """What it remembers belongs to all campaigns of the process."""

    caught_by = ("test_shown_the_same_it_decides_the_same",)

    class Counts(Wrong):
        turns: ClassVar = count(3)

        def propose(self, situation: Any, random: Any) -> Any:
            return self.clients(situation, next(self.turns) % 10_000 + 1)

    strategy = Counts()


class TestDrawsFromElsewhere(StrategyConformance):
    caught_by = (
        "test_it_draws_from_the_random_numbers_that_it_is_given",
        "test_shown_the_same_it_decides_the_same",
    )

    class Elsewhere(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            return self.clients(situation, global_random.randint(2, 1000))

    strategy = Elsewhere()


class TestWritesIntoTheWorkload(StrategyConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    class Writes(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            object.__setattr__(situation.workload, "seed", situation.workload.seed + 1)
            return Proposal()

    strategy = Writes()


class TestEmptiesTheCoverage(StrategyConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    class Empties(Wrong):
        uses_coverage: ClassVar[bool] = True

        def propose(self, situation: Any, random: Any) -> Any:
            if situation.feedback is not None:
                situation.feedback.coverage.clear()
            return Proposal()

    strategy = Empties()


class TestCountsInItsOption(StrategyConformance):
    caught_by = ("test_it_changes_nothing_itself",)

    @dataclass
    class Counts(Wrong):
        step: int = option(1, "how many more clients each time", least=1)

        def propose(self, situation: Any, random: Any) -> Any:
            self.step += 1
            return self.clients(situation, self.step)

    strategy = Counts()


class TestGivesNoReason(StrategyConformance):
    caught_by = ("test_every_adjustment_is_explained",)

    class Silent(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            return self.clients(situation, 7, "because")

    strategy = Silent()


class TestSpeaksForAnother(StrategyConformance):
    """Who did not take part."""

    caught_by = ("test_every_adjustment_is_explained",)

    class Other(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            before = situation.workload.scheduling.clients
            return Proposal((Adjustment("scheduling.clients", before, 7, "it told me to", "another"),))

    strategy = Other()


class TestProposesASet(StrategyConformance):
    caught_by = ("test_every_adjustment_is_data",)

    class Sets(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            return self.clients(situation, {1, 2})

    strategy = Sets()


class TestLooksThoughBlind(StrategyConformance):
    caught_by = ("test_a_blind_one_does_not_look",)

    class Peeks(Wrong):
        blind: ClassVar[bool] = True

        def propose(self, situation: Any, random: Any) -> Any:
            feedback = situation.feedback
            return Proposal() if feedback is None else self.clients(situation, 2 + (feedback.aborted > 100))

    strategy = Peeks()


class TestTrustsMutators(StrategyConformance):
    caught_by = ("test_heuristics_and_mutators_that_fail_do_not_stop_it",)

    class Trusts(Wrong):
        def propose(self, situation: Any, random: Any) -> Any:
            feedback, workload = situation.feedback, situation.workload
            if feedback is None:
                return Proposal()
            for mutator in applicable(situation.mutators, feedback.original or workload):
                mutation = mutated(mutator, feedback, workload, random)
                if mutation is not None:
                    return Proposal((mutation.adjustment,))
            return Proposal()

    strategy = Trusts()
