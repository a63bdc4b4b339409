"""Offsets: when each of the transactions of a race is let go, in microseconds, and how they are narrowed.

The first transaction is let go at 0 and each other one at a lag behind or ahead of it, chosen by bucket. A
bandit learns which buckets are worth more rounds: those whose rounds come to many different outcomes, since
there the order of the events is not settled, and above all those with outcomes that no order explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from math import log2
from random import Random

REACH = 120.0  # microseconds, behind and ahead
WIDTH = 10.0  # of a bucket
BUCKETS = int(2 * REACH / WIDTH)
_CHANCE = 0.3  # of the rounds take any bucket
_HIT = 8.0  # what the bucket with the most hits is worth, where one of many outcomes is worth 1
_FADES = 4_000  # rounds of a bucket after which what it showed counts half

Cell = tuple[int, ...]  # a bucket for each transaction but the first


def bucket_text(bucket: int) -> str:
    """ "+10 to +20" microseconds behind the first transaction."""
    low = bucket * WIDTH - REACH
    return f"{low:+.0f} to {low + WIDTH:+.0f}"


class _Bucket:
    def __init__(self) -> None:
        self.rounds = 0
        self.hits = 0.0
        self.outcomes: Counter[Hashable] = Counter()

    def tell(self, outcome: Hashable, hit: bool) -> None:
        self.rounds += 1
        self.hits += hit
        self.outcomes[outcome] += 1
        if self.rounds >= _FADES:
            self.rounds //= 2
            self.hits /= 2
            self.outcomes = Counter({each: n // 2 for each, n in self.outcomes.items() if n > 1})

    @property
    def entropy(self) -> float:
        """Of its outcomes, in bits; that of a bucket that was never tried is not known to be low."""
        number = sum(self.outcomes.values())
        if number < 2:
            return 1.0
        return -sum(n / number * log2(n / number) for n in self.outcomes.values())


class OffsetBandit:
    """For races of one kind with so many transactions."""

    def __init__(self, transactions: int) -> None:
        self._axes = [[_Bucket() for _ in range(BUCKETS)] for _ in range(transactions - 1)]
        self._weights: list[list[float]] | None = None
        self._told = 0

    def cell(self, random: Random) -> Cell:
        if self._weights is None:
            self._weights = [_weights(axis) for axis in self._axes]
        if random.random() < _CHANCE:
            return tuple(random.randrange(BUCKETS) for _ in self._axes)
        return tuple(random.choices(range(BUCKETS), weights)[0] for weights in self._weights)

    def tell(self, cell: Cell, outcome: Hashable, hit: bool) -> None:
        for axis, bucket in zip(self._axes, cell, strict=True):
            axis[bucket].tell(outcome, hit)
        self._told += 1
        if hit or self._told % 100 == 0:
            self._weights = None


def _weights(axis: list[_Bucket]) -> list[float]:
    """Neighbours share what they have shown: a bucket's edge is no edge of the race."""
    most = max((each.hits / each.rounds for each in axis if each.rounds), default=0.0)
    own = [
        each.entropy + (_HIT * each.hits / each.rounds / most if most and each.rounds else 0.0)
        for each in axis
    ]
    return [
        0.05 + (own[max(at - 1, 0)] + 2 * own[at] + own[min(at + 1, len(own) - 1)]) / 4
        for at in range(len(own))
    ]


def offsets(cell: Cell, random: Random) -> tuple[float, ...]:
    """Seconds after the earliest for each transaction, at any place within the buckets."""
    lags = [0.0, *((bucket + random.random()) * WIDTH - REACH for bucket in cell)]
    first = min(lags)
    return tuple((lag - first) / 1e6 for lag in lags)


def far_apart(order: tuple[int, ...], gap: float) -> tuple[float, ...]:
    """Seconds for each transaction, let go in this order with a gap that nothing takes longer than."""
    return tuple(order.index(at) * gap for at in range(len(order)))


class OffsetCounts:
    """Rounds and hits by cell."""

    def __init__(self) -> None:
        self.rounds: Counter[Cell] = Counter()
        self.hits: Counter[Cell] = Counter()

    def tell(self, cell: Cell, hit: bool) -> None:
        self.rounds[cell] += 1
        self.hits[cell] += hit

    def along(self, axis: int) -> Mapping[int, tuple[int, int]]:
        """By bucket of one transaction: rounds and hits."""
        found: dict[int, tuple[int, int]] = {}
        for cell, rounds in self.rounds.items():
            before = found.get(cell[axis], (0, 0))
            found[cell[axis]] = (before[0] + rounds, before[1] + self.hits[cell])
        return dict(sorted(found.items()))
