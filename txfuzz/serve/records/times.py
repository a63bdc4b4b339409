"""The entries of a timeline by the clock: one run after the other, without the time between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txfuzz.report.html.time_chart import TimeBand, TimePoint, thinned
from txfuzz.report.iteration import SMALL_SCOPE

# (middle and length in seconds, committed, the two latencies), as cheap as can be: there may be many
_Raw = tuple[float, float, int, float | None, float | None]


class Clock:
    """Takes the entries of a timeline as they come."""

    def __init__(self) -> None:
        self._stretches: list[_Raw] = []
        self._bands: list[TimeBand] = []
        self._start = 0.0

    def add(self, entry: Mapping[str, Any]) -> None:
        """The small-scope search counts as nothing: it has no crowd."""
        if entry["iteration"] == SMALL_SCOPE:
            return
        start = self._start
        self._stretches += [
            (start + at + seconds / 2, seconds, committed, p50, p95)
            for at, seconds, committed, p50, p95 in entry["course"]
        ]
        for each in entry["faults"]:
            begin = start + each["at"]
            self._bands.append(TimeBand(each["name"], begin, begin + each["seconds"]))
        self._start = start + entry["run_seconds"]

    def points(self) -> tuple[TimePoint, ...]:
        """As many as a chart shows."""
        return tuple(thinned(self._stretches))

    def bands(self) -> tuple[TimeBand, ...]:
        return tuple(self._bands)
