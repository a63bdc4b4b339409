"""Logical keys and their generations: the physical keys that stand in the database.

Lists stay short because a generation takes only so many writes; then the next one opens under
a new physical key. Physical keys are numbered upwards and never used twice, so that rows from
an earlier iteration are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from txfuzz.workload.model import KeyLife

_BLOCK = 256  # rows inserted beforehand in one go


class Generation:
    """One life of a logical key: its physical key, and the writes asked of it so far."""

    __slots__ = ("key", "logical", "writes")

    def __init__(self, key: int, logical: int) -> None:
        self.key = key
        self.logical = logical
        self.writes = 0


class KeySpace:
    """Which generation of each logical key is open. For one thread at a time.

    after: the highest physical key in use. insert_rows: commits empty rows for new keys; called
    only where rows are inserted beforehand.
    """

    def __init__(self, life: KeyLife, after: int, insert_rows: Callable[[range], None]) -> None:
        self._share = life.writes
        self._insert = insert_rows if life.rows == "inserted" else None
        self._first = self._next = after + 1
        self._inserted_to = after
        self._open: dict[int, Generation] = {}
        self._logical: list[int] = []  # of every generation, which is all that is kept of one that is over

    @property
    def last(self) -> int:
        """The highest physical key that was taken, or inserted for later."""
        return max(self._next - 1, self._inserted_to)

    @property
    def used(self) -> Iterator[tuple[int, int]]:
        """Physical and logical key of every generation that was opened, in order."""
        return zip(count(self._first), self._logical)

    def generation(self, logical: int) -> Generation:
        """The open generation of this key; a transaction asks once for each of its keys."""
        found = self._open.get(logical)
        if found is None or found.writes >= self._share:
            kept = logical if found is None else found.logical  # one number, however many generations
            found = self._open[logical] = Generation(self._fresh(), kept)
            self._logical.append(kept)
        return found

    def _fresh(self) -> int:
        if self._insert is not None and self._next > self._inserted_to:
            self._insert(range(self._next, self._next + _BLOCK))
            self._inserted_to = self._next + _BLOCK - 1
        self._next += 1
        return self._next - 1
