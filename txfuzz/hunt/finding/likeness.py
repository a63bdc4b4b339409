"""Which schedules that go wrong are looked at closely, and which are counted as one more of the same.

Shrinking takes seconds, and a hole shows again every few hundred schedules. But two holes can show in the
same forms, so likeness alone is no proof: the first ones of each likeness are shrunk, and then ever fewer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from txfuzz.hunt.judging.wrong import Wrong

_SHARE = 0.1  # of the time goes into shrinking what looks like something that is there already


@dataclass(frozen=True, slots=True)
class Likeness:
    """What is told of a schedule without shrinking it. hole: by name, the one that it looks like. forms: of
    it, that take part in that hole."""

    hole: str
    wrong: Wrong
    isolation: str
    layout: str
    forms: frozenset[str]


class Samples:
    """Which schedules of a likeness are shrunk: number 1, 2, 4, 8 and so on, as long as there is time."""

    def __init__(self) -> None:
        self._seen: Counter[Likeness] = Counter()
        self._spent = 0.0

    def due(self, likeness: Likeness, seconds: float) -> bool:
        """Tells it of one more. seconds: since the hunt began. One that there is no time for is not counted,
        so that the next one of its likeness has its turn."""
        number = self._seen[likeness] + 1
        closely = number & (number - 1) == 0
        if closely and self._spent > _SHARE * seconds:
            return False
        self._seen[likeness] = number
        return closely

    def spent(self, seconds: float) -> None:
        self._spent += seconds
