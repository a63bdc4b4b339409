"""A coordinator of slices that follow from nothing that others come to, and of which each is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from txfuzz.errors import DatabaseUnavailable

What = TypeVar("What")  # is to be done
Comes = TypeVar("Comes")  # of it, so far
_TRIES = 3  # of a slice, before it is given up


@dataclass(frozen=True)
class Part(Generic[What]):
    """A slice. number: its place among all."""

    number: int
    what: What


class Independent(Generic[What, Comes]):
    """Slices (see workers.contract). What a lost worker had not finished is begun anew by another one.

    parts: there may be no end of them. on_told: is called with all that a part has come to so far; on_ended:
    with the last of it, once it is done. on_lost: is told of each loss in a sentence. interrupted: ends it
    all.
    """

    def __init__(
        self,
        parts: Iterable[What],
        *,
        on_ended: Callable[[Part[What], Comes], None],
        on_told: Callable[[Part[What], Comes], None] = lambda part, news: None,
        on_lost: Callable[[str], None] = lambda sentence: None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._parts = (Part(number, what) for number, what in enumerate(parts))
        self._again: list[Part[What]] = []
        self._on_told, self._on_ended, self._on_lost = on_told, on_ended, on_lost
        self._interrupted = interrupted
        self._last: dict[int, Comes] = {}
        self._losses: dict[int, int] = {}

    def take(self) -> Part[What] | None:
        return self._again.pop() if self._again else next(self._parts, None)

    def told(self, asked: Part[What], news: Comes) -> None:
        self._last[asked.number] = news
        self._on_told(asked, news)

    def ended(self, asked: Part[What]) -> None:
        if asked.number in self._last:
            self._on_ended(asked, self._last.pop(asked.number))

    def lost(self, asked: Part[What], why: str) -> None:
        """DatabaseUnavailable where this slice has cost several workers."""
        self._last.pop(asked.number, None)
        losses = self._losses[asked.number] = self._losses.get(asked.number, 0) + 1
        if losses >= _TRIES:
            raise DatabaseUnavailable(f"{why}; at this part of the work {losses} workers were lost")
        self._again.append(asked)
        self._on_lost(f"{why}; another one does its part again")

    def enough(self) -> bool:
        return self._interrupted()
