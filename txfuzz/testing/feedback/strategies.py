"""Conformance tests for strategies: subclass StrategyConformance and run pytest."""

from __future__ import annotations

import copy
import dataclasses
import random as global_random
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import pytest

from txfuzz.common.options import check as check_options
from txfuzz.errors import UsageError
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Proposal, Situation
from txfuzz.testing.feedback.played import MUTATORS, Campaign, Decision, Fails, MoreClients, fresh, play
from txfuzz.testing.feedback.proposals import check_can_run, check_data, check_explained
from txfuzz.testing.feedback.samples import FEEDBACKS, WORKLOADS, allowing_everything
from txfuzz.testing.sessions import PATIENCE, Later
from txfuzz.testing.subjects import check_identity, given
from txfuzz.workload.allowed_changes import KINDS
from txfuzz.workload.model import Workload

_CAMPAIGNS_OF_THEIR_OWN = 3  # whose owners allow one kind of change at a time
# Class of tests → a strategy and all its decisions
_PLAYED: WeakKeyDictionary[type, tuple[Any, list[Decision]]] = WeakKeyDictionary()


class StrategyConformance:
    """A strategy answers whatever it is shown, the same if it is shown the same, and stays within its bounds.

        class TestMine(StrategyConformance):
            strategy = MyStrategy()

    It is shown campaigns without a database: every feedback, one after another, on every workload, once with
    the usual changes allowed and once with all. strategy: class attribute or fixture; each campaign gets a
    new object with its options. workloads, feedbacks: additional ones, keyed by a phrase that completes
    "a workload …", "feedback …". heuristics, mutators: what it is given to ask, beside samples. patience:
    seconds after which a call counts as hung.
    """

    strategy: Any = None
    workloads: ClassVar[Mapping[str, Workload]] = {}
    feedbacks: ClassVar[Mapping[str, FeedbackResult]] = {}
    heuristics: ClassVar[Sequence[Any]] = ()
    mutators: ClassVar[Sequence[Any]] = ()
    patience: ClassVar[float] = PATIENCE

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest) -> Any:
        return given(request, "strategy", "propose")

    def campaigns(self) -> Iterator[Campaign]:
        """Two on each workload: with the usual changes allowed, and with all of them, the other way round."""
        feedbacks = {**FEEDBACKS, **self.feedbacks}
        backwards = dict(reversed(feedbacks.items()))
        heuristics, mutators = (MoreClients(), *self.heuristics), (*MUTATORS, *self.mutators)
        for shape, workload in {**WORKLOADS, **self.workloads}.items():
            words = f"a workload {shape}"
            yield Campaign(words, workload, feedbacks, 1, heuristics, mutators)
            free = allowing_everything(workload)
            yield Campaign(f"{words} that allows everything", free, backwards, 2, heuristics, mutators)

    def ask(self, strategy: Any, situation: Situation, random: Random) -> Proposal:
        """What it proposes, checked for type and time."""
        call = Later(lambda: strategy.propose(situation, random), self.patience)
        answer: object = call.result("propose()")
        assert isinstance(answer, Proposal), f"propose() returned {answer!r}, expected a txfuzz.Proposal"
        for each in answer.adjustments:
            assert isinstance(each, Adjustment), f"propose() returned {each!r}, expected a txfuzz.Adjustment"
        for sentence in (*answer.warnings, *answer.learnt):
            assert isinstance(sentence, str), f"propose() returned {sentence!r}, expected a sentence"
        return answer

    def played(self, subject: Any, campaign: Campaign) -> Iterator[Decision]:
        return play(fresh(subject), campaign, self.ask)

    def all_played(self, subject: Any) -> Sequence[Decision]:
        """Those of all campaigns, which are played once for several checks."""
        strategy, decisions = _PLAYED.get(type(self), (None, []))
        if not decisions or strategy != subject:
            decisions = [each for campaign in self.campaigns() for each in self.played(subject, campaign)]
            _PLAYED[type(self)] = subject, decisions
        return decisions

    def test_it_says_what_it_is(self, subject: Any) -> None:
        check_identity(subject, "strategy", frozen=False)
        name = subject.name
        blind = getattr(subject, "blind", None)
        assert isinstance(blind, bool), f"strategy {name!r} does not say whether it is `blind`"
        covers = getattr(subject, "uses_coverage", False)
        assert isinstance(covers, bool), f"`uses_coverage` of strategy {name!r} is {covers!r}, not a boolean"
        assert not (blind and covers), f"strategy {name!r} is blind, but asks for coverage"
        try:
            check_options(subject, f"strategy {name!r}")
        except UsageError as error:
            pytest.fail(str(error))

    def test_it_answers_before_the_first_iteration_and_after_each(self, subject: Any) -> None:
        """Whatever the feedback: nothing committed, one transaction, one key, thousands of near-cycles."""
        for campaign in self.campaigns():
            decisions = self.played(subject, campaign)
            words = f"{campaign.words}, before the first iteration"
            try:
                for decision in decisions:
                    words = f"the decision after: {decision.words}"
            except Exception as error:
                pytest.fail(f"{words}: {type(error).__name__}: {error}")

    def test_what_it_proposes_can_be_done(self, subject: Any) -> None:
        """`before` is the current value, and every workload that comes out can run."""
        ran: set[str] = set()
        for decision in self.all_played(subject):
            _check_done(decision)
            if repr(decision.following.transactions) not in ran:
                ran.add(repr(decision.following.transactions))
                check_can_run(decision.words, decision.following)

    def test_what_may_not_change_is_left_out_without_harm(self, subject: Any) -> None:
        """Changes that the workload's owner does not allow, and those that the campaign keeps fixed."""
        for campaign in list(self.campaigns())[1 : 2 * _CAMPAIGNS_OF_THEIR_OWN : 2]:
            targets: set[str] = set()
            for decision in self.played(subject, campaign):
                targets |= {each.target for each in decision.proposal.adjustments}
            for kinds in ((), *((kind,) for kind in KINDS)):
                words = f"{campaign.words} but {', '.join(kinds) or 'nothing'}"
                owned = dataclasses.replace(
                    campaign.workload, mutate=dataclasses.replace(campaign.workload.mutate, kinds=kinds)
                )
                narrow = dataclasses.replace(campaign, words=words, workload=owned)
                for decision in self.played(subject, narrow):
                    _check_done(decision)
            for target in sorted(targets):
                words = f"{campaign.words}, with {target} fixed"
                for decision in self.played(
                    subject, dataclasses.replace(campaign, words=words, fixed=(target,))
                ):
                    _check_done(decision)

    def test_shown_the_same_it_decides_the_same(self, subject: Any) -> None:
        """A campaign that is resumed shows a new object the earlier iterations again, in order; other
        campaigns may have run before."""
        known = {each.words: each.proposal for each in self.all_played(subject)}
        for campaign in reversed(list(self.campaigns())):
            for decision in self.played(subject, campaign):
                before, now = known[decision.words], decision.proposal
                assert now == before, f"{decision.words}: shown the same, it proposed {before!r} and {now!r}"

    def test_it_draws_from_the_random_numbers_that_it_is_given(self, subject: Any) -> None:
        before = global_random.getstate()
        for campaign in self.campaigns():
            for decision in self.played(subject, campaign):
                assert global_random.getstate() == before, (
                    f"{decision.words}: it used the global random generator"
                )

    def test_it_changes_nothing_itself(self, subject: Any) -> None:
        """Neither what it is shown nor its options."""

        def asked(strategy: Any, situation: Situation, random: Random) -> Proposal:
            shown = (situation.workload, situation.feedback and situation.feedback.coverage)
            known = copy.deepcopy(shown)
            proposal = self.ask(strategy, situation, random)
            assert shown == known, (
                f"{campaign.words}: it changed the workload or the coverage that it was shown"
            )
            return proposal

        known = copy.deepcopy({**FEEDBACKS, **self.feedbacks})
        for campaign in self.campaigns():
            strategy = fresh(subject)
            for decision in play(strategy, campaign, asked):
                for option in dataclasses.fields(subject):
                    if option.init and option.name[0] != "_":
                        assert getattr(strategy, option.name) == getattr(subject, option.name), (
                            f"{decision.words}: it changed its option {option.name!r}"
                        )
            assert known == campaign.feedbacks, f"{campaign.words}: it changed the feedback that it was shown"

    def test_every_adjustment_is_explained(self, subject: Any) -> None:
        """Under its own name, or that of the heuristic or mutator that proposed it."""
        for decision in self.all_played(subject):
            situation = decision.situation
            names = [each.name for asked in (situation.heuristics, situation.mutators) for each in asked]
            for each in decision.proposal.adjustments:
                check_explained(decision.words, each, subject.name, *names)

    def test_every_adjustment_is_data(self, subject: Any) -> None:
        for decision in self.all_played(subject):
            for each in decision.proposal.adjustments:
                check_data(decision.words, each)

    def test_a_blind_one_does_not_look(self, subject: Any) -> None:
        """Except at the number of the iteration."""
        if not subject.blind:
            pytest.skip("it looks at the feedback, and says so")
        for campaign in self.campaigns():
            others = dict(reversed(list(campaign.feedbacks.items())))
            turned = self.played(subject, dataclasses.replace(campaign, feedbacks=others))
            for decision, other in zip(self.played(subject, campaign), turned, strict=True):
                assert decision.proposal == other.proposal, (
                    f"{decision.words}: it is blind, but proposes something else after other feedback"
                )

    def test_heuristics_and_mutators_that_fail_do_not_stop_it(self, subject: Any) -> None:
        """Those of plugins may fail at any time; the guards around them raise a UsageError."""
        failing = (Fails(), *(Fails(f"fails-at-{kind}", kind=kind) for kind in KINDS))
        for campaign in self.campaigns():
            for heuristics, mutators in (
                ((Fails(), *campaign.heuristics), (*failing, *campaign.mutators)),
                ((), failing),
                ((), ()),
            ):
                asked = dataclasses.replace(campaign, heuristics=heuristics, mutators=mutators)
                words = campaign.words
                try:
                    for decision in self.played(subject, asked):
                        words = f"the decision after: {decision.words}"
                        _check_done(decision)
                except UsageError as error:
                    pytest.fail(f"{words}: it does not catch what a heuristic or mutator raises: {error}")

    def test_it_does_something_sometimes(self, subject: Any) -> None:
        """One that never proposes anything is a control, or no sample concerns it."""
        if not any(decision.proposal.adjustments for decision in self.all_played(subject)):
            pytest.skip("it proposed nothing on any sample: set `feedbacks` or `workloads` that it reacts to")


def _check_done(decision: Decision) -> None:
    if decision.error is not None:
        pytest.fail(f"{decision.words}: {decision.error}")
