"""Which near-cycle a campaign pursues by directed schedules, and in which order of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from txfuzz.analysis.result import NearCycle
from txfuzz.feedback.directed.direction import DirectedOutcome

Shape = tuple[object, ...]


def shape(near: NearCycle) -> Shape:
    """What two near-cycles have in common if the same transactions would have to do the same: everything but
    keys."""
    names = {view.row: view.template or "" for view in near.transactions}
    gap = near.missing
    path = ((each.kind, names.get(each.source), each.source_step, names.get(each.target), each.target_step)
            for each in near.path)  # fmt: skip
    return (gap.kind, gap.source_template, gap.source_step, gap.target_template, gap.target_step, *path)


class Pursuer:
    """Remembers what was tried. Deterministic: it follows from what it was shown.

    A shape whose missing edge was not forced in two iterations in a row is left alone for one iteration,
    after two more for three, then for seven, and so on: the crowd runs alone meanwhile.
    """

    def __init__(self) -> None:
        self.played = self.forced = 0  # plays of all schedules so far
        self.refused: Counter[str] = Counter()
        self._now = 0  # iterations
        self._pursued: dict[int, Shape] = {}  # by iteration, until that has ended
        self._tried: Counter[Shape] = Counter()  # iterations
        self._fruitless: Counter[Shape] = Counter()  # iterations in a row
        self._due: dict[Shape, int] = {}  # not before this iteration

    def choose(self, near_cycles: Sequence[NearCycle]) -> int | None:
        """The place of the one to pursue: of those whose shape was tried least, the nearest. None if all of
        them are to be left alone for now."""
        due = [
            (self._tried[found], place)
            for place, found in enumerate(map(shape, near_cycles))
            if self._due.get(found, 0) <= self._now
        ]
        return min(due)[1] if due else None

    def times(self, near: NearCycle) -> int:
        """In how many iterations near-cycles of this shape were pursued."""
        return self._tried[shape(near)]

    def pursue(self, near: NearCycle, iteration: int = 0) -> None:
        """Note that it is pursued in this iteration."""
        pursued = self._pursued[iteration] = shape(near)
        self._tried[pursued] += 1

    def note(self, outcomes: Sequence[DirectedOutcome], iteration: int = 0) -> None:
        """An iteration has ended, and this came of its directed schedules."""
        self._now += 1
        for each in outcomes:
            self.played += each.played
            self.forced += each.forced
            self.refused.update(each.refused)
        pursued = self._pursued.pop(iteration, None)
        if pursued is not None:
            forced = any(each.forced for each in outcomes)
            self._fruitless[pursued] = 0 if forced else self._fruitless[pursued] + 1
            self._due[pursued] = self._now + 2 ** (self._fruitless[pursued] // 2) - 1
