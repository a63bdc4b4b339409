"""Keys drawn at random, so that every choice of a workload keeps some of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from random import Random

Keys = tuple[int, ...] | range


def drawn(needs: Mapping[Keys, int], chosen: Collection[int], random: Random) -> list[int]:
    """Further keys beside the chosen ones, so that of each set there are as many as it needs, or all.

    needs: set → how many keys of it. Keys that several sets have come first, since only there
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
    """Those of the keys that as many as possible of the other sets have, some of them not taken yet."""
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
    """So many of the keys that are not taken, or all of these. A long range is not counted out."""
    if len(keys) > 4 * (count + len(taken)):
        found = random.sample(keys, count + len(taken))
        return [key for key in found if key not in taken][:count]
    left = [key for key in keys if key not in taken]
    return random.sample(left, min(count, len(left)))
