"""Which near-cycle a campaign pursues by directed schedules, and in which order of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from txfuzz.analysis.result import NearCycle
from txfuzz.feedback.directed.direction import DirectedOutcome

Shape = tuple[object, ...]


def shape(near: NearCycle) -> Shape:
    """What two near-cycles have in common if the same transactions would have to do the same: everything but
    keys."""
    names = {view.row: view.template for view in near.transactions}
    gap = near.missing
    path = ((each.kind, names[each.source], each.source_step, names[each.target], each.target_step)
            for each in near.path)  # fmt: skip
    return (gap.kind, names[gap.source], gap.source_step, names[gap.target], gap.target_step, *path)


@dataclass
class Pursuer:
    """Remembers what was tried. Deterministic: it follows from what it was shown."""

    def __post_init__(self) -> None:
        self._tried: Counter[Shape] = Counter()  # iterations
        self.played = self.forced = 0  # plays of all schedules so far
        self.refused: Counter[str] = Counter()

    def choose(self, near_cycles: Sequence[NearCycle]) -> int | None:
        """The place of the one to pursue: of those whose shape was tried least, the nearest."""
        if not near_cycles:
            return None
        return min(range(len(near_cycles)), key=lambda place: (self._tried[shape(near_cycles[place])], place))

    def times(self, near: NearCycle) -> int:
        """In how many iterations near-cycles of this shape were pursued."""
        return self._tried[shape(near)]

    def pursue(self, near: NearCycle) -> None:
        """Note that it is pursued in the next iteration."""
        self._tried[shape(near)] += 1

    def note(self, outcomes: Sequence[DirectedOutcome]) -> None:
        """Note what came of the last iteration's."""
        for each in outcomes:
            self.played += each.played
            self.forced += each.forced
            self.refused.update(each.refused)
