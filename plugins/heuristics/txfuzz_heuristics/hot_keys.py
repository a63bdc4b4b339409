"""Few keys instead of many: those on which cycles nearly closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

from txfuzz import Adjustment, FeedbackResult, Workload, option
from txfuzz.feedback.adjusting import current, fewest_keys

_SHOWN, _LEFT_OUT = 4, 2  # near-cycles that are named in the reason


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
        picked = self._picked(feedback, max(self.max_keys, least))
        if not picked.keys or not before:
            return ()
        others = [key for key in before if key not in picked.keys]
        drawn = random.sample(others, min(max(least - len(picked.keys), 0), len(others)))
        after = sorted([*picked.keys, *drawn])
        if after == before or len(after) < least:
            return ()
        reason = "; ".join([*self._told(feedback, picked), *_random(drawn)])
        reason += f": {len(after)} keys to choose from instead of {len(before):,}"
        return (Adjustment("keys", before, after, reason, self.name),)

    def _pressure(self, feedback: FeedbackResult) -> dict[int, float]:
        """What each key that was pressed at all counts for that."""
        hardest = max((each.concurrent_edges for each in feedback.key_pressure), default=0)
        return {
            each.key: self.pressure_weight * each.concurrent_edges / hardest
            for each in feedback.key_pressure
            if each.concurrent_edges and _whole([each.key])
        }

    def _picked(self, feedback: FeedbackResult, most: int) -> _Picked:
        """The keys of near-cycles, those of one together or not at all; then the pressed ones."""
        pressure = self._pressure(feedback)
        groups = [_Group(rank, keys) for rank, near in enumerate(feedback.near_cycles, 1)
                  if (keys := _whole(near.keys))]  # fmt: skip
        counts = Counter(key for group in groups for key in group.keys)

        def worth(group: _Group) -> float:
            each = (
                self.near_cycle_weight * counts[key]
                + self.replay_weight * feedback.failed_replays.get(key, 0)
                + pressure.get(key, 0.0)
                for key in group.keys
            )
            return sum(each) / len(group.keys)

        chosen: list[int] = []
        given: list[_Group] = []
        left_out: list[_Group] = []
        for group in sorted(groups, key=worth, reverse=True) if self.near_cycle_weight else ():
            more = tuple(key for key in group.keys if key not in chosen)
            if len(chosen) + len(more) > most:
                left_out.append(replace(group, weight=worth(group)))
            elif more:
                chosen += more
                given.append(_Group(group.rank, more, worth(group)))
        hard = sorted(pressure.keys() - set(chosen), key=lambda key: (-pressure[key], key))
        pressed = [key for key in hard if pressure[key] > 0][: most - len(chosen)]
        return _Picked(tuple(given), tuple(pressed), tuple(left_out), most)

    def _told(self, feedback: FeedbackResult, picked: _Picked) -> Iterable[str]:
        """Where the keys come from, in words. Near-cycles go by their rank."""
        shown, more = picked.given[:_SHOWN], len(picked.given) - _SHOWN
        if shown:
            gives = [_gives(each, first=each is shown[0]) for each in shown]
            yield ", ".join([*gives, *([f"and {more} further ones the rest"] if more > 0 else [])])
        refused = {key: feedback.failed_replays.get(key, 0) for each in shown for key in each.keys}
        refused = {key: count for key, count in refused.items() if count and self.replay_weight}
        nearer = picked.nearer
        if nearer:
            names = [f"near-cycle {each.rank} ({_keys_and_weight(each)})" for each in nearer[:_LEFT_OUT]]
            names += [f"{len(nearer) - _LEFT_OUT} more"] if len(nearer) > _LEFT_OUT else []
            yield f"no room among {picked.most} keys was left for {_and(names)}"
        if refused:
            closed = [f"{count} near-cycle{'s' * (count > 1)} on key {key}" for key, count in refused.items()]
            yield f"no replay closed {_and(closed)}: what a few transactions cannot do is left to a crowd"
        if nearer or refused:
            yield (
                "a near-cycle weighs as much as its keys on average, and a key "
                f"{self.near_cycle_weight:g} for each near-cycle that names it, {self.replay_weight:g} for "
                f"each that no replay closed, and up to {self.pressure_weight:g} for its concurrent edges"
            )
        if picked.pressed:
            edges = {each.key: each.concurrent_edges for each in feedback.key_pressure}
            count = sum(edges[key] for key in picked.pressed)
            yield f"{count:,} concurrent edge{'s' * (count != 1)} ran on {_listed(picked.pressed)}"


@dataclass(frozen=True)
class _Group:
    """Keys of a near-cycle. rank: its place among them, from 1. weight: of all its keys, on average."""

    rank: int
    keys: tuple[int, ...]
    weight: float = 0.0


@dataclass(frozen=True)
class _Picked:
    """given: what each near-cycle added, in their order. left_out: those that had no room."""

    given: tuple[_Group, ...]
    pressed: tuple[int, ...]
    left_out: tuple[_Group, ...]
    most: int

    @property
    def keys(self) -> tuple[int, ...]:
        return (*(key for group in self.given for key in group.keys), *self.pressed)

    @property
    def nearer(self) -> list[_Group]:
        """Those left out that came nearer than one that was taken; the nearest one at any rate."""
        last = max((each.rank for each in self.given), default=1)
        found = [each for each in self.left_out if each.rank < last or each.rank == 1]
        return sorted(found, key=lambda each: each.rank)


def _keys_and_weight(group: _Group) -> str:
    return f"{_listed(group.keys)}, weight {group.weight:.3g}"


def _gives(group: _Group, first: bool) -> str:
    name = f"near-cycle {group.rank} (weight {group.weight:.3g})"
    return f"{name} gives {_listed(group.keys)}" if first else f"{name} {_listed(group.keys)}"


def _random(drawn: Sequence[int]) -> list[str]:
    if not drawn:
        return []
    return [
        f"{_listed(drawn)} {'was' if len(drawn) == 1 else 'were'} drawn at random, since so many are needed"
    ]


def _whole(keys: Iterable[object]) -> tuple[int, ...]:
    """Those that a workload can choose: histories of other programs have others, too."""
    return tuple(key for key in keys if type(key) is int and key >= 1)


def _listed(keys: Sequence[int]) -> str:
    return f"{'key' if len(keys) == 1 else 'keys'} {_and([str(key) for key in sorted(keys)])}"


def _and(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
