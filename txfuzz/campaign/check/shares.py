"""How sets of transactions at levels share the time for their schedules."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from txfuzz.campaign.check.counting import LEAST, Budget

_SHORTEST = 0.2  # seconds that are worth another go
_MOST_KEPT = 100_000  # schedules behind searches that are kept, to be gone on with: about 3 kB each


class Schedules(Protocol):
    """See SetSchedules."""

    @property
    def unfinished(self) -> bool: ...

    def follow(self, budget: Budget) -> None: ...

    def drop(self) -> None: ...


@dataclass(eq=False)
class Cell:
    """A set of transactions at one level. decides: whether that is a level that was asked for. programs: how
    many there are. followed: tells how many schedules were."""

    schedules: Schedules
    decides: bool
    programs: int
    followed: Callable[[], int]
    begun: bool = False

    def follow(self, seconds: float, least: float) -> float:
        """The seconds that it took. least: of each program."""
        began, self.begun = time.monotonic(), True
        parts = max(self.programs, 1)
        self.schedules.follow(Budget(seconds, parts, least=least))
        return time.monotonic() - began


def follow_in_turn(cells: Sequence[Cell], seconds: float, over: Callable[[], bool]) -> None:
    """Those that decide come first, and get half of the time if there are others to compare; then these.

    Each program of a level that decides has a moment, but all of them together no more than that time. What a
    cell does not use goes to those after it, and what is left in the end to those that decide and
    were not finished. over: is asked before each cell.
    """
    deciding = [each for each in cells if each.decides]
    others = [each for each in cells if not each.decides]
    half = seconds / 2 if deciding and others else seconds
    number = sum(max(each.programs, 1) for each in deciding)
    left = seconds - _one_after_another(
        deciding, half, over, kept=_MOST_KEPT, least=min(LEAST, half / max(number, 1))
    )
    compared = half if any(each.schedules.unfinished for each in deciding) else left
    left -= _one_after_another(others, compared, over, kept=0, least=0.0)
    while left > _SHORTEST and not over():
        unfinished = [each for each in deciding if each.schedules.unfinished]
        if not unfinished:
            break
        left -= _one_after_another(unfinished, left, over, kept=_MOST_KEPT, least=0.0)


def _one_after_another(
    cells: Sequence[Cell], seconds: float, over: Callable[[], bool], *, kept: int, least: float
) -> float:
    """The seconds that they took. kept: so many schedules may stand behind what is kept to go on with."""
    took = 0.0
    for number, each in enumerate(cells):
        if over():
            break
        took += each.follow(max(seconds - took, 0.0) / (len(cells) - number), least)
        if each.schedules.unfinished:
            kept -= each.followed()
            if kept < 0 or not each.decides:
                each.schedules.drop()
    return took
