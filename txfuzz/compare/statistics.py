"""Statistics of how soon something is found, where some runs found nothing.

An effort is a number of transactions, or None if nothing was found within the limit (a censored run, or
survivor). Survivors count as later than everything that was found, and as equally late.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Effort = int | None


def median(efforts: Sequence[Effort]) -> float | None:
    """The middle one, or the mean of the two in the middle; None if it is beyond the limit."""
    ordered = sorted(map(_number, efforts))
    if not ordered:
        return None
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return None if math.isinf(middle) else middle


def effect_size(ours: Sequence[Effort], theirs: Sequence[Effort]) -> float:
    """Â12: how probable it is that one of ours is earlier than one of theirs; ties count half.

    0.5 means no difference, 1 that all of ours are earlier. Vargha and Delaney, A Critique and Improvement of
    the CL Common Language Effect Size Statistics, 2000.
    """
    return 1 - _mann_whitney_u(ours, theirs) / (len(ours) * len(theirs))


def mann_whitney(ours: Sequence[Effort], theirs: Sequence[Effort]) -> float:
    """The two-sided p of the Mann–Whitney test, exact with ties: how often a random division of all efforts
    into two such groups differs as much.

    Exact, because a handful of seeds and a limit that many runs reach are far from a normal distribution.
    Takes time in the order of seeds to the fourth.
    """
    ranks = _doubled_ranks([*map(_number, ours), *map(_number, theirs)])
    observed = sum(ranks[: len(ours)])
    chance = _rank_sums(ranks, len(ours))
    below, above = float(chance[: observed + 1].sum()), float(chance[observed:].sum())
    return min(1.0, 2 * min(below, above))


def _number(effort: Effort) -> float:
    return math.inf if effort is None else float(effort)


def _mann_whitney_u(ours: Sequence[Effort], theirs: Sequence[Effort]) -> float:
    """How many pairs have ours later than theirs; ties count half."""
    ranks = _doubled_ranks([*map(_number, ours), *map(_number, theirs)])
    return sum(ranks[: len(ours)]) / 2 - len(ours) * (len(ours) + 1) / 2


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each, from 2; equal values share their mean rank, which doubling makes whole."""
    ordered = sorted(values)
    first = {value: place for place, value in reversed(list(enumerate(ordered, 1)))}
    last = {value: place for place, value in enumerate(ordered, 1)}
    return [first[value] + last[value] for value in values]


def _rank_sums(ranks: Sequence[int], size: int) -> npt.NDArray[np.float64]:
    """The probability of each sum of `size` ranks drawn without replacement, by the sum."""
    most = sum(sorted(ranks)[-size:])
    ways = np.zeros((size + 1, most + 1))  # ways[k, s]: k of the ranks seen so far add up to s
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : most + 1 - rank].copy()
    return np.asarray(ways[size] / ways[size].sum(), dtype=np.float64)
