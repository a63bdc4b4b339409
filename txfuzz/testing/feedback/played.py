"""Campaigns as a strategy sees them, without a database: decision after decision on sample feedback."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from txfuzz.analysis.dependencies.coverage import (
    CONTAINS,
    OVERLAPS,
    DangerousStructure,
    Feature,
    Refusal,
    StepDependency,
    TemplateStep,
)
from txfuzz.errors import TxfuzzError, UsageError
from txfuzz.feedback.adjustments import allowed, apply_all, current
from txfuzz.feedback.contract import Adjustment, FeedbackResult, Proposal, Situation
from txfuzz.feedback.strategies import uses_coverage
from txfuzz.feedback.targets.choices import few_choices
from txfuzz.workload.model import Workload

_MOST_FEATURES = 12  # in one iteration


@dataclass(frozen=True)
class Campaign:
    """What a strategy is shown: the workload, and one feedback after another, by description.

    proposers: the heuristics and mutators that it may ask. fixed: targets that may not change.
    """

    words: str
    workload: Workload
    feedbacks: Mapping[str, FeedbackResult]
    seed: int
    heuristics: tuple[Any, ...] = ()
    mutators: tuple[Any, ...] = ()
    fixed: Collection[str] = ()

    def told(self, strategy: Any) -> list[tuple[str, FeedbackResult | None]]:
        """The feedback of each decision, None first, with coverage for a strategy that uses it."""
        found: list[tuple[str, FeedbackResult | None]] = [(f"{self.words}, before the first iteration", None)]
        for number, (about, plain) in enumerate(self.feedbacks.items()):
            covered = features(self.workload, number) if uses_coverage(strategy) else {}
            feedback = replace(
                plain, iteration=number, original=self.workload, stale=number + 1, coverage=covered
            )
            found.append((f"{self.words}, iteration {number}, feedback {about}", feedback))
        return found


@dataclass(frozen=True)
class Decision:
    """error: why the proposal cannot be carried out; then following is the workload as it was."""

    words: str
    situation: Situation
    proposal: Proposal
    following: Workload
    error: TxfuzzError | None = None


def fresh(strategy: Any) -> Any:
    """Another object with the same options, which remembers nothing."""
    options = {
        each.name: getattr(strategy, each.name)
        for each in dataclasses.fields(strategy)
        if each.init and each.name[0] != "_"
    }
    return type(strategy)(**options)


def play(
    strategy: Any, campaign: Campaign, ask: Callable[[Any, Situation, Random], Proposal]
) -> Iterator[Decision]:
    """ask: calls the strategy."""
    workload = campaign.workload
    for number, (words, feedback) in enumerate(campaign.told(strategy)):
        situation = Situation(workload, feedback, campaign.heuristics, campaign.fixed, campaign.mutators)
        proposal = ask(strategy, situation, Random(f"{campaign.seed}/{number}"))
        error, following = None, workload
        try:
            free = (each for each in proposal.adjustments if each.target not in campaign.fixed)
            following, _, _ = apply_all(workload, allowed(free, campaign.workload), campaign.workload)
        except TxfuzzError as refused:
            error = refused
        yield Decision(words, situation, proposal, following, error)
        workload = following


def features(workload: Workload, number: int) -> Mapping[Feature, int]:
    """What iteration `number` might have covered; every fifth one nothing."""
    if number % 5 == 4:
        return {}
    steps = [
        TemplateStep(transaction.name, step)
        for transaction in workload.transactions
        for step in range(-1, len(transaction.steps))
    ]
    steps.append(TemplateStep("gone", 7))
    found: dict[Feature, int] = {}
    for at, source in enumerate(steps[number % 3 : number % 3 + _MOST_FEATURES]):
        target = steps[(at + number) % len(steps)]
        kind = ("wr", "ww", "rw")[(at + number) % 3]
        relation = (OVERLAPS, CONTAINS)[at % 2]
        found[StepDependency(kind, source, target, relation, first=at % 4 == 0)] = 1 + at * number
        found[Refusal(source, target)] = 1 + at
        found[DangerousStructure(source, target, target, source, last_first=at % 2 == 0)] = 1 + number
    return found


@dataclass(frozen=True)
class Fails:
    """A heuristic or mutator that fails, as the guard of a plugin reports it."""

    name: str = "fails"
    about: str = "fails"
    kind: str = "keys"

    def propose(self, feedback: Any, workload: Any, random: Any) -> Any:
        raise UsageError(f"mutator {self.name!r} failed: KeyError: 'lost'")


@dataclass(frozen=True)
class Changes:
    """A mutator that gives one target another value. changed: its value after → before, at random."""

    name: str
    kind: str
    target: str
    changed: Callable[[Workload, Random], Any]
    about: str = "changes one thing"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        before = current(workload, self.target)
        after = self.changed(workload, random)
        return Adjustment(self.target, before, after, f"a sample of changes to {self.target}", self.name)


def _weights(workload: Workload, random: Random) -> Mapping[str, float]:
    return {each.txn: each.weight * random.uniform(0.5, 2.0) for each in workload.mix}


MUTATORS: Sequence[Changes] = (
    Changes("few-keys", "keys", "choices", lambda workload, random: few_choices(workload, 3, random)),
    Changes("weights", "mix", "mix", _weights),
    Changes("clients", "scheduling", "scheduling.clients", lambda _, random: random.randint(1, 32)),
    Changes("stepped", "timing", "scheduling.sending", lambda _, random: "stepped"),
    Changes("rows", "rows", "keys.rows", lambda _, random: random.choice(["fresh", "inserted"])),
)


@dataclass(frozen=True)
class MoreClients:
    """A heuristic."""

    name: str = "more-clients"
    about: str = "adds clients"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        before = workload.scheduling.clients
        after = min(before + random.randint(1, 3), 64)
        reason = f"{feedback.aborted} of {feedback.transactions} transactions aborted"
        return (Adjustment("scheduling.clients", before, after, reason, self.name),)
