"""The strategy `learning`: from narrow to wide, by coverage, corpus, energy and credit.

It begins where static settings are best, with a few keys of each choice, in short iterations, under each load
profile once. From then on every third iteration runs a neighbour of a workload that reached something first:
one or two mutators change it, chosen by what they have brought so far. What nobody had seen before goes into
the corpus. Four things are watched besides:

- no contact: no two transactions that overlapped depend on each other → fewer keys;
- too much of it: most transactions are refused → fewer clients, or more keys;
- a plateau: several iterations without anything new → longer iterations, other keys, from the narrow start;
- the narrow start is run again in the other iterations, on other keys and under the next load profile, since
  a rare defect may need nothing but repetition, and no load is best for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from types import MappingProxyType
from typing import ClassVar

from txfuzz.analysis.dependencies.coverage import DangerousStructure
from txfuzz.analysis.result import NearCycle
from txfuzz.common.options import option
from txfuzz.common.sentences import counted
from txfuzz.errors import PluginError, UsageError
from txfuzz.feedback.contract import FeedbackResult, Proposal, Situation
from txfuzz.feedback.directed.adjustments import directed_adjustments
from txfuzz.feedback.directed.pursuer import Pursuer
from txfuzz.feedback.key_choices import choice_sets
from txfuzz.feedback.learning.corpus import Corpus, CorpusEntry
from txfuzz.feedback.learning.coverage_map import CoverageMap, worth
from txfuzz.feedback.learning.credit import PER, Credit
from txfuzz.feedback.learning.difference import changed_to, difference
from txfuzz.feedback.learning.load_profiles import LOAD_PROFILES
from txfuzz.feedback.mutators import Mutation, applicable, mutated
from txfuzz.feedback.strategy_names import LEARNING
from txfuzz.feedback.targets.choices import few_choices
from txfuzz.workload.model import Workload

_TWICE = 0.3  # how often a second mutator follows
_MOST_NEAR = 4.0  # of what structures near a cycle add to what is new
_FEWEST = 2  # keys
_TOLD = 3  # mutators
_UNCHANGED: Mapping[str, str] = MappingProxyType({})
_MOST = 2_000  # transactions, in place of a duration

_AGAIN = "the narrow start runs again, on other keys"
_NO_CONTACT = (
    "no two transactions that overlapped depend on each other, so each choice keeps half of its keys"
)


@dataclass(frozen=True)
class _Made:
    """Where the workload of an iteration comes from. by: the mutators that made it of its parent."""

    parent: int | None = None
    by: tuple[str, ...] = ()


@dataclass
class _Memory:
    covered: CoverageMap = field(default_factory=CoverageMap)
    corpus: Corpus = field(default_factory=Corpus)
    credit: Credit = field(default_factory=lambda: Credit({}))
    start: Workload | None = None  # the first one, with its few keys
    made: dict[int, _Made] = field(default_factory=dict)  # by iteration, until that has ended
    since_new: int = 0  # iterations
    new: int = 0  # features, in the last iteration
    iterations: int = 0
    starts: int = 0  # how often the narrow start has run
    pursuer: Pursuer = field(default_factory=Pursuer)


@dataclass
class Learning:
    """The options are public fields; what it remembers of its campaign is not."""

    name: ClassVar[str] = LEARNING
    about: ClassVar[str] = "learns which changes reach something new, from a few keys to many"
    blind: ClassVar[bool] = False
    uses_coverage: ClassVar[bool] = True

    keys: int = option(4, "how many keys each choice begins with, or more if they must differ", least=2)
    transactions: int = option(100, "transactions of the first iterations", least=1)
    patience: int = option(6, "iterations without anything new after which they become longer", least=1)
    mutate_every: int = option(
        3, "every how many iterations mutators change a workload, and not the narrow start runs", least=1
    )
    most_refused: float = option(
        0.8, "share of refused transactions above which there are fewer clients", least=0.0
    )
    directed: bool = option(True, "whether sessions of their own play schedules of near-cycles")

    def __post_init__(self) -> None:
        self._memory = _Memory()

    @property
    def corpus(self) -> Corpus:
        return self._memory.corpus

    @property
    def covered(self) -> CoverageMap:
        return self._memory.covered

    @property
    def credit(self) -> Credit:
        """By mutator."""
        return self._memory.credit

    def pursued(self, near_cycles: Sequence[NearCycle]) -> int | None:
        """See txfuzz.feedback.contract.Pursuing."""
        return self._memory.pursuer.choose(near_cycles) if self.directed else None

    def propose(self, situation: Situation, random: Random) -> Proposal:
        feedback = situation.feedback
        if feedback is None:
            return self._opening(situation, random)
        self._memory.pursuer.note(feedback.directed, feedback.iteration)
        self._learn(situation.workload, feedback)
        original = feedback.original or situation.workload
        refused = feedback.aborted / max(feedback.transactions, 1)
        alone = situation.workload.scheduling.clients < 2  # and nothing overlaps
        if not feedback.coverage and refused <= self.most_refused and not alone:
            closer = self._closer(situation.workload, original, random)
            if closer is not None:
                return self._next(situation, original, closer, _Made(), _NO_CONTACT)
        memory = self._memory
        failed: tuple[str, ...] = ()
        if self._may_mutate() and len(memory.corpus):
            entry, memory.corpus = memory.corpus.choose(random, memory.covered)
            workload = self._calmed(entry.workload, original, refused)
            mutations, failed = self._mutations(situation, feedback, workload, random)
            if mutations:
                by = tuple(each.adjustment.heuristic for each in mutations)
                reasons = "; ".join(each.adjustment.reason for each in mutations)
                why = f"{' and '.join(by)} on what iteration {entry.iteration} ran: {reasons}"
                made = _Made(entry.number, by)
                changed = {each.adjustment.target: each.adjustment.heuristic for each in mutations}
                wanted = mutations[-1].workload
                return self._next(situation, original, wanted, made, why, failed, changed)
        started, load = self._started(original, random)
        started = self._calmed(started, original, refused)
        why = f"{_AGAIN}, {load}" if load else _AGAIN
        return self._next(situation, original, started, _Made(), why, failed)

    def _may_mutate(self) -> bool:
        """In every few iterations, once the narrow start has run under every load."""
        since = self._memory.iterations - len(LOAD_PROFILES)
        return since >= 0 and since % self.mutate_every == 0

    # -- what the last iteration has taught -------------------------------------------------------

    def _learn(self, workload: Workload, feedback: FeedbackResult) -> None:
        """workload: what has just run."""
        memory = self._memory
        made = memory.made.pop(feedback.iteration, _Made())
        memory.iterations += 1
        new = memory.covered.note(feedback.coverage)
        memory.new = len(new)
        memory.since_new = 0 if new else memory.since_new + 1
        transactions = max(feedback.transactions, 1)
        gained = math.sqrt(sum(map(worth, new))) + _near(feedback)
        for mutator in made.by:
            memory.credit = memory.credit.given(mutator, gained / len(made.by), transactions)
        if new:
            memory.corpus = memory.corpus.with_entry(
                CorpusEntry(
                    len(memory.corpus),
                    workload,
                    feedback.iteration,
                    transactions,
                    dict(feedback.coverage),
                    new,
                    made.parent,
                    made.by,
                    max((each.score for each in feedback.near_cycles), default=0.0),
                )
            )

    # -- what comes next --------------------------------------------------------------------------

    def _opening(self, situation: Situation, random: Random) -> Proposal:
        workload = situation.workload
        narrow = self._few_keys(workload, workload, random)
        length = _at_most(self.transactions, workload)
        self._memory.start = changed_to(narrow, "scheduling.transactions", length, workload)
        started, load = self._started(workload, random)
        why = f"static settings do best on few keys: {self.keys} of each choice, in short iterations"
        why += f", first {load}" if load else ""
        return self._next(situation, workload, started, _Made(), why)

    def _next(
        self,
        situation: Situation,
        original: Workload,
        wanted: Workload,
        made: _Made,
        why: str,
        warnings: tuple[str, ...] = (),
        changed: Mapping[str, str] = _UNCHANGED,
    ) -> Proposal:
        """The adjustments that lead there, with iterations twice as long for each plateau, and half
        as long where one client of several is alone. changed: target →
        the mutator that changed it, which is named."""
        memory = self._memory
        memory.made[situation.runs_as] = made
        longer = self.transactions << min(memory.since_new // self.patience, 20)
        if wanted.scheduling.clients == 1 < original.scheduling.clients:
            longer //= 2  # what needs others has no chance meanwhile, and what does not shows early
        length = _at_most(longer, original)
        wanted = changed_to(wanted, "scheduling.transactions", length, original)
        wanted = replace(wanted, directed=situation.workload.directed)
        adjustments = tuple(
            replace(each, heuristic=changed.get(each.target, self.name))
            for each in difference(situation.workload, wanted, original, why, self.name)
        )
        learnt = list(self._told()) if memory.iterations else []
        if self.directed and situation.feedback is not None:
            more, said = directed_adjustments(memory.pursuer, situation, wanted, original)
            adjustments, learnt = (*adjustments, *more), [*learnt, *said]
        return Proposal(adjustments, warnings, tuple(learnt))

    def _told(self) -> Iterator[str]:
        """What it has learnt so far, in words."""
        memory = self._memory
        covered, entries = len(memory.covered), len(memory.corpus)
        yield (
            f"coverage: {counted(covered, 'feature')} in {counted(memory.iterations, 'iteration')}, "
            f"{counted(memory.new, 'new one')} in this; {counted(entries, 'corpus entry', 'corpus entries')}"
        )
        if memory.since_new:
            yield f"nothing new for {counted(memory.since_new, 'iteration')}"
        best = sorted(
            (each for each in memory.credit.yields.items() if each[1].gained),
            key=lambda each: -each[1].rate,
        )
        if best:
            yields = "; ".join(f"{name} {found}" for name, found in best[:_TOLD])
            yield f"credit of mutators: {yields}"

    def _started(self, original: Workload, random: Random) -> tuple[Workload, str]:
        """The narrow start under the next load profile, and what LoadProfile.told says of that."""
        profile = LOAD_PROFILES[self._memory.starts % len(LOAD_PROFILES)]
        self._memory.starts += 1
        narrow = self._few_keys(self._memory.start or original, original, random)
        started = profile.of(narrow, original)
        return started, profile.told(narrow, started, original)

    def _few_keys(self, workload: Workload, original: Workload, random: Random) -> Workload:
        few = few_choices(workload, self.keys, random, original)
        return changed_to(workload, "choices", few, original)

    def _closer(self, workload: Workload, original: Workload, random: Random) -> Workload | None:
        """With half as many keys of each choice; None if there are few enough."""
        widest = max(map(len, choice_sets(workload)), default=0)
        if widest <= _FEWEST:
            return None
        few = few_choices(workload, max(_FEWEST, widest // 2), random, original)
        return changed_to(workload, "choices", few, original)

    def _calmed(self, workload: Workload, original: Workload, refused: float) -> Workload:
        """With fewer clients if nearly everything was refused."""
        clients = workload.scheduling.clients
        if refused <= self.most_refused or clients <= 2:
            return workload
        return changed_to(workload, "scheduling.clients", max(2, clients // 2), original)

    def _mutations(
        self, situation: Situation, feedback: FeedbackResult, workload: Workload, random: Random
    ) -> tuple[list[Mutation], tuple[str, ...]]:
        """One or two, of the mutators that have something to propose for this workload, and who failed."""
        left = {each.name: each for each in applicable(situation.mutators, feedback.original or workload)}
        wanted = 1 + (random.random() < _TWICE)
        mutations: list[Mutation] = []
        failed: list[str] = []
        while left and len(mutations) < wanted:
            name = self._memory.credit.choose(random, sorted(left))
            try:
                found = mutated(left.pop(name), feedback, workload, random)
            except PluginError as error:
                failed.append(f"{error}; another one was asked")
                continue
            except UsageError:
                continue  # what it proposes does not fit an older workload
            if found is not None and found.adjustment.target not in situation.fixed:
                mutations.append(found)
                workload = found.workload
        return mutations, tuple(failed)


def _at_most(transactions: int, original: Workload) -> int | None:
    """As many, or as many as the workload has; None for its own duration, if it ends by time. With faults it
    is as long as it was: they strike at certain times of a run."""
    if original.faults:
        return original.scheduling.transactions
    if original.scheduling.transactions is not None:
        return min(transactions, original.scheduling.transactions)
    return transactions if transactions < _MOST else None


def _near(feedback: FeedbackResult) -> float:
    """What the structures nearest to a forbidden cycle are worth, by how often they showed themselves."""
    near = sum(
        count
        for feature, count in feedback.coverage.items()
        if isinstance(feature, DangerousStructure) and feature.last_first
    )
    return min(_MOST_NEAR, PER * near / max(feedback.transactions, 1))
