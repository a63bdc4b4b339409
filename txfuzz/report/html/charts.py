"""A campaign iteration by iteration: small charts that share their axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from txfuzz.analysis.result import Verdict
from txfuzz.report.html.markup import Content, Markup, el, points
from txfuzz.report.iteration import Iteration

WIDTH, HEIGHT = 360.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 26.0, 22.0
_LETTERED = 16  # with more iterations, decisions are marked without letters
_DOTTED = 80  # a line with more points has no dots
MOST = 240  # points of a line

# What changes, as a letter
LETTERS = {
    "keys": "K",
    "mix": "M",
    "scheduling.clients": "C",
    "scheduling.barrier_every": "B",
    "init_schema": "S",
    "choices": "k",
    "keys.writes": "W",
    "keys.rows": "R",
    "scheduling.think_time": "P",
    "scheduling.sending": "T",
    "locks": "L",
    "isolation": "I",
    "faults": "F",
    "transactions": "X",
}


@dataclass(frozen=True)
class Column:
    """One or more successive iterations at one position on the axis."""

    iterations: tuple[Iteration, ...]

    @property
    def name(self) -> str:
        first, last = self.iterations[0].number, self.iterations[-1].number
        return str(first) if first == last else f"{first}–{last}"

    @property
    def invalid(self) -> bool:
        return any(each.verdict is Verdict.INVALID for each in self.iterations)

    @property
    def targets(self) -> list[str]:
        """What the feedback changed after it."""
        return list(dict.fromkeys(each.target for one in self.iterations for each in one.decisions))

    def mean(self, measure: Callable[[Iteration], float | None]) -> float | None:
        values = [value for each in self.iterations if (value := measure(each)) is not None]
        values = [value for value in values if math.isfinite(value)]
        return sum(values) / len(values) if values else None


def columns_of(iterations: Sequence[Iteration]) -> list[Column]:
    """At most MOST columns, however many iterations there are."""
    size = -(-len(iterations) // MOST) or 1
    return [Column(tuple(iterations[at : at + size])) for at in range(0, len(iterations), size)]


@dataclass(frozen=True)
class Line:
    """name: in the legend."""

    name: str
    measure: Callable[[Iteration], float | None]


def chart(
    title: str, lines: Sequence[Line], columns: Sequence[Column], shown: Callable[[float], str]
) -> Markup:
    """One figure; empty if no iteration has a value."""
    values = [[column.mean(line.measure) for column in columns] for line in lines]
    known = [value for line in values for value in line if value is not None]
    if not known:
        return Markup("")
    top = ceiling(max(known))

    def x(at: int) -> float:
        inner = WIDTH - LEFT - RIGHT
        return LEFT + (inner / 2 if len(columns) == 1 else inner * (0.04 + 0.92 * at / (len(columns) - 1)))

    y = heights(top)
    drawn = [
        el("g", [curve(line, x, y), _dots(line, columns, x, y, shown)], class_=f"line{number}")
        for number, line in enumerate(values, 1)
    ]
    keys = [el("span", line.name, class_=f"key line{at}") for at, line in enumerate(lines, 1)]
    parts = [grid(top, shown, y), _names(columns, x), _decisions(columns, x), drawn]
    return figure(title, "by iteration", parts, keys if len(lines) > 1 else [])


def heights(top: float) -> Callable[[float], float]:
    """The place of a value on the axis that goes up to top."""
    return lambda value: HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(1.0, value / top)


def figure(title: str, along: str, drawn: Content, keys: Sequence[Markup]) -> Markup:
    """along: what the title is drawn by or over. keys: of the legend, if there is one."""
    return el(
        "figure",
        el("figcaption", title),
        el(
            "svg",
            el("title", f"{title}, {along}"),
            drawn,
            viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
            role="img",
            class_="chart",
        ),
        el("p", keys, class_="keys") if keys else None,
    )


def curve(values: Sequence[float | None], x: Callable[[int], float], y: Callable[[float], float]) -> Content:
    """The known stretches, each with the area below it."""
    drawn: list[Content] = []
    for gap, group in groupby(enumerate(values), key=lambda each: each[1] is None):
        places = [(x(at), y(value)) for at, value in group if value is not None]
        if gap or len(places) < 2:
            continue
        floor = y(0)
        area = [(places[0][0], floor), *places, (places[-1][0], floor)]
        drawn.append(el("polygon", points=points(*area), class_="area"))
        drawn.append(el("polyline", points=points(*places)))
    return drawn


def _dots(
    values: Sequence[float | None],
    columns: Sequence[Column],
    x: Callable[[int], float],
    y: Callable[[float], float],
    shown: Callable[[float], str],
) -> Content:
    plain = len(columns) <= _DOTTED
    return [
        el(
            "circle",
            el("title", f"iteration {column.name}: {shown(value)}{', found' if column.invalid else ''}"),
            cx=x(at), cy=y(value), r=3.4 if column.invalid else 2.6,
            class_="found" if column.invalid else None,
        )
        for at, (value, column) in enumerate(zip(values, columns, strict=True))
        if value is not None and (plain or column.invalid)
    ]  # fmt: skip


def grid(top: float, shown: Callable[[float], str], y: Callable[[float], float]) -> Markup:
    drawn: list[Content] = []
    for value in (0.0, top / 2, top):
        drawn.append(el("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(value), y2=y(value)))
        drawn.append(el("text", shown(value), x=LEFT - 6, y=y(value) + 3.5, class_="value"))
    return el("g", drawn, class_="grid")


def _names(columns: Sequence[Column], x: Callable[[int], float]) -> Markup:
    """The numbers of the iterations, as many as fit."""
    step = max(1, -(-len(columns) // 12))
    return el(
        "g",
        [
            el("text", columns[at].name, x=x(at), y=HEIGHT - 6, class_="iteration")
            for at in range(0, len(columns), step)
        ],
        class_="grid",
    )


def _decisions(columns: Sequence[Column], x: Callable[[int], float]) -> Markup:
    """A mark between two iterations where the feedback changed the workload."""
    drawn: list[Content] = []
    for at, column in enumerate(columns[:-1]):
        if not column.targets:
            continue
        middle = (x(at) + x(at + 1)) / 2
        told = f"after iteration {column.name}: {', '.join(column.targets)} changed"
        letters = "".join(LETTERS.get(target, "·") for target in column.targets)
        drawn.append(
            el(
                "g",
                el("title", told),
                el("line", x1=middle, x2=middle, y1=TOP - 6, y2=HEIGHT - BOTTOM),
                el("text", letters, x=middle, y=TOP - 10) if len(columns) <= _LETTERED else None,
            )
        )
    return el("g", drawn, class_="decision")


def ceiling(value: float) -> float:
    """The next round number that is not smaller."""
    if value <= 0:
        return 1.0
    order = 10.0 ** math.floor(math.log10(value))
    return next(order * each for each in (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10, 20) if order * each >= value)
