"""The keys of several choices together, without counting out a range."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

Keys = tuple[int, ...] | range  # a range is an inclusive run, in steps of one


def key_union(choices: Iterable[Keys]) -> Keys:
    """Every key that one of the choices has, once, in order; a range where they are one run."""
    runs = _runs(choices)
    return runs[0] if len(runs) == 1 else tuple(chain.from_iterable(runs))


def key_count(choices: Iterable[Keys]) -> int:
    """How many keys the choices have together."""
    return sum(map(len, _runs(choices)))


def _runs(choices: Iterable[Keys]) -> list[range]:
    """The fewest runs that make up these keys, in order."""
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
