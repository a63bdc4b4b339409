"""The built-in strategies, and the step in which a strategy decides on the next workload."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, NamedTuple

from txfuzz.common.options import option
from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import allowed, apply_all, current, propose_all
from txfuzz.feedback.contract import Adjustment, Proposal, Situation, Strategy
from txfuzz.feedback.key_choices import choice_sets, keys_to_add
from txfuzz.feedback.learning.strategy import Learning
from txfuzz.feedback.strategy_names import CLASSIC, OPEN_LOOP, STATIC
from txfuzz.workload.model import Workload


class Decided(NamedTuple):
    """What runs next. made: the adjustments that changed something. warnings, learnt: sentences; the latter
    as in Proposal."""

    workload: Workload
    made: tuple[Adjustment, ...] = ()
    warnings: tuple[str, ...] = ()
    learnt: tuple[str, ...] = ()


def decide(strategy: Strategy, situation: Situation, random: Random) -> Decided:
    """The strategy's decision, as far as it can be carried out.

    A strategy that fails changes nothing, and a warning says so.
    """
    workload, feedback = situation.workload, situation.feedback
    original = None if feedback is None else feedback.original
    try:
        proposal = strategy.propose(situation, random)
        free = (each for each in proposal.adjustments if each.target not in situation.fixed)
        changed, made, remarks = apply_all(workload, allowed(free, original or workload), original)
    except UsageError as error:
        return Decided(workload, (), (f"{error}; strategy {strategy.name!r} changes nothing here",))
    except Exception as error:
        sentence = (
            f"strategy {strategy.name!r} failed ({type(error).__name__}: {error}); it changes nothing here"
        )
        return Decided(workload, (), (sentence,))
    warnings = tuple(dict.fromkeys((*proposal.warnings, *remarks)))
    return Decided(changed, tuple(made), warnings, tuple(proposal.learnt))


@dataclass(frozen=True)
class Classic:
    """What each heuristic proposes, one after another; each one sees the changes of those before it."""

    name: ClassVar[str] = CLASSIC
    about: ClassVar[str] = "does what the campaign's heuristics propose, in their order"
    blind: ClassVar[bool] = False

    def propose(self, situation: Situation, random: Random) -> Proposal:
        if situation.feedback is None:
            return Proposal()
        _, made, warnings = propose_all(
            situation.heuristics, situation.feedback, situation.workload, random, fixed=situation.fixed
        )
        return Proposal(made, warnings)


@dataclass(frozen=True)
class OpenLoop:
    """The control of every other strategy."""

    name: ClassVar[str] = OPEN_LOOP
    about: ClassVar[str] = "changes nothing: every iteration draws from the same workload"
    blind: ClassVar[bool] = True

    def propose(self, situation: Situation, random: Random) -> Proposal:
        return Proposal()


@dataclass(frozen=True)
class Static:
    """What anybody would set by hand before the first iteration, and leave so."""

    name: ClassVar[str] = STATIC
    about: ClassVar[str] = "draws a few keys of each choice before the first iteration, then changes nothing"
    blind: ClassVar[bool] = True

    keys: int = option(4, "how many keys each choice draws from, or more if they must differ", least=2)
    clients: int = option(0, "how many clients run; 0 for as many as the workload says", least=0)
    writes: int = option(0, "writes to a key before it is replaced; 0 for the workload's own", least=0)

    def propose(self, situation: Situation, random: Random) -> Proposal:
        if situation.feedback is not None:
            return Proposal()
        workload = situation.workload
        wanted: dict[str, Any] = {"keys": self._keys(workload, random)}
        wanted |= {"scheduling.clients": self.clients, "keys.writes": self.writes}
        reason = "set before the first iteration and never changed"
        changes = [
            Adjustment(target, current(workload, target), after, reason, self.name)
            for target, after in wanted.items()
            if after
        ]
        return Proposal(tuple(each for each in changes if each.before != each.after))

    def _keys(self, workload: Workload, random: Random) -> list[int]:
        """Of each choice's own set as many as wanted; none if every choice is of one key."""
        needs = {keys: max(need, min(self.keys, len(keys))) for keys, need in choice_sets(workload).items()}
        return sorted(keys_to_add(workload, needs, (), random))


BUILT_IN: tuple[type, ...] = (Classic, OpenLoop, Static, Learning)


def uses_coverage(strategy: Strategy) -> bool:
    return getattr(strategy, "uses_coverage", False) is True
