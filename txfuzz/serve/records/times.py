"""The entries of a timeline by the clock: one run after the other, without the time between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from txfuzz.report.html.time_chart import TimeBand, TimePoint
from txfuzz.report.iteration import SMALL_SCOPE


def times_of(entries: Iterable[Mapping[str, Any]]) -> tuple[tuple[TimePoint, ...], tuple[TimeBand, ...]]:
    """The stretches of all runs, and the faults in them; the small-scope search has none."""
    points: list[TimePoint] = []
    bands: list[TimeBand] = []
    start = 0.0
    for entry in entries:
        if entry["iteration"] == SMALL_SCOPE:
            continue
        for at, seconds, committed, p50, p95 in entry["course"]:
            rate = committed / seconds if seconds else 0.0
            points.append(TimePoint(start + at + seconds / 2, seconds, rate, p50, p95))
        for each in entry["faults"]:
            begin = start + each["at"]
            bands.append(TimeBand(each["name"], begin, begin + each["seconds"]))
        start += entry["run_seconds"]
    return tuple(points), tuple(bands)
