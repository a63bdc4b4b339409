"""A campaign by the clock: lines over the seconds that it ran, with the times at which faults were active."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from txfuzz.common.sentences import counted
from txfuzz.report.html.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MOST,
    RIGHT,
    TOP,
    WIDTH,
    ceiling,
    curve,
    figure,
    grid,
    heights,
)
from txfuzz.report.html.markup import Content, Markup, cut, el

_BANDS = 200  # drawn one by one; of more, those that would touch are drawn together
_TOUCH = 1 / 700  # of the time shown, about a pixel
_DOTTED = 60  # a line with more points has no dots


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A stretch of time. at: its middle, in seconds since the first one; seconds: its length.

    per_second: transactions that committed. p50, p95: of their latencies in milliseconds, if known.
    """

    at: float
    seconds: float
    per_second: float
    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class TimeBand:
    """When a fault was active, in the same seconds."""

    name: str
    start: float
    end: float


def time_charts(points: Sequence[TimePoint], bands: Sequence[TimeBand], *, caption: str = "") -> Content:
    """Throughput and latency; nothing without points, of which there should be no more than can be seen."""
    if not points:
        return None
    end = max(each.at + each.seconds / 2 for each in points)
    merged = _merged(bands, end)
    charts = [
        _chart("Committed per second", [("", [each.per_second for each in points])], points, merged, end),
        _chart(
            "Latency in milliseconds",
            [("median", [each.p50 for each in points]), ("95th percentile", [each.p95 for each in points])],
            points,
            merged,
            end,
        ),
    ]
    return [
        el("p", caption, class_="quiet") if caption else None,
        el("div", charts, class_="charts"),
        _faults(bands),
    ]


def _chart(
    title: str,
    lines: Sequence[tuple[str, Sequence[float | None]]],
    points: Sequence[TimePoint],
    bands: Sequence[TimeBand],
    end: float,
) -> Content:
    known = [value for _, values in lines for value in values if value is not None]
    if not known:
        return None
    top = ceiling(max(known))

    def at(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, seconds / end)

    def x(index: int) -> float:
        return at(points[index].at)

    y = heights(top)
    drawn = [
        el("g", curve(values, x, y), _dots(name, values, points, x, y), class_=f"line{number}")
        for number, (name, values) in enumerate(lines, 1)
    ]
    legend = [el("span", name, class_=f"key line{at}") for at, (name, _) in enumerate(lines, 1) if name]
    if bands:
        legend.append(el("span", "a fault is active", class_="key fault"))
    parts = [
        [_band(each, at) for each in bands],
        grid(top, lambda value: f"{value:,.4g}", y),
        _clock_axis(end, at),
        drawn,
    ]
    return figure(title, f"over {_clock(end)}", parts, legend)


def _band(band: TimeBand, at: Callable[[float], float]) -> Markup:
    x = at(band.start)
    told = f"{band.name}, from {band.start:.1f} s for {band.end - band.start:.2f} s"
    return el(
        "rect", el("title", told), x=x, y=TOP, width=max(1.5, at(band.end) - x), height=HEIGHT - BOTTOM - TOP,
        class_="fault",
    )  # fmt: skip


def _dots(
    name: str,
    values: Sequence[float | None],
    points: Sequence[TimePoint],
    x: Callable[[int], float],
    y: Callable[[float], float],
) -> Content:
    if len(points) > _DOTTED:
        return None
    return [
        el("circle", el("title", f"{points[at].at:.1f} s: {name} {value:,.4g}"), cx=x(at), cy=y(value), r=2.2)
        for at, value in enumerate(values)
        if value is not None
    ]


def _clock_axis(end: float, at: Callable[[float], float]) -> Markup:
    marks = [end * share / 4 for share in range(5)]
    return el(
        "g",
        [
            el("text", _clock(mark), x=at(mark), y=HEIGHT - 6, class_="last" if mark == end else "iteration")
            for mark in marks
        ],
        class_="grid",
    )


def _clock(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _faults(bands: Sequence[TimeBand]) -> Content:
    """Which ones, in words: a band alone does not say it."""
    counts: dict[str, int] = {}
    for each in bands:
        counts[each.name] = counts.get(each.name, 0) + 1
    if not counts:
        return None
    told = ", ".join(f"{cut(name, 40)} {counted(count, 'time')}" for name, count in sorted(counts.items()))
    return el("p", f"Faults: {told}.", class_="quiet")


def thinned(
    stretches: Sequence[tuple[float, float, int, float | None, float | None]],
) -> list[TimePoint]:
    """At most MOST points of these stretches: (middle and length in seconds, transactions that committed,
    median and 95th percentile of their latencies). Each is the mean of several; of the 95th percentiles the
    worst."""
    size = -(-len(stretches) // MOST) or 1
    return [_mean(stretches[at : at + size]) for at in range(0, len(stretches), size)]


def _mean(stretches: Sequence[tuple[float, float, int, float | None, float | None]]) -> TimePoint:
    middles, lengths, committed, medians, worst = zip(*stretches, strict=True)
    seconds = sum(lengths) or 1e-9
    start = middles[0] - lengths[0] / 2
    p50 = sorted(each for each in medians if each is not None)
    p95 = max((each for each in worst if each is not None), default=None)
    rate = sum(committed) / seconds
    return TimePoint(start + seconds / 2, seconds, rate, p50[len(p50) // 2] if p50 else None, p95)


def _merged(bands: Sequence[TimeBand], end: float) -> list[TimeBand]:
    """Those that would overlap on the screen as one, if there are many."""
    if len(bands) <= _BANDS:
        return [*bands]
    merged: list[TimeBand] = []
    for band in sorted(bands, key=lambda each: each.start):
        if merged and band.start - merged[-1].end < end * _TOUCH:
            name = band.name if band.name == merged[-1].name else "several faults"
            merged[-1] = replace(merged[-1], name=name, end=max(merged[-1].end, band.end))
        else:
            merged.append(band)
    return merged
