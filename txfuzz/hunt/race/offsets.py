"""Offsets: when each of the transactions of a race is let go, in microseconds, and how they are narrowed.

The first transaction is let go at 0 and each other one at a lag behind or ahead of it, chosen by bucket. Or
one transaction is let go, stopped in the middle of what it does after a lag of its own, and the others are
let go around that moment: on one processor, any order of any steps can be had by putting off one of those
that run (Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs, 2010).

A bandit learns which buckets are worth more rounds: those whose rounds come to many different outcomes, since
there the order of the events is not settled, and above all those with outcomes that no order explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from math import log2
from random import Random
from typing import NamedTuple

WIDTH = 10.0  # microseconds of a bucket
_CHANCE = 0.3  # of the rounds take any bucket
_HIT = 8.0  # what the bucket with the most hits is worth, where one of many outcomes is worth 1
_LATE = 0.25  # of the stops last until the others have come to their ends
_FADES = 4_000  # rounds of a bucket after which what it showed counts half

Cell = tuple[int, ...]  # a bucket for each axis


class Axis(NamedTuple):
    """Lags from low to high, in microseconds."""

    low: float
    high: float

    @property
    def buckets(self) -> int:
        return int((self.high - self.low) / WIDTH)

    def text(self, bucket: int) -> str:
        """ "+10 to +20"."""
        low = self.low + bucket * WIDTH
        return f"{low:+.0f} to {low + WIDTH:+.0f}"

    def lag(self, bucket: int, random: Random) -> float:
        """At any place within the bucket."""
        return self.low + (bucket + random.random()) * WIDTH


LAG = Axis(-120.0, 120.0)  # behind the first transaction
STOP = Axis(0.0, 120.0)  # of the stop behind the transaction that is stopped
_BEHIND_STOP = Axis(-30.0, 90.0)  # of the others


def axes(transactions: int, stopped: int | None) -> tuple[Axis, ...]:
    """What a cell has a bucket of: the lag of each transaction, in their order, but the one that is let go
    at 0, and last that of the stop. stopped: the transaction that is, if one is."""
    if stopped is None:
        return (LAG,) * (transactions - 1)
    return (*(_BEHIND_STOP,) * (transactions - 1), STOP)


class Timing(NamedTuple):
    """lags: seconds after the earliest for each transaction. stopped: the transaction that is stopped, and
    stop: when, on the same clock. late: it goes on only when the others have come to their ends, or wait."""

    lags: tuple[float, ...]
    stopped: int | None = None
    stop: float = 0.0
    late: bool = False


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
    """For races of one kind with so many transactions, of which one may be stopped."""

    def __init__(self, transactions: int, stopped: int | None = None) -> None:
        self._axes = [[_Bucket() for _ in range(each.buckets)] for each in axes(transactions, stopped)]
        self._weights: list[list[float]] | None = None
        self._told = self._hits = 0

    @property
    def share(self) -> float:
        """Of the rounds that went wrong."""
        return self._hits / self._told if self._told else 0.0

    def cell(self, random: Random) -> Cell:
        if self._weights is None:
            self._weights = [_weights(axis) for axis in self._axes]
        if random.random() < _CHANCE:
            return tuple(random.randrange(len(axis)) for axis in self._axes)
        return tuple(random.choices(range(len(weights)), weights)[0] for weights in self._weights)

    def tell(self, cell: Cell, outcome: Hashable, hit: bool) -> None:
        for axis, bucket in zip(self._axes, cell, strict=True):
            axis[bucket].tell(outcome, hit)
        self._told += 1
        self._hits += hit
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


def timing(cell: Cell, random: Random, stopped: int | None = None) -> Timing:
    """At any place within the buckets."""
    if stopped is None:
        lags = [0.0, *(LAG.lag(bucket, random) for bucket in cell)]
        first = min(lags)
        return Timing(tuple((lag - first) / 1e6 for lag in lags))
    *others, last = cell
    stop = STOP.lag(last, random)
    lags = [stop + _BEHIND_STOP.lag(bucket, random) for bucket in others]
    lags.insert(stopped, 0.0)
    first = min(lags)
    when = tuple((lag - first) / 1e6 for lag in lags)
    return Timing(when, stopped, (stop - first) / 1e6, random.random() < _LATE)


def far_apart(order: tuple[int, ...], gap: float) -> Timing:
    """Let go in this order with a gap that nothing takes longer than."""
    return Timing(tuple(order.index(at) * gap for at in range(len(order))))


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
