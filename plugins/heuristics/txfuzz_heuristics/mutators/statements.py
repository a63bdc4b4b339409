"""How single steps are written as statements: with which lock, in which form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Step, Workload, target_value

from .change import change

_Words = dict[str, list[str | None]]


@dataclass(frozen=True)
class Locks:
    name: ClassVar[str] = "locks"
    about: ClassVar[str] = "lets a read take a lock, another one, or none"
    kind: ClassVar[str] = "locks"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        words = (feedback.original or workload).mutate.locks
        changed = _changed(workload, "locks", random, lambda step: words if step.f == "r" else ())
        if changed is None:
            return None
        after, name, _, lock = changed
        reason = (
            f"a read of {name!r} without a lock lets others pass"
            if lock is None
            else f"a read of {name!r} with the lock {lock} waits for others"
        )
        return change(workload, "locks", after, reason, self.name)


@dataclass(frozen=True)
class Forms:
    name: ClassVar[str] = "forms"
    about: ClassVar[str] = "writes a step as another statement that does the same"
    kind: ClassVar[str] = "forms"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        words = (feedback.original or workload).mutate.forms
        changed = _changed(workload, "forms", random, lambda step: words.get(step.f or "", ()))
        if changed is None:
            return None
        after, name, step, form = changed
        what = "a read" if step.f == "r" else "a write"
        reason = f"{what} of {name!r} written as {form or 'usual'} takes another path through the database"
        return change(workload, "forms", after, reason, self.name)


def _changed(
    workload: Workload, target: str, random: Random, words_for: Callable[[Step], Sequence[str]]
) -> tuple[_Words, str, Step, str | None] | None:
    """The value of the target with another word for one step, its transaction, the step, and the word.

    None if no step can have another. words_for: those that a step may have, beside none.
    """
    before: _Words = target_value(workload, target)
    reads_only = target == "locks"
    places = [
        (each.name, at, step)
        for each in workload.transactions
        if not each.mode.read_only
        for at, step in enumerate(
            step for step in each.steps if step.sql is None and (step.f == "r" or not reads_only)
        )
        if words_for(step)
    ]
    if not places:
        return None
    name, at, step = random.choice(places)
    words = list(before[name])
    words[at] = random.choice([word for word in (None, *words_for(step)) if word != words[at]])
    return {**before, name: words}, name, step, words[at]
