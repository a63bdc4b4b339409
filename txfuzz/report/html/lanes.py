"""The transactions of a cycle over time: a lane a client, reads and writes in their bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from txfuzz.analysis.describe import elapsed
from txfuzz.analysis.result import TransactionView
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.report.html.cycle import Cycle, Link
from txfuzz.report.html.markup import Content, Markup, cut, el, points
from txfuzz.report.html.micro_operations import cells, short_mop
from txfuzz.report.pictures.time_axis import stretch

_CHAR, _NAME_CHAR = 6.7, 6.9
_PAD, _BETWEEN = 8.0, 5.0
_CELL, _HEADER = 20.0, 19.0
_BAR = _HEADER + _CELL + _PAD
_PITCH = _BAR + 58.0
_GUTTER = 74.0  # for the names of the lanes
_EVENT = 58.0  # between two events, so that their times fit under the axis
_CELLS = 8  # shown of one transaction

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Cell:
    """mop: its place among all of the transaction; None for those left out."""

    mop: int | None
    text: str
    x: float
    width: float
    f: str


@dataclass(frozen=True, slots=True)
class _Bar:
    name: str
    note: str
    view: TransactionView
    cells: list[_Cell]
    width: float
    left: float = 0.0
    right: float = 0.0
    y: float = 0.0

    def anchor(self, mop: int | None) -> float:
        """Where an edge of that micro-operation meets the bar."""
        for cell in self.cells:
            if mop is not None and cell.mop == mop:
                return self.left + cell.x + cell.width / 2
        return (self.left + self.right) / 2


def lanes(cycle: Cycle, title: str) -> Markup:
    """An SVG at its natural size, to be scrolled; nothing where the history has no times."""
    marked = _marked(cycle)
    bars = {
        at: _bar(node.name, node.view, marked.get(at, set()))
        for at, node in enumerate(cycle.nodes)
        if node.view is not None and node.view.start is not None and node.view.end is not None
    }
    if not bars or len(bars) < sum(node.view is not None for node in cycle.nodes):
        return Markup("")
    lane_of, names = _lanes(bars)
    bars = _placed(bars, lane_of)
    width = max(bar.right for bar in bars.values()) + 44
    height = len(names) * _PITCH + 16
    kinds = _kinds(cycle)
    arrows = [_arrow(link, number, bars, cycle) for number, link in enumerate(cycle.links, 1) if link.label]
    return el(
        "svg",
        el("title", title),
        [_lane(name, lane, width) for lane, name in enumerate(names)],
        _axis(bars, len(names) * _PITCH - 6),
        [line for line, _ in arrows],
        [_drawn(bar, at, kinds) for at, bar in bars.items()],
        [label for _, label in arrows],
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=float(round(width)),
        height=float(round(height)),
        role="img",
        class_="lanes",
    )


def _marked(cycle: Cycle) -> dict[int, set[int]]:
    """The micro-operations that edges need, by node."""
    found: dict[int, set[int]] = {}
    for link in cycle.links:
        for node, mop in zip((link.source, link.target), _ends(link, cycle), strict=True):
            if mop is not None:
                found.setdefault(node, set()).add(mop)
    return found


def _kinds(cycle: Cycle) -> dict[tuple[int, int], str]:
    """The kind of edge that a micro-operation takes part in, by node and place."""
    found: dict[tuple[int, int], str] = {}
    for link in reversed(cycle.links):
        for node, mop in zip((link.source, link.target), _ends(link, cycle), strict=True):
            if mop is not None:
                found[node, mop] = link.kind
    return found


def _ends(link: Link, cycle: Cycle) -> tuple[int | None, int | None]:
    made = link.edge or link.missing
    if made is None:
        return None, None
    places = zip((link.source, link.target), (made.source_mop, made.target_mop), strict=True)
    source, target = (mop if mop is not None and mop < len(_mops(cycle, at)) else None for at, mop in places)
    return source, target


def _mops(cycle: Cycle, at: int) -> tuple[MopView, ...]:
    view = cycle.nodes[at].view
    return () if view is None else view.mops


def _bar(name: str, view: TransactionView, marked: set[int]) -> _Bar:
    mops = view.mops
    shown: list[_Cell] = []
    x = _PAD
    kept = sorted({*marked, *range(len(mops))}, key=lambda at: (at not in marked, at))[:_CELLS]
    for at in sorted(kept):
        mop = mops[at]
        text = short_mop(mop)
        width = cells(text) * _CHAR + 10
        shown.append(_Cell(at, text, x, width, mop.f))
        x += width + _BETWEEN
    if len(mops) > len(kept):
        text = f"+{len(mops) - len(kept)}"
        shown.append(_Cell(None, text, x, cells(text) * _CHAR + 10, ""))
        x += shown[-1].width + _BETWEEN
    lasted = elapsed(max(0, (view.end or 0) - (view.start or 0)))
    note = " · ".join([*([cut(view.template, 28)] if view.template else []), lasted])
    head = (cells(name) + cells(note) + 1) * _NAME_CHAR + 2 * _PAD
    return _Bar(name, note, view, shown, max(x - _BETWEEN + _PAD, head))


def _lanes(bars: dict[int, _Bar]) -> tuple[dict[int | str, int], list[str]]:
    """The lane of each process, in the order of the cycle."""
    processes = list(dict.fromkeys(bar.view.process for bar in bars.values()))
    names = [cut(f"client {each}", 16) for each in processes]
    return {process: at for at, process in enumerate(processes)}, names


def _placed(bars: dict[int, _Bar], lane_of: dict[int | str, int]) -> dict[int, _Bar]:
    """In the order of the history; not to scale, for then most would be hairs."""
    spans = [(float(bar.view.start or 0), float(bar.view.end or 0)) for bar in bars.values()]
    places = stretch(spans, [bar.width for bar in bars.values()], _EVENT)
    return {
        at: replace(
            bar, left=_GUTTER + left, right=_GUTTER + right, y=lane_of[bar.view.process] * _PITCH + 22
        )
        for (at, bar), (left, right) in zip(bars.items(), places, strict=True)
    }


def _lane(name: str, lane: int, width: float) -> Markup:
    y = lane * _PITCH + 22 + _BAR / 2
    return el(
        "g",
        el("line", x1=_GUTTER - 8, x2=width, y1=y, y2=y),
        el("text", name, x=0.0, y=y + 4),
        class_="lane",
    )


def _axis(bars: dict[int, _Bar], bottom: float) -> Markup:
    """A hair at each begin and end, with the time since the first one."""
    zero = min(bar.view.start or 0 for bar in bars.values())
    drawn: list[Content] = []
    for bar in bars.values():
        for x, time in ((bar.left, bar.view.start or 0), (bar.right, bar.view.end or 0)):
            drawn.append(el("line", x1=x, x2=x, y1=bar.y, y2=bottom))
            drawn.append(el("text", f"+{elapsed(time - zero)}" if time > zero else "0", x=x, y=bottom + 14))
    return el("g", drawn, class_="axis")


def _drawn(bar: _Bar, at: int, kinds: dict[tuple[int, int], str]) -> Markup:
    parts: list[Content] = [
        el("title", f"transaction {bar.view.index}: {cut(bar.view.text, 600)}"),
        el("rect", x=bar.left, y=bar.y, width=bar.right - bar.left, height=_BAR, rx=7.0, class_="bar"),
        el("text", el("tspan", bar.name, class_="name"), " ", bar.note, x=bar.left + _PAD, y=bar.y + 14),
    ]
    for cell in bar.cells:
        x, y = bar.left + cell.x, bar.y + _HEADER
        kind = "" if cell.mop is None else kinds.get((at, cell.mop), "")
        parts.append(
            el(
                "g",
                el("rect", x=x, y=y, width=cell.width, height=_CELL, rx=4.0),
                el("text", cell.text, x=x + 5, y=y + 14, textLength=cell.width - 10,
                   lengthAdjust="spacingAndGlyphs"),
                class_=" ".join(filter(None, ["cell", "read" if cell.f == "r" else "write", kind])),
            )
        )  # fmt: skip
    return el("g", parts, class_="txn")


def _arrow(link: Link, number: int, bars: dict[int, _Bar], cycle: Cycle) -> tuple[Content, Content]:
    """The line, which runs behind other bars, and its label, which stands before them."""
    source, target = bars.get(link.source), bars.get(link.target)
    if source is None or target is None:
        return None, None
    mops = _ends(link, cycle)
    curve = _curve(source, target, source.anchor(mops[0]), target.anchor(mops[1]))
    start, *bend, end = curve
    middle = _label_at(curve)
    text = f"{link.kind}?" if link.missing is not None else link.kind
    half = len(text) * 3.4 + 5
    group = f"{link.kind} e{number}{' missing' if link.missing is not None else ''}"
    line = el(
        "path", d=f"M{points(start)} C{points(*bend)} {points(end)}", class_="edge",
        marker_end=f"url(#tip-{link.kind})",
    )  # fmt: skip
    label = (
        el("title", link.why),
        el("rect", x=middle[0] - half, y=middle[1] - 8, width=2 * half, height=16.0, rx=8.0, class_="pill"),
        el("text", text, x=middle[0], y=middle[1] + 4),
    )
    return el("g", line, class_=group), el("g", label, class_=group)


def _curve(source: _Bar, target: _Bar, x: float, then: float) -> tuple[Point, Point, Point, Point]:
    """From bar to bar, leaving and arriving upright; within a lane as an arch above it."""
    if target.y == source.y:
        return (x, source.y), (x, source.y - 30), (then, target.y - 34), (then, target.y - 4)
    down = target.y > source.y
    first = source.y + (_BAR if down else 0)
    last = target.y - 4 if down else target.y + _BAR + 4
    bend = max(24.0, abs(last - first) * 0.5) * (1 if down else -1)
    return (x, first), (x, first + bend), (then, last - bend), (then, last)


def _label_at(curve: Sequence[Point]) -> Point:
    """Beside the source, so that arrows that cross keep their names, and between two lanes."""
    (_, first), (_, last) = curve[0], curve[-1]
    if abs(last - first) <= _PITCH:
        return _on_curve(curve, 0.32)
    gap = (_PITCH - _BAR) * 0.6
    return next(
        point for step in range(1, 41) if abs((point := _on_curve(curve, step / 40))[1] - first) >= gap
    )


def _on_curve(controls: Sequence[Point], t: float) -> Point:
    """A point of a cubic curve."""
    shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return (
        sum(share * x for share, (x, _) in zip(shares, controls, strict=True)),
        sum(share * y for share, (_, y) in zip(shares, controls, strict=True)),
    )
