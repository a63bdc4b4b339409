"""Physical keys for replays: every attempt has keys of its own, and none is used twice."""

from __future__ import annotations

from collections.abc import Callable

from txfuzz.workload.keys import Generation

_BLOCK = 128  # rows inserted beforehand in one go


class Numbering:
    """One numbering for all replays on a database. after: the highest physical key in use."""

    def __init__(self, after: int, insert_rows: Callable[[range], None]) -> None:
        self._last = after
        self._insert = insert_rows
        self._inserted = iter(range(0))

    def fresh(self) -> int:
        self._last += 1
        return self._last

    def inserted(self) -> int:
        """A key whose row is there, and empty."""
        for key in self._inserted:
            return key
        block = range(self._last + 1, self._last + 1 + _BLOCK)
        self._last = block[-1]
        self._insert(block)
        self._inserted = iter(block)
        return next(self._inserted)


class AttemptKeys:
    """The generations of the logical keys within one attempt, however much is written to them."""

    def __init__(self, numbering: Numbering, rows: str) -> None:
        self._take = numbering.inserted if rows == "inserted" else numbering.fresh
        self._open: dict[int, Generation] = {}

    def generation(self, logical: int) -> Generation:
        if logical not in self._open:
            self._open[logical] = Generation(self._take(), logical)
        return self._open[logical]

    def forget(self) -> None:
        """The next attempt begins."""
        self._open.clear()
