"""The course of a run: how much committed and how long it took, stretch by stretch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.history.model import FINAL_READ, OK, History

STRETCHES = 6  # of a run
_MILLISECOND, _SECOND = 1e6, 1e9  # in nanoseconds


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a run. at, seconds: when it began, since the start of the run, and how long it was.

    committed: transactions that committed in it. p50, p95: of their latencies, from invocation to
    completion, in milliseconds; None if there is none.
    """

    at: float
    seconds: float
    committed: int
    p50: float | None = None
    p95: float | None = None

    @property
    def per_second(self) -> float:
        return self.committed / self.seconds if self.seconds > 0 else 0.0


def course_of(history: History) -> tuple[Stretch, ...]:
    """A run in stretches of equal length, without the final reads; none for a history without times."""
    timed = (history.invoke_time >= 0) & (history.complete_time >= history.invoke_time)
    if FINAL_READ in history.templates:
        timed &= history.template != list(history.templates).index(FINAL_READ)
    if not timed.any():
        return ()
    counted = timed & (history.type == OK)
    ends = history.complete_time[counted]
    latency = (ends - history.invoke_time[counted]) / _MILLISECOND
    length = max(int(history.complete_time[timed].max()) + 1, STRETCHES)  # also where nothing commits
    place = np.minimum(ends * STRETCHES // length, STRETCHES - 1)
    seconds = length / STRETCHES / _SECOND
    found = []
    for at in range(STRETCHES):
        own = latency[place == at]
        p50, p95 = (float(each) for each in np.percentile(own, (50, 95))) if len(own) else (None, None)
        found.append(Stretch(at * seconds, seconds, len(own), p50, p95))
    return tuple(found)
