"""What numpy lacks: ranges one after the other, and look-ups in numbers that rise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from txfuzz.history.model import Ints

AnyInts = npt.NDArray[np.integer[Any]]


def ranges(starts: AnyInts | int, lengths: Ints) -> Ints:
    """All positions of these ranges, one range after the other."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(int(lengths.sum()))


def distinct(numbers: Ints) -> Ints:
    """Each number once, rising. (Sorting millions of codes is far quicker than numpy's hashing.)"""
    numbers = np.sort(numbers)
    once: Ints = numbers[np.diff(numbers, prepend=numbers[:1] - 1) != 0]
    return once


def places(known: Ints, numbers: Ints) -> Ints:
    """Where each of these numbers stands among the known ones, which rise; -1 where it does not."""
    if not len(known):
        return np.full(len(numbers), -1)
    at = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.where(known[at] == numbers, at, -1)


def among(known: Ints, numbers: Ints) -> npt.NDArray[np.bool_]:
    """Which of these numbers are among the known ones, which rise."""
    found: npt.NDArray[np.bool_] = places(known, numbers) >= 0
    return found
