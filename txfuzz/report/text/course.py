"""How a number went, as a line of small bars that fits anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

_BARS = "▁▂▃▄▅▆▇█"
_POINTS = 48


def sparkline(values: Sequence[float]) -> str:
    """One character per value, in proportion to the largest."""
    most = max(values, default=0)
    if most <= 0:
        return _BARS[0] * len(values)
    last = len(_BARS) - 1
    return "".join(_BARS[min(last, int(max(value, 0) * len(_BARS) / (most * 1.001)))] for value in values)


@dataclass(frozen=True)
class Course:
    """A count that grows: what it was at moments that are equally far apart; apart: in seconds."""

    counts: tuple[int, ...] = (0,)
    apart: float = 1.0

    def at(self, seconds: float, count: int) -> Course:
        """A moment later. Where there are too many moments, every other one is left out."""
        counts, apart = self.counts, self.apart
        while seconds >= len(counts) * apart:
            counts = (*counts, count)
            if len(counts) > _POINTS:
                counts, apart = counts[::2], apart * 2
        return replace(self, counts=counts, apart=apart)

    @property
    def growth(self) -> tuple[int, ...]:
        """What came in each stretch of time."""
        return tuple(max(0, b - a) for a, b in zip(self.counts, self.counts[1:], strict=False))
