"""The layout of a cycle: transactions from top to bottom, time from left to right.

A cycle is laid out as a chain: each transaction below the one before it, so that every edge except
the closing one runs to the next lane; the closing one goes around on the left. No two boxes share a
lane, and no edge crosses a box. Lengths are inches, y upwards from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from txfuzz.report.cycle.time_axis import span, stretch
from txfuzz.report.cycle.transaction_box import PASSAGE, TransactionBox, transaction_box
from txfuzz.report.cycle.typography import LABEL, LABEL_TITLE, Width, line_height, wrap
from txfuzz.report.cycle.view import Cycle, CycleLink

_EVENT = 0.3  # between two events of the history
_LANE = 0.62  # between two lanes, in addition to the label
_PLAIN_LANE = 0.28  # between two lanes without an edge
_ELIDED = 0.3
_AROUND = 0.38  # from the boxes to an edge that goes around them
_LABEL_WIDTH = 2.7
_CORNER = 0.15  # radius

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """title in bold, further lines below. x: its left end, or its right end if `right_aligned`; y: its
    middle."""

    title: str
    lines: tuple[str, ...]
    width: float
    x: float = 0.0
    y: float = 0.0
    right_aligned: bool = False

    @property
    def height(self) -> float:
        return line_height(LABEL) * (1 + len(self.lines))

    @property
    def left(self) -> float:
        return self.x - self.width if self.right_aligned else self.x


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge with its position. points: from source to target; the four control points of a curve between
    two lanes, or the corners of a line around the boxes."""

    link: CycleLink
    points: tuple[Point, ...]
    label: Label
    around: bool

    @property
    def path(self) -> tuple[tuple[Point, ...], ...]:
        """The segments after the first point: one point is a line, two are a quadratic curve with its
        control point, three a cubic one."""
        if not self.around:
            return (self.points[1:],)
        parts: list[tuple[Point, ...]] = []
        for before, corner, after in zip(self.points, self.points[1:], self.points[2:], strict=False):
            parts += [(_toward(corner, before),), (corner, _toward(corner, after))]
        return (*parts, (self.points[-1],))


@dataclass(frozen=True, slots=True)
class Elision:
    """Where transactions are left out, and how many. y: the middle."""

    count: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class CycleLayout:
    boxes: tuple[TransactionBox, ...]
    arrows: tuple[Arrow, ...]
    elision: Elision | None
    width: float
    height: float


def lay_out(cycle: Cycle, width: Width, event: float = _EVENT) -> CycleLayout:
    """The complete layout. width: measures a text; event: the distance between two events."""
    inner = {link.source: link for link in cycle.links if _is_inner(link)}
    outer = [link for link in cycle.links if not _is_inner(link)]
    labels = {link: _label(link, width) for link in cycle.links}
    below = {source: labels[link].height for source, link in inner.items()}
    boxes, elided_y, height = _stacked(cycle, outer, below, width, event)
    left = max((labels[link].width + _AROUND + 0.2 for link in outer[:1]), default=0.0)
    boxes = {at: box.at(box.x + left, box.y) for at, box in boxes.items()}
    arrows = [_between(link, labels[link], boxes) for link in inner.values()]
    arrows += [_round(link, labels[link], boxes, turn) for turn, link in enumerate(outer)]
    right = [box.right for box in boxes.values()]
    right += [arrow.label.left + arrow.label.width for arrow in arrows]
    right += [x for arrow in arrows for x, _ in arrow.points]
    count = sum(node.elided for node in cycle.nodes)
    start = min((box.x for box in boxes.values()), default=0.0)
    elision = None if elided_y is None else Elision(count, start, elided_y)
    return CycleLayout(tuple(boxes.values()), tuple(arrows), elision, max(right, default=0.0), height)


def _is_inner(link: CycleLink) -> bool:
    return link.target == link.source + 1 and not link.missing


def _label(link: CycleLink, width: Width) -> Label:
    whole = " ".join(link.lines)
    parts = [whole] if width(whole, LABEL) <= _LABEL_WIDTH else link.lines
    lines = tuple(line for part in parts for line in wrap(part, LABEL, _LABEL_WIDTH, width))
    across = max([width(link.title, LABEL_TITLE), *(width(line, LABEL) for line in lines)])
    return Label(link.title, lines, across)


def _stacked(
    cycle: Cycle, outer: Sequence[CycleLink], below: Mapping[int, float], width: Width, event: float
) -> tuple[dict[int, TransactionBox], float | None, float]:
    """The boxes in their lanes, the position of the elided ones, and the total height.

    outer: the edges that go around; below: label heights of the others, by the lane above them.
    """
    kinds: dict[int, dict[int, str]] = {at: {} for at in range(len(cycle.nodes))}
    reached: dict[int, set[int]] = {at: set() for at in range(len(cycle.nodes))}
    for link in reversed(cycle.links):
        for at, mop in link.ends:
            if mop is not None:
                kinds[at][mop] = "missing" if link.missing else link.kind
                reached[at].update([mop] if link in outer else [])
    boxes = {
        at: transaction_box(node.name, node.view, kinds[at], reached[at], width)
        for at, node in enumerate(cycle.nodes)
        if node.view is not None
    }
    spans = [span(box.view.invoke_at, box.view.complete_at) for box in boxes.values()]
    across = dict(zip(boxes, stretch(spans, [box.width for box in boxes.values()], event), strict=True))
    tops: dict[int, float] = {}
    down, elided_at = 0.0, None
    for lane in range(len(cycle.nodes)):
        if lane not in boxes:
            elided_at = down + _ELIDED / 2
            down += _ELIDED + _PLAIN_LANE
            continue
        tops[lane] = down
        down += boxes[lane].height
        if lane + 1 < len(cycle.nodes):
            down += _LANE + below[lane] if lane in below else _PLAIN_LANE
    placed = {
        at: boxes[at].at(start, down - tops[at] - boxes[at].height, end - start)
        for at, (start, end) in across.items()
    }
    return placed, None if elided_at is None else down - elided_at, down


def _between(link: CycleLink, label: Label, boxes: Mapping[int, TransactionBox]) -> Arrow:
    """From the bottom of one box to the top of the next."""
    source, target = boxes[link.source], boxes[link.target]
    x, then = source.anchor(link.source_mop), target.anchor(link.target_mop)
    bend = (source.y - target.top) * 0.55
    points = ((x, source.y), (x, source.y - bend), (then, target.top + bend), (then, target.top))
    middle = (source.y + target.top) / 2
    near = [px for px, py in _curve(points) if abs(py - middle) <= label.height / 2 + 0.05]
    return Arrow(link, points, replace(label, x=max(near) + 0.14, y=middle), around=False)


def _curve(points: Sequence[Point], steps: int = 40) -> list[Point]:
    """Points on the curve with these four control points."""
    sampled = []
    for step in range(steps + 1):
        t = step / steps
        shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        x, y = (
            sum(share * point[axis] for share, point in zip(shares, points, strict=True)) for axis in (0, 1)
        )
        sampled.append((x, y))
    return sampled


def _round(link: CycleLink, label: Label, boxes: Mapping[int, TransactionBox], turn: int) -> Arrow:
    """Around all boxes: the first edge on the left, further ones on the right."""
    source, target = boxes[link.source], boxes[link.target]
    if turn == 0:
        x = min(box.x for box in boxes.values()) - _AROUND
        sides = source.x, target.x
    else:
        right = max(box.right for box in boxes.values())
        x = right + _AROUND + (turn - 1) * (_LABEL_WIDTH + _AROUND)
        sides = source.right, target.right
    leaves, enters = _into(source, link.source_mop, sides[0]), _into(target, link.target_mop, sides[1])
    points = (*reversed(leaves), (x, leaves[0][1]), (x, enters[0][1]), *enters)
    label = replace(
        label,
        x=x - 0.12 if turn == 0 else x + 0.12,
        y=(leaves[0][1] + enters[0][1]) / 2,
        right_aligned=turn == 0,
    )
    return Arrow(link, points, label, around=True)


def _into(box: TransactionBox, mop: int | None, side: float) -> tuple[Point, ...]:
    """The way from a side of a box to the cell of a micro-operation; only the side if there is none."""
    cell = box.cell(mop)
    if cell is None:
        return ((side, box.middle),)
    above = cell.top + PASSAGE * 0.75
    return (cell.centre, above), (cell.centre, cell.top)


def _toward(start: Point, end: Point) -> Point:
    """Where a rounded corner begins, on the way to the next one."""
    far = max(abs(end[0] - start[0]) + abs(end[1] - start[1]), 1e-9)
    share = min(_CORNER / far, 0.5)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
