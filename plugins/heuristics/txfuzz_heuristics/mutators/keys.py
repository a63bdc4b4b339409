"""Fewer keys, more keys, other keys; fewer or more writes to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from txfuzz.plugin_api import (
    Adjustment,
    FeedbackResult,
    Workload,
    choice_sets,
    few_choices,
    listed,
    option,
    target_value,
)

from .change import change


def most_keys(workload: Workload) -> int:
    """Of a choice, at present."""
    return max(map(len, choice_sets(workload)), default=0)


def drawn(
    workload: Workload, feedback: FeedbackResult, count: int, random: Random, held: Sequence[int] = ()
) -> Any:
    return few_choices(workload, count, random, feedback.original or workload, held)


def near_keys(feedback: FeedbackResult, workload: Workload) -> list[int]:
    """The keys of the nearest near-cycle, as far as the workload still chooses from them."""
    known = workload.logical_keys()
    near = feedback.near_cycles[:1]
    return [key for each in near for key in each.keys if type(key) is int and key in known]


@dataclass(frozen=True)
class FewerKeys:
    name: ClassVar[str] = "fewer-keys"
    about: ClassVar[str] = (
        "narrows each choice to a few of its own keys, those of the nearest near-cycle first"
    )
    kind: ClassVar[str] = "keys"

    least: int = option(2, "fewest keys of a choice", least=1)
    most: int = option(8, "most keys of a choice after the first time", least=1)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now = most_keys(workload)
        if now <= self.least:
            return None
        count = max(self.least, min(now // 2, self.most))
        held = near_keys(feedback, workload)
        kept = f", among them those of the nearest near-cycle ({listed(held)})" if held else ""
        reason = f"transactions meet more often on {count} keys of each choice than on up to {now:,}{kept}"
        return change(workload, "choices", drawn(workload, feedback, count, random, held), reason, self.name)


@dataclass(frozen=True)
class MoreKeys:
    name: ClassVar[str] = "more-keys"
    about: ClassVar[str] = "widens each choice again, within the keys that it began with"
    kind: ClassVar[str] = "keys"

    factor: int = option(4, "by how much", least=2)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now, began = most_keys(workload), most_keys(feedback.original or workload)
        if now >= began:
            return None
        count = max(2, min(now * self.factor, began))
        held = near_keys(feedback, workload)
        reason = f"{now} keys of a choice have been tried; {count:,} spread the load and meet new rows"
        return change(workload, "choices", drawn(workload, feedback, count, random, held), reason, self.name)


@dataclass(frozen=True)
class OtherKeys:
    name: ClassVar[str] = "other-keys"
    about: ClassVar[str] = "moves each choice to other keys of its own, as many as it has"
    kind: ClassVar[str] = "keys"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now, began = most_keys(workload), most_keys(feedback.original or workload)
        if not 0 < now < began:
            return None
        reason = f"the same {now} keys were used before, and others of the {began:,} may behave differently"
        return change(workload, "choices", drawn(workload, feedback, max(now, 2), random), reason, self.name)


@dataclass(frozen=True)
class WritesPerKey:
    name: ClassVar[str] = "writes-per-key"
    about: ClassVar[str] = "makes rows younger or older: fewer or more writes before a new row takes over"
    kind: ClassVar[str] = "keys"

    numbers: tuple[int, ...] = option((1, 2, 4, 8, 32, 128), "the numbers of writes to choose from")

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        now: int = target_value(workload, "keys.writes")
        others = [number for number in self.numbers if number != now and number > 0]
        if not others:
            return None
        after = random.choice(others)
        young = (
            "young rows take other paths than old ones" if after < now else "old rows have longer histories"
        )
        return change(workload, "keys.writes", after, f"{young}: {after} writes instead of {now}", self.name)
