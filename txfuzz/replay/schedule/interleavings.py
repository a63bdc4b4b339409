"""The interleavings of a few transactions, only one of each class of equivalent ones.

Two adjacent statements of different transactions commute if neither can notice the other: statements on
different keys, two reads, a commit of a transaction that wrote nothing the other touches. Orders that differ
only by swapping such neighbours are equivalent (a Mazurkiewicz trace); of each class the lexicographically
first order is taken, which is recognised while it is built (Anisimov, Knuth, "Inhomogeneous sorting", 1979).

Statements must commute on any database and at any level: a transaction's first statement may take its
snapshot, so it does not commute with a commit whose writes the transaction reads or overwrites.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from math import factorial, prod

from txfuzz.replay.schedule.mvcc_model import Access, Event
from txfuzz.workload.seeds import stream


class Interleavings:
    """accesses: by alias, what each step does."""

    def __init__(self, accesses: Mapping[str, Sequence[Access]]) -> None:
        self._accesses = accesses
        self._aliases = tuple(accesses)
        self._place = {alias: at for at, alias in enumerate(self._aliases)}
        self._touches = {
            alias: {key for access in each for _, key in access or ()} for alias, each in accesses.items()
        }
        self._writes = {  # or locks
            alias: {key for access in each for f, key in access or () if f != "r"}
            for alias, each in accesses.items()
        }
        # A statement that the checker does not see may touch anything.
        self._unknown = {alias for alias, each in accesses.items() if None in each}
        self._commutes: dict[tuple[Event, Event], bool] = {}

    @property
    def count(self) -> int:
        """The number of all orders, equivalent ones included."""
        lengths = [len(each) + 1 for each in self._accesses.values()]
        return factorial(sum(lengths)) // prod(map(factorial, lengths))

    def all(self) -> Iterator[tuple[Event, ...]]:
        """Every distinct interleaving, in lexicographic order."""
        return self._grow([], dict.fromkeys(self._aliases, 0))

    def drawn(self, draws: random.Random) -> tuple[Event, ...]:
        """A random one, drawn from all orders rather than from the distinct ones."""
        done = dict.fromkeys(self._aliases, 0)
        order: list[Event] = []
        left = {alias: len(each) + 1 for alias, each in self._accesses.items()}
        while any(left.values()):
            alias = draws.choices(self._aliases, [left[each] for each in self._aliases])[0]
            order.append((alias, done[alias]))
            done[alias] += 1
            left[alias] -= 1
        return self.normal(order)

    def normal(self, order: Sequence[Event]) -> tuple[Event, ...]:
        """The lexicographically first equivalent order."""
        left: dict[str, list[int]] = {alias: [] for alias in self._aliases}  # places, the first one last
        for at in reversed(range(len(order))):
            left[order[at][0]].append(at)
        gone = [False] * len(order)
        behind = [0] * len(order)  # up to where nothing keeps an event from going first
        found: list[Event] = []
        while len(found) < len(order):
            for places in left.values():
                if not places:
                    continue
                at, upto = places[-1], behind[places[-1]]
                while upto < at and (gone[upto] or self.commute(order[upto], order[at])):
                    upto += 1
                behind[at] = upto
                if upto == at:
                    break
            places.pop()
            gone[at] = True
            found.append(order[at])
        return tuple(found)

    def _grow(self, order: list[Event], done: dict[str, int]) -> Iterator[tuple[Event, ...]]:
        ended = True
        for alias in self._aliases:
            if done[alias] > len(self._accesses[alias]):
                continue
            ended = False
            event = (alias, done[alias])
            if self._comes_late(order, event):
                continue
            order.append(event)
            done[alias] += 1
            yield from self._grow(order, done)
            done[alias] -= 1
            order.pop()
        if ended:
            yield tuple(order)

    def _comes_late(self, order: Sequence[Event], event: Event) -> bool:
        """Could the event be moved before a greater one?"""
        for other in reversed(order):
            if not self.commute(other, event):
                return False
            if self._place[other[0]] > self._place[event[0]]:
                return True
        return False

    def commute(self, one: Event, two: Event) -> bool:
        known = self._commutes.get((one, two))
        if known is None:
            known = self._commutes[one, two] = not (self._meet(one, two) or self._meet(two, one))
        return known

    def _meet(self, one: Event, two: Event) -> bool:
        """Can one of the two notice the other? To be called both ways round."""
        (alias, step), (other, _) = one, two
        if alias == other or {alias, other} & self._unknown:
            return True
        mine, theirs = self._access(one), self._access(two)
        if mine is not None and theirs is not None:
            return any(
                key == other_key and not f == other_f == "r"
                for f, key in mine
                for other_f, other_key in theirs
            )
        if mine is not None:  # `two` ends its transaction
            writes = self._writes[other]
            touched = {key for _, key in mine}
            return bool(touched & writes) or (step == 0 and bool(self._touches[alias] & writes))
        if theirs is not None:
            return False  # covered by the opposite call
        # The order of two commits matters if their transactions conflict at all.
        return bool(self._touches[alias] & self._writes[other])

    def _access(self, event: Event) -> Access:
        alias, step = event
        return None if step == len(self._accesses[alias]) else self._accesses[alias][step]


def sampled(accesses: Mapping[str, Sequence[Access]], most: int, seed: int) -> list[tuple[Event, ...]]:
    """At most `most` distinct interleavings: all in lexicographic order, or a sample."""
    interleavings = Interleavings(accesses)
    if interleavings.count <= 4 * most:
        return list(interleavings.all())[:most]
    draws = stream(seed, "interleavings")
    found: dict[tuple[Event, ...], None] = {}
    for _ in range(8 * most):
        if len(found) == most:
            break
        found.setdefault(interleavings.drawn(draws))
    return list(found)
