"""Where everything of one panel stands: transactions from top to bottom, time from left to right.

A cycle is laid out as a chain: each transaction below the one that it depends on, so that every
edge but the closing one runs to the next lane; the closing one goes round on the left. No two
boxes share a lane, and no edge crosses a box. Lengths are inches, y upwards from 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from txfuzz.analysis.result import Edge, MissingEdge
from txfuzz.history.model import History
from txfuzz.report.pictures.labels import (
    edge_title,
    edge_values,
    ends_of,
    ends_of_missing,
    missing_steps,
)
from txfuzz.report.pictures.panels import Panel
from txfuzz.report.pictures.style import HEADING, LABEL, NOTE, Font, line_height, width, wrap
from txfuzz.report.pictures.time_axis import span_of, stretch
from txfuzz.report.pictures.transaction_card import PASSAGE, Card, card_of

_EVENT = 0.3  # between two events of the history
_LANE = 0.62  # between two lanes, and what the label needs
_PLAIN_LANE = 0.28  # between two lanes without an edge
_ELIDED = 0.3
_AROUND = 0.38  # from the boxes to an edge that goes round them
_LABEL_WIDTH = 2.7
_NOTE_WIDTH = 6.0
_TITLE = Font(LABEL.size, bold=True)

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """title in bold, further lines below. x: its left or right end, as `right_aligned` says;
    y: its middle."""

    title: str
    lines: tuple[str, ...]
    x: float = 0.0
    y: float = 0.0
    right_aligned: bool = False

    @property
    def width(self) -> float:
        return max([width(self.title, _TITLE), *(width(line, LABEL) for line in self.lines)])

    @property
    def height(self) -> float:
        return line_height(LABEL) * (1 + len(self.lines))

    @property
    def left(self) -> float:
        return self.x - self.width if self.right_aligned else self.x


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be drawn. points: from source to target; a curve between lanes (four control
    points), else a line with rounded corners. missing: it is not there."""

    kind: str
    points: tuple[Point, ...]
    label: Label
    around: bool
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """A panel laid out. marks: the kind of edge that each marked micro-operation takes part in."""

    panel: Panel
    heading: tuple[str, ...]
    note: tuple[str, ...]
    cards: tuple[Card, ...]
    links: tuple[Link, ...]
    marks: Mapping[int, str]
    elided_at: float | None
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Joint:
    """An edge before it has a place."""

    kind: str
    source: int
    target: int
    ends: tuple[int | None, int | None]
    label: Label
    missing: bool = False


def lay_out(history: History, panel: Panel, *, headed: bool = True, names: Sequence[str] = ()) -> Chain:
    """Everything of a panel in its place. headed: with its heading. names: of transactions, by row."""
    joints = [_joint(history, edge) for edge in panel.edges]
    if panel.missing is not None:
        joints.append(_missing(history, panel.missing, panel.on))
    marks = {
        mop: "missing" if joint.missing else joint.kind
        for joint in reversed(joints)
        for mop in joint.ends
        if mop is not None
    }
    reached = {mop for joint in joints if joint.missing for mop in joint.ends if mop is not None}
    lanes = {row: lane for lane, row in enumerate(panel.rows) if row is not None}
    inner = {lanes[joint.source]: joint for joint in joints if _is_inner(joint, lanes)}
    outer = [joint for joint in joints if not _is_inner(joint, lanes)]

    cards, elided_at, height = _stacked(history, panel, marks, reached, inner, names)
    left = max((joint.label.width + _AROUND + 0.2 for joint in outer[:1]), default=0.0)
    cards = {row: card.at(card.x + left, card.y) for row, card in cards.items()}
    links = [_between(joint, cards) for joint in inner.values()]
    links += [_round(joint, cards, turn) for turn, joint in enumerate(outer)]

    heading = wrap(panel.heading, HEADING, _NOTE_WIDTH) if headed else []
    note = wrap(panel.note, NOTE, _NOTE_WIDTH)
    right = [card.right for card in cards.values()] + [link.label.left + link.label.width for link in links]
    right += [point[0] for link in links for point in link.points]
    right += [width(line, HEADING) for line in heading] + [width(line, NOTE) for line in note]
    head = len(heading) * line_height(HEADING) + len(note) * line_height(NOTE) + 0.2
    return Chain(
        panel, tuple(heading), tuple(note), tuple(cards.values()), tuple(links), marks, elided_at,
        max(right), height + head,
    )  # fmt: skip


def _is_inner(joint: _Joint, lanes: Mapping[int, int]) -> bool:
    return lanes[joint.target] == lanes[joint.source] + 1 and not joint.missing


def _joint(history: History, edge: Edge) -> _Joint:
    label = Label(edge_title(edge), tuple(wrap(edge_values(history, edge), LABEL, _LABEL_WIDTH)))
    return _Joint(edge.kind, edge.source, edge.target, ends_of(history, edge), label)


def _missing(history: History, missing: MissingEdge, on: str) -> _Joint:
    ends = missing_steps(history, missing)
    parts = [" ".join(ends)] if width(" ".join(ends), LABEL) <= _LABEL_WIDTH else ends
    lines = tuple(line for part in parts for line in wrap(part, LABEL, _LABEL_WIDTH))
    label = Label(f"missing: {missing.kind} on {on}", lines)
    mops = ends_of_missing(history, missing)
    return _Joint(missing.kind, missing.source, missing.target, mops, label, missing=True)


def _stacked(
    history: History,
    panel: Panel,
    marks: Mapping[int, str],
    reached: Collection[int],
    inner: Mapping[int, _Joint],
    names: Sequence[str],
) -> tuple[dict[int, Card], float | None, float]:
    """The cards in their lanes, where the elided ones would be, and the height of all."""
    rows = [row for row in panel.rows if row is not None]
    cards = {row: card_of(history, row, marks.keys(), names, reached) for row in rows}
    spans = stretch([span_of(history, row) for row in rows], [cards[row].width for row in rows], _EVENT)
    across = dict(zip(rows, spans, strict=True))
    tops: dict[int, float] = {}
    down, elided_at = 0.0, None
    for lane, row in enumerate(panel.rows):
        if row is None:
            elided_at = down + _ELIDED / 2
            down += _ELIDED + _PLAIN_LANE
            continue
        tops[row] = down
        down += cards[row].height
        if lane + 1 < len(panel.rows):
            down += _LANE + inner[lane].label.height if lane in inner else _PLAIN_LANE
    placed = {
        row: cards[row].at(start, down - tops[row] - cards[row].height, end - start)
        for row, (start, end) in across.items()
    }
    return placed, None if elided_at is None else down - elided_at, down


def _between(joint: _Joint, cards: Mapping[int, Card]) -> Link:
    """From the bottom of one card to the top of the next."""
    source, target = cards[joint.source], cards[joint.target]
    x, then = source.anchor(joint.ends[0]), target.anchor(joint.ends[1])
    bend = (source.y - target.top) * 0.55
    points = ((x, source.y), (x, source.y - bend), (then, target.top + bend), (then, target.top))
    middle = (source.y + target.top) / 2
    near = [px for px, py in _curve(points) if abs(py - middle) <= joint.label.height / 2 + 0.05]
    label = replace(joint.label, x=max(near) + 0.14, y=middle)
    return Link(joint.kind, points, label, around=False)


def _curve(points: Sequence[Point], steps: int = 40) -> list[Point]:
    """Points on the curve that four control points describe."""
    sampled = []
    for step in range(steps + 1):
        t = step / steps
        shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        x, y = (
            sum(share * point[axis] for share, point in zip(shares, points, strict=True)) for axis in (0, 1)
        )
        sampled.append((x, y))
    return sampled


def _round(joint: _Joint, cards: Mapping[int, Card], turn: int) -> Link:
    """Round all cards: the first on the left, further ones on the right."""
    source, target = cards[joint.source], cards[joint.target]
    if turn == 0:
        x = min(card.x for card in cards.values()) - _AROUND
        ends = source.x, target.x
    else:
        x = _right_of(cards.values()) + _AROUND + (turn - 1) * (_LABEL_WIDTH + _AROUND)
        ends = source.right, target.right
    if joint.missing:
        leaves, enters = (
            _into(card, mop, end) for card, mop, end in zip((source, target), joint.ends, ends, strict=True)
        )
    else:
        leaves, enters = ((ends[0], source.middle),), ((ends[1], target.middle),)
    points = (*reversed(leaves), (x, leaves[0][1]), (x, enters[0][1]), *enters)
    label = replace(
        joint.label,
        x=x - 0.12 if turn == 0 else x + 0.12,
        y=(leaves[0][1] + enters[0][1]) / 2,
        right_aligned=turn == 0,
    )
    return Link(joint.kind, points, label, around=True, missing=joint.missing)


def _into(card: Card, mop: int | None, side: float) -> tuple[Point, ...]:
    """The way from a side of a card to the cell of a micro-operation; where there is none, no further."""
    cell = card.cell(mop)
    if cell is None:
        return ((side, card.middle),)
    above = cell.top + PASSAGE * 0.75
    return (cell.centre, above), (cell.centre, cell.top)


def _right_of(cards: Iterable[Card]) -> float:
    return max(card.right for card in cards)
