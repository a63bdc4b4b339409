"""Unions of keys, without enumerating ranges."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

Keys = tuple[int, ...] | range  # ranges have step 1


def key_union(choices: Iterable[Keys]) -> Keys:
    """The union of the choices, in order; a range if it is contiguous."""
    runs = _runs(choices)
    return runs[0] if len(runs) == 1 else tuple(chain.from_iterable(runs))


def key_count(choices: Iterable[Keys]) -> int:
    """The number of keys in the union."""
    return sum(map(len, _runs(choices)))


def _runs(choices: Iterable[Keys]) -> list[range]:
    """The union as the fewest ranges, in order."""
    parts: set[range] = set()
    for keys in choices:
        parts.update([keys] if isinstance(keys, range) else [range(key, key + 1) for key in keys])
    runs: list[range] = []
    for part in sorted(parts, key=lambda part: part.start):
        if runs and part.start <= runs[-1].stop:
            runs[-1] = range(runs[-1].start, max(runs[-1].stop, part.stop))
        else:
            runs.append(part)
    return runs
