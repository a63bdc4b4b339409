"""Keys drawn at random, so that every choice of a workload keeps enough when it is narrowed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random

from txfuzz.common.key_ranges import Keys
from txfuzz.feedback.key_choices import can_choose, narrowed
from txfuzz.workload.model import Workload


def fill_choices(
    workload: Workload, needs: dict[Keys, int], chosen: Sequence[int], random: Random
) -> list[int]:
    """Keys to add to the chosen ones, so that each set has enough and choices can differ where they must."""
    while True:
        more = draw_keys(needs, chosen, random)
        fewer = narrowed(workload, [*chosen, *more]).workload
        full = all(need >= len(keys) for keys, need in needs.items())
        if full or all(map(can_choose, fewer.transactions)):
            return more
        needs = {keys: 2 * need for keys, need in needs.items()}


def draw_keys(needs: Mapping[Keys, int], chosen: Collection[int], random: Random) -> list[int]:
    """Keys to add to the chosen ones, so that each set has as many as it needs, or all.

    needs: set → how many of its keys. Keys shared by several sets come first, since only there
    different choices meet.
    """
    taken = set(chosen)
    new: list[int] = []
    for keys, need in sorted(needs.items(), key=lambda each: len(each[0])):
        own = keys if isinstance(keys, range) else frozenset(keys)
        lacks = min(need, len(keys)) - sum(key in own for key in taken)
        for pool in (_shared(keys, needs, taken), keys):
            if lacks > 0:
                more = _sample(pool, lacks, taken, random)
                new += more
                taken.update(more)
                lacks -= len(more)
    return new


def _shared(keys: Keys, others: Collection[Keys], taken: Collection[int]) -> Keys:
    """The keys shared with as many other sets as possible, with some not yet taken."""
    for other in others:
        both = _both(keys, other)
        if any(key not in taken for key in both):
            keys = both
    return keys


def _both(keys: Keys, other: Keys) -> Keys:
    if isinstance(keys, range) and isinstance(other, range):
        return range(max(keys.start, other.start), max(min(keys.stop, other.stop), 0))
    if isinstance(keys, range):
        return tuple(key for key in other if key in keys)
    own = other if isinstance(other, range) else frozenset(other)
    return tuple(key for key in keys if key in own)


def _sample(keys: Keys, count: int, taken: Collection[int], random: Random) -> list[int]:
    """Up to `count` of the keys not taken, without enumerating a long range."""
    if len(keys) > 4 * (count + len(taken)):
        found = random.sample(keys, count + len(taken))
        return [key for key in found if key not in taken][:count]
    left = [key for key in keys if key not in taken]
    return random.sample(left, min(count, len(left)))
