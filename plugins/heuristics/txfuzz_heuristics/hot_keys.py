"""Few keys instead of many: those on which cycles nearly closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from txfuzz import Adjustment, FeedbackResult, Workload, option
from txfuzz.feedback.adjusting import current, fewest_keys


@dataclass(frozen=True)
class HotKeys:
    """Contention grows with the square of what is asked of a key, so a few keys find in hundreds
    of transactions what a thousand keys do not find in millions."""

    name: ClassVar[str] = "hot-keys"
    about: ClassVar[str] = (
        "narrows the choices of keys to those of near-cycles and to the hardest pressed ones"
    )

    max_keys: int = option(4, "how many keys the choices are narrowed to at most", least=2)
    near_cycle_weight: float = option(3.0, "what a near-cycle counts for each of its keys", least=0.0)
    replay_weight: float = option(
        3.0,
        "what each replay of a near-cycle that failed adds for each of its keys",
        least=0.0,
    )
    pressure_weight: float = option(
        1.0, "what the hardest pressed key counts; others in proportion", least=0.0
    )

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        before = current(workload, "keys")
        least = fewest_keys(workload)
        chosen = self._chosen(feedback, max(self.max_keys, least))
        if not chosen or not before:
            return ()
        found = len(chosen)
        others = [key for key in before if key not in chosen]
        chosen += random.sample(others, min(max(least - found, 0), len(others)))
        after = sorted(chosen)
        if after == before or len(after) < least:
            return ()
        return (Adjustment("keys", before, after, self._reason(feedback, before, chosen, found), self.name),)

    def _pressure(self, feedback: FeedbackResult) -> dict[int, float]:
        """What each key that was pressed at all counts for that."""
        hardest = max((each.concurrent_edges for each in feedback.key_pressure), default=0)
        return {
            each.key: self.pressure_weight * each.concurrent_edges / hardest
            for each in feedback.key_pressure
            if each.concurrent_edges and _whole([each.key])
        }

    def _chosen(self, feedback: FeedbackResult, most: int) -> list[int]:
        """The keys of near-cycles, those of one together or not at all; then the pressed ones."""
        pressure = self._pressure(feedback)
        groups = [keys for near in feedback.near_cycles if (keys := _whole(near.keys))]
        counts = Counter(key for keys in groups for key in keys)

        def worth(keys: tuple[int, ...]) -> float:
            each = (
                self.near_cycle_weight * counts[key]
                + self.replay_weight * feedback.failed_replays.get(key, 0)
                + pressure.get(key, 0.0)
                for key in keys
            )
            return sum(each) / len(keys)

        chosen: list[int] = []
        for keys in sorted(groups, key=worth, reverse=True) if self.near_cycle_weight else ():
            more = [key for key in keys if key not in chosen]
            if len(chosen) + len(more) <= most:
                chosen += more
        for key in sorted(pressure, key=lambda key: (-pressure[key], key)):
            if key not in chosen and len(chosen) < most and pressure[key] > 0:
                chosen.append(key)
        return chosen

    def _reason(self, feedback: FeedbackResult, before: list[int], chosen: list[int], found: int) -> str:
        named = {key for near in feedback.near_cycles for key in near.keys}
        near = [key for key in chosen[:found] if key in named]
        pressed = {each.key: each.concurrent_edges for each in feedback.key_pressure}
        parts = []
        if near:
            lie = sum(bool(set(each.keys) & set(near)) for each in feedback.near_cycles)
            parts.append(f"{lie} of {len(feedback.near_cycles)} near-cycles touch {_listed(near)}")
            if refused := sum(feedback.failed_replays.get(key, 0) for key in near):
                parts.append(f"replays on them failed {refused} times")
        if hard := [key for key in chosen[:found] if key not in named]:
            edges = sum(pressed[key] for key in hard)
            parts.append(f"{edges} concurrent edges ran on {_listed(hard)}")
        if drawn := chosen[found:]:
            parts.append(f"{_listed(drawn)} drawn at random, since so many are needed")
        return f"{'; '.join(parts)}: {len(chosen)} keys to choose from instead of {len(before)}"


def _whole(keys: Iterable[object]) -> tuple[int, ...]:
    """Those that a workload can choose: histories of other programs have others, too."""
    return tuple(key for key in keys if type(key) is int and key >= 1)


def _listed(keys: list[int]) -> str:
    words = [str(key) for key in sorted(keys)]
    if len(words) == 1:
        return f"key {words[0]}"
    return f"keys {', '.join(words[:-1])} and {words[-1]}"
