"""Other plans, other tables: options of the adapter that it lets vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from txfuzz.plugin_api import Adjustment, FeedbackResult, Workload, target_value

from .change import change


@dataclass(frozen=True)
class Plans:
    name: ClassVar[str] = "plans"
    about: ClassVar[str] = "lets statements get at rows in another way"
    kind: ClassVar[str] = "plans"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        words = (feedback.original or workload).mutate.plans
        why = "the same statements lock and read by another path"
        return _other_value(workload, "plans", words, random, why, self.name)


@dataclass(frozen=True)
class Layout:
    name: ClassVar[str] = "layout"
    about: ClassVar[str] = "makes other tables and indexes"
    kind: ClassVar[str] = "layout"

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Adjustment | None:
        words = (feedback.original or workload).mutate.layout
        why = "rows share other pages and indexes, in new tables"
        return _other_value(workload, "layout", words, random, why, self.name)


def _other_value(
    workload: Workload,
    target: str,
    values: Mapping[str, Sequence[Any]],
    random: Random,
    why: str,
    name: str,
) -> Adjustment | None:
    """Of one option."""
    before: dict[str, Any] = target_value(workload, target)
    options = [option for option in before if len(values.get(option, ())) > 1]
    if not options:
        return None
    option = random.choice(options)
    value = random.choice([each for each in values[option] if each != before[option]])
    reason = f"{option} {value} instead of {before[option]}: {why}"
    return change(workload, target, {**before, option: value}, reason, name)
