"""The same moment to scale: the transactions of a finding among those that ran alongside."""

from __future__ import annotations

import math

from txfuzz.analysis.describe import elapsed
from txfuzz.analysis.result import TransactionView
from txfuzz.report.campaign_result import Neighbours
from txfuzz.report.cycle.view import Cycle
from txfuzz.report.html.markup import Content, Markup, cut, el

_WIDTH, _GUTTER, _ROW, _BOX = 944.0, 76.0, 22.0, 16.0
_LANES = 32
_TICKS = 9
_ROOM = 0.06  # of the finding's duration, before and after it
_LETTER = 5.9  # pixels of a character


def scale(cycle: Cycle, neighbours: Neighbours) -> Markup:
    """An SVG; empty if the history has no times."""
    own = {node.view.row: node.name for node in cycle.nodes if node.view is not None}
    mine = [node.view for node in cycle.nodes if node.view is not None]
    timed = [view for view in (*mine, *neighbours.views) if view.start is not None and view.end is not None]
    if not any(view.row in own for view in timed):
        return Markup("")
    low = min(view.start or 0 for view in timed if view.row in own)
    high = max(view.end or 0 for view in timed if view.row in own)
    room = max(high - low, 1000) * _ROOM
    first, last = low - room, high + room
    lanes = _lanes(timed, own)
    unit = (_WIDTH - _GUTTER) / (last - first)
    views = {view.row: view for view in timed if view.process in lanes}
    boxes = [
        _box(view, own.get(row), lanes[view.process], unit, first, last)
        for row, view in sorted(views.items(), key=lambda each: each[0] in own)
    ]
    height = len(lanes) * _ROW + 24
    return el(
        "svg",
        el("title", "the transactions of the finding, to scale, among those that ran alongside"),
        _ticks(low, first, last, unit, len(lanes) * _ROW),
        [
            el("text", cut(f"process {process}", 16), x=0.0, y=at * _ROW + 15, class_="process")
            for process, at in lanes.items()
        ],
        boxes,
        viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}",
        role="group",
        class_="scale",
    )


def _lanes(views: list[TransactionView], own: dict[int, str]) -> dict[int | str, int]:
    """A lane a process: those of the finding always, of the others as many as there is room for."""
    needed = {view.process for view in views if view.row in own}
    others = sorted({view.process for view in views} - needed, key=_in_order)
    kept = sorted([*needed, *others[: max(0, _LANES - len(needed))]], key=_in_order)
    return {process: at for at, process in enumerate(kept)}


def _in_order(process: int | str) -> tuple[bool, int | str]:
    """Numbers first, then names."""
    return isinstance(process, str), process


def _box(
    view: TransactionView, name: str | None, lane: int, unit: float, first: float, last: float
) -> Markup:
    start, end = max(float(view.start or 0), first), min(float(view.end or 0), last)
    x, width = _GUTTER + (start - first) * unit, max((end - start) * unit, 1.2)
    y = lane * _ROW + (_ROW - _BOX) / 2
    lasted = elapsed(max(0, (view.end or 0) - (view.start or 0)))
    told = f"{name or 'transaction'} {view.index} {view.template or ''}, {lasted}\n{cut(view.text, 240)}"
    said = " ".join(filter(None, [name, view.template, view.text]))
    fitting = int((width - 10) / _LETTER)
    label: Content = None
    if name is not None and fitting < len(name):
        beside = min(x + width + 4, _WIDTH - 22)
        label = el("text", name, x=beside, y=y + 12.0, class_="name")
    elif name is not None or fitting > 6:
        label = el("text", cut(said, max(fitting, 1)), x=x + 5, y=y + 12.0, class_="name inside")
    return el(
        "g",
        el("title", told),
        el("rect", x=x, y=y, width=width, height=_BOX, rx=2.5),
        label,
        class_="own" if name is not None else "other",
        tabindex="0",
        role="img",
        aria_label=told,
        data_tip=told,
    )


def _ticks(zero: int, first: float, last: float, unit: float, bottom: float) -> Markup:
    step = _round((last - first) / _TICKS)
    drawn: list[Content] = []
    time = math.ceil((first - zero) / step) * step
    while zero + time <= last:
        x = _GUTTER + (zero + time - first) * unit
        drawn.append(el("line", x1=x, x2=x, y1=0.0, y2=bottom + 4))
        sign = "−" if time < 0 else "+" if time else ""
        told = f"{sign}{elapsed(abs(round(time)))}" if time else "0"
        if x < _WIDTH - 24:
            drawn.append(el("text", told, x=x, y=bottom + 17))
        time += step
    return el("g", drawn, class_="ticks")


def _round(step: float) -> float:
    """The next 1, 2 or 5 of its order of magnitude."""
    order = 10.0 ** math.floor(math.log10(step))
    return next(order * each for each in (1, 2, 5, 10) if order * each >= step)
