"""Logical keys and their generations: the physical keys in the database.

A generation takes a limited number of writes, which keeps lists short; then the next one opens under a new
physical key. Physical keys only grow and are never reused, so rows of earlier iterations stay untouched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count

from txfuzz.workload.model import KeyLife

_BLOCK = 256  # rows inserted at once
# Where new values begin: above the values that generations count, below the largest 4-byte integer
_FIRST, _FIRSTS = 1_000_000_000, 1_000_000_000
_SPREAD = 2_654_435_761  # Knuth's multiplicative hash: spreads nearby times widely


class NewValues:
    """Values for keys that may have been written before this run.

    They start at a number that depends on the time, so that values left by earlier runs are not mistaken
    for ours, and fit into 4-byte columns.
    """

    def __init__(self) -> None:
        self._first = self._next = _FIRST + time.time_ns() // 1000 * _SPREAD % _FIRSTS

    def new(self) -> int:
        self._next += 1
        return self._next - 1

    def gave(self, value: int) -> bool:
        return self._first <= value < self._next


class Generation:
    """One generation of a logical key: its physical key, and the number of writes issued so far."""

    __slots__ = ("key", "logical", "writes")

    def __init__(self, key: int, logical: int) -> None:
        self.key = key
        self.logical = logical
        self.writes = 0


class KeySpace:
    """The open generation of each logical key. Not thread-safe.

    after: the highest physical key in use. insert_rows: commits what `rows` says for new keys; not used
    with `rows: fresh`.
    """

    def __init__(self, life: KeyLife, after: int, insert_rows: Callable[[range], None]) -> None:
        self._share = life.writes
        self._insert = insert_rows if life.rows != "fresh" else None
        self._first = self._next = after + 1
        self._inserted_to = after
        self._open: dict[int, Generation] = {}
        self._logical: list[int] = []  # of every generation: all that is kept of finished ones
        self._values = NewValues()

    @property
    def last(self) -> int:
        """The highest physical key in use or inserted in advance."""
        return max(self._next - 1, self._inserted_to)

    @property
    def used(self) -> Iterator[tuple[int, int]]:
        """(physical key, logical key) of every generation so far, in order."""
        return zip(count(self._first), self._logical)

    def generation(self, logical: int) -> Generation:
        """The open generation of this key; called once per key and transaction."""
        found = self._open.get(logical)
        if found is None or found.writes >= self._share:
            kept = logical if found is None else found.logical  # one int object, however many generations
            found = self._open[logical] = Generation(self._fresh(), kept)
            self._logical.append(kept)
        return found

    def new_value(self) -> int:
        return self._values.new()

    def wrote(self, value: int) -> bool:
        return self._values.gave(value)

    def written(self, key: int) -> None:
        logical = self.logical(key)
        found = None if logical is None else self._open.get(logical)
        if found is not None and found.key == key:
            found.writes += 1

    def logical(self, key: int) -> int | None:
        at = key - self._first
        return self._logical[at] if 0 <= at < len(self._logical) else None

    def _fresh(self) -> int:
        if self._insert is not None and self._next > self._inserted_to:
            self._insert(range(self._next, self._next + _BLOCK))
            self._inserted_to = self._next + _BLOCK - 1
        self._next += 1
        return self._next - 1
