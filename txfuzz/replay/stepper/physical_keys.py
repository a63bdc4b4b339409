"""Physical keys for replays: every attempt gets new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from txfuzz.workload.keys import Generation, NewValues

_BLOCK = 128  # rows inserted at once


class PhysicalKeys:
    """One numbering for all replays on a database. after: the highest physical key in use. insert_rows: makes
    rows for new keys, as `rows` of a workload says."""

    def __init__(self, after: int, insert_rows: Callable[[range, str], None]) -> None:
        self._last = after
        self.values = NewValues()
        self._insert = insert_rows
        self._made: dict[str, Iterator[int]] = {}

    @property
    def last(self) -> int:
        """The highest key in use."""
        return self._last

    def renew(self, after: int) -> None:
        """Rows that were made may be gone, since the tables were made anew. after: the highest key there."""
        self._last = max(self._last, after)
        self._made.clear()

    def fresh(self) -> int:
        self._last += 1
        return self._last

    def prepared(self, rows: str) -> int:
        """A key whose row exists and is empty ("inserted"), or did exist ("deleted")."""
        for key in self._made.get(rows, ()):
            return key
        block = range(self._last + 1, self._last + 1 + _BLOCK)
        self._last = block[-1]
        self._insert(block, rows)
        self._made[rows] = iter(block)
        return next(self._made[rows])


class AttemptKeys:
    """The generations of logical keys within one attempt; they are never full."""

    def __init__(self, numbering: PhysicalKeys, rows: str) -> None:
        self._take = numbering.fresh if rows == "fresh" else partial(numbering.prepared, rows)
        self._values = numbering.values
        self._since = self._values.new()
        self._open: dict[int, Generation] = {}

    def generation(self, logical: int) -> Generation:
        if logical not in self._open:
            self._open[logical] = Generation(self._take(), logical)
        return self._open[logical]

    def new_value(self) -> int:
        return self._values.new()

    def wrote(self, value: int) -> bool:
        """Only values of this attempt count, not those left by earlier ones."""
        return value > self._since and self._values.gave(value)

    def written(self, key: int) -> None:
        """No generation of an attempt is ever full."""

    def logical(self, key: int) -> int | None:
        return next((each.logical for each in self._open.values() if each.key == key), None)

    def begin_attempt(self) -> None:
        """The next attempt begins."""
        self._open.clear()
        self._since = self._values.new()
