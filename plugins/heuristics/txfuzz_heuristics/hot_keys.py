"""hot-keys: narrow the choices to keys on which cycles nearly closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, ClassVar

from txfuzz.plugin_api import (
    Adjustment,
    FeedbackResult,
    Workload,
    choice_sets,
    fill_choices,
    listed,
    option,
    target_value,
)

_SHOWN, _LEFT_OUT = 4, 2  # near-cycles listed in the reason


@dataclass(frozen=True)
class HotKeys:
    """Contention grows with the square of the load on a key, so hundreds of transactions on a few keys
    find what millions on a thousand keys do not."""

    name: ClassVar[str] = "hot-keys"
    about: ClassVar[str] = (
        "narrows each choice of keys to a few: those of near-cycles and the most contended ones"
    )

    max_keys: int = option(
        4, "most keys taken from near-cycles and pressure, or as many as the nearest near-cycle has", least=2
    )
    near_cycle_weight: float = option(
        3.0, "weight of a near-cycle for each of its keys; 0 to pursue none", least=0.0
    )
    replay_weight: float = option(
        3.0,
        "weight that each failed replay of a near-cycle adds to each of its keys",
        least=0.0,
    )
    pressure_weight: float = option(1.0, "weight of the most contended key; others in proportion", least=0.0)
    patience: int = option(
        3,
        "iterations on the same keys without anything new before they are widened; 0 for never",
        least=0,
    )
    widened: int = option(32, "how many keys each choice is widened to", least=2)

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[Adjustment, ...]:
        before: list[int] = target_value(workload, "keys")
        if not before:
            return ()
        known = _Known(frozenset(before), frozenset(workload.logical_keys()))
        if self.patience and feedback.stale >= self.patience:
            keys, why = self._wider(feedback, workload, known, random)
            if len(keys) > len(before):
                return self._adjusted(before, keys, why)
        keys, why = self._hot(feedback, workload, known, random)
        if not keys and feedback.committed and not feedback.concurrent_edges_per_txn:
            keys, why = self._fewer(feedback, workload, random)
        return self._adjusted(before, keys, why)

    def _adjusted(self, before: list[int], keys: Iterable[int], why: str) -> tuple[Adjustment, ...]:
        after = sorted(keys)
        if not after or after == before:
            return ()
        reason = f"{why}: {len(after):,} keys to choose from instead of {len(before):,}"
        return (Adjustment("keys", before, after, reason, self.name),)

    def _hot(
        self, feedback: FeedbackResult, workload: Workload, known: _Known, random: Random
    ) -> tuple[list[int], str]:
        """The keys of near-cycles and the contended ones, and why; none if there are neither."""
        sets = choice_sets(workload)
        picked = self._picked(feedback, known, max([self.max_keys, *sets.values()]))
        if not picked.keys:
            return [], ""
        others = fill_choices(workload, sets, picked.keys, random)
        why = "; ".join([*self._told(feedback, picked), *_random(others)])
        return [*picked.keys, *others], why

    def _fewer(self, feedback: FeedbackResult, workload: Workload, random: Random) -> tuple[list[int], str]:
        """Half of each choice's keys, or as many as transactions committed if that is fewer."""
        sets = {
            keys: max(need, min(len(keys) // 2, feedback.committed))
            for keys, need in choice_sets(workload).items()
        }
        count = f"{feedback.committed:,} committed transaction{'s' * (feedback.committed != 1)}"
        why = f"none of {count} depended on a concurrent one"
        return fill_choices(workload, sets, (), random), why

    def _wider(
        self, feedback: FeedbackResult, workload: Workload, known: _Known, random: Random
    ) -> tuple[list[int], str]:
        """The keys of the nearest near-cycle, and others from the original choices."""
        original = feedback.original or workload
        sets = {keys: max(need, self.widened) for keys, need in choice_sets(original).items()}
        near = next(iter(self._groups(feedback, known)), None)
        held = near.keys if near else ()
        others = fill_choices(original, sets, held, random)
        why = f"{feedback.stale} iterations on the same keys showed nothing new"
        if near and held:
            stay = "stays" if len(held) == 1 else "stay"
            why += f"; {_listed(held)} of near-cycle {near.rank} (pursued) {stay}"
        return [*held, *others], why

    def _pressure(self, feedback: FeedbackResult) -> dict[Any, float]:
        """The weight of each contended key."""
        hardest = max((each.concurrent_edges for each in feedback.key_pressure), default=0)
        return {
            each.key: self.pressure_weight * each.concurrent_edges / hardest
            for each in feedback.key_pressure
            if each.concurrent_edges
        }

    def _groups(self, feedback: FeedbackResult, known: _Known) -> list[_Group]:
        """The near-cycles that the workload can close, nearest first, with the keys that can be narrowed."""
        if not self.near_cycle_weight:
            return []
        return [
            _Group(rank, tuple(key for key in near.keys if key in known.chosen))
            for rank, near in enumerate(feedback.near_cycles, 1)
            if all(type(key) is int and key in known.all for key in near.keys)
        ]

    def _picked(self, feedback: FeedbackResult, known: _Known, most: int) -> _Picked:
        """The keys of near-cycles, each all or none, the nearest first; then contended keys."""
        pressure = {key: each for key, each in self._pressure(feedback).items() if key in known.chosen}
        groups = self._groups(feedback, known)
        counts = Counter(key for group in groups for key in group.keys)

        def worth(group: _Group) -> float:
            each = (
                self.near_cycle_weight * counts[key]
                + self.replay_weight * feedback.failed_replays.get(key, 0)
                + pressure.get(key, 0.0)
                for key in group.keys
            )
            return sum(each) / max(len(group.keys), 1)

        chosen: list[int] = []
        given: list[_Group] = []
        left_out: list[_Group] = []
        if groups:
            most = max(most, len(groups[0].keys))
        for group in [*groups[:1], *sorted(groups[1:], key=worth, reverse=True)]:
            more = tuple(key for key in group.keys if key not in chosen)
            if len(chosen) + len(more) > most:
                left_out.append(replace(group, weight=worth(group)))
            elif more:
                chosen += more
                given.append(_Group(group.rank, more, worth(group)))
        hard = sorted(pressure.keys() - set(chosen), key=lambda key: (-pressure[key], key))
        pressed = [key for key in hard if pressure[key] > 0][: most - len(chosen)]
        pursued = groups[0].rank if groups else 0
        return _Picked(tuple(given), tuple(pressed), tuple(left_out), most, pursued)

    def _told(self, feedback: FeedbackResult, picked: _Picked) -> Iterable[str]:
        """Where the keys come from, in words. Near-cycles are numbered by rank."""
        shown, more = picked.given[:_SHOWN], len(picked.given) - _SHOWN
        if shown:
            gives = [
                _gives(each, first=each is shown[0], pursued=each.rank == picked.pursued) for each in shown
            ]
            yield ", ".join([*gives, *([f"and {more} more the rest"] if more > 0 else [])])
        refused = {key: feedback.failed_replays.get(key, 0) for each in shown for key in each.keys}
        refused = {key: count for key, count in refused.items() if count and self.replay_weight}
        nearer = picked.nearer
        if nearer:
            names = [
                f"near-cycle {each.rank} ({_listed(each.keys)}, weight {each.weight:.3g})"
                for each in nearer[:_LEFT_OUT]
            ]
            names += [f"{len(nearer) - _LEFT_OUT} more"] if len(nearer) > _LEFT_OUT else []
            yield f"no room among {picked.most} keys for {listed(names)}"
        if refused:
            closed = [f"{count} near-cycle{'s' * (count > 1)} on key {key}" for key, count in refused.items()]
            yield f"no replay closed {listed(closed)}: many concurrent clients may"
        if nearer or refused:
            yield (
                "a near-cycle weighs as much as its keys on average, and a key weighs "
                f"{self.near_cycle_weight:g} per near-cycle that contains it, {self.replay_weight:g} per "
                f"one that no replay closed, and up to {self.pressure_weight:g} for its concurrent edges"
            )
        if picked.pressed:
            edges = {each.key: each.concurrent_edges for each in feedback.key_pressure}
            count = sum(edges[key] for key in picked.pressed)
            yield f"{count:,} concurrent edge{'s' * (count != 1)} ran on {_listed(picked.pressed)}"


@dataclass(frozen=True)
class _Known:
    """Keys of a workload. chosen: in choices of more than one key; all: in any choice."""

    chosen: frozenset[int]
    all: frozenset[int]


@dataclass(frozen=True)
class _Group:
    """Keys of a near-cycle. rank: its rank, from 1. weight: the average of its keys' weights."""

    rank: int
    keys: tuple[int, ...]
    weight: float = 0.0


@dataclass(frozen=True)
class _Picked:
    """given: the keys that each near-cycle added, in order. left_out: those without room. pursued: the
    rank of the nearest that the workload can close, 0 if none."""

    given: tuple[_Group, ...]
    pressed: tuple[int, ...]
    left_out: tuple[_Group, ...]
    most: int
    pursued: int

    @property
    def keys(self) -> tuple[int, ...]:
        return (*(key for group in self.given for key in group.keys), *self.pressed)

    @property
    def nearer(self) -> list[_Group]:
        """Near-cycles left out despite being nearer than one taken; always includes the nearest."""
        last = max((each.rank for each in self.given), default=1)
        found = [each for each in self.left_out if each.rank < last or each.rank == 1]
        return sorted(found, key=lambda each: each.rank)


def _gives(group: _Group, first: bool, pursued: bool) -> str:
    said = "pursued" if pursued else f"weight {group.weight:.3g}"
    return f"near-cycle {group.rank} ({said}) {'gives ' if first else ''}{_listed(group.keys)}"


def _random(others: Sequence[int]) -> list[str]:
    if not others:
        return []
    were = "was" if len(others) == 1 else "were"
    return [f"{_listed(others)} {were} drawn at random, so that every choice has enough keys"]


def _listed(keys: Sequence[int]) -> str:
    return f"{'key' if len(keys) == 1 else 'keys'} {listed(sorted(keys))}"
