"""A cycle as a ring: its transactions around a circle, the dependencies as arrows between them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from txfuzz.report.cycle.view import Cycle, Link, Node
from txfuzz.report.html.cycle_drawing import columns
from txfuzz.report.html.markup import Content, Markup, el, points

_NODE = 19.0  # radius
_CHAR = 7.0  # width of a character of a label
_HEAD = 2.0  # from an arrow's tip to the circle
_MARGIN = 10.0

Point = tuple[float, float]


def ring(cycle: Cycle, title: str) -> Markup:
    """An SVG as large as it needs to be; a page may shrink it."""
    if len(cycle.nodes) < 2 or not cycle.links:
        return Markup("")
    at = _places(len(cycle.nodes))
    arcs = [_arc(link, number, at) for number, link in enumerate(cycle.links, 1)]
    labels = [label for _, label in arcs]
    left = min([x - _NODE for x, _ in at] + [x - half for x, _, half in labels]) - _MARGIN
    right = max([x + _NODE for x, _ in at] + [x + half for x, _, half in labels]) + _MARGIN
    top = min([y - _NODE for _, y in at] + [y - 10 for _, y, _ in labels]) - _MARGIN
    bottom = max([y + _NODE for _, y in at] + [y + 10 for _, y, _ in labels]) + _MARGIN
    width, height = right - left, bottom - top
    return el(
        "svg",
        el("title", title),
        [drawn for drawn, _ in arcs],
        [_dotted(place, cycle.nodes, at) for place, node in enumerate(cycle.nodes) if node.view is None],
        [_node(node, place) for node, place in zip(cycle.nodes, at, strict=True)],
        viewBox=f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}",
        style=f"max-width:{width:.0f}px",
        role="img",
        class_="ring",
    )


def _places(count: int) -> list[Point]:
    """Around a circle from the top, or side by side where there are two."""
    if count == 2:
        return [(-105.0, 0.0), (105.0, 0.0)]
    radius = max(88.0, count * 26.0)
    turn = [
        2 * math.pi * each / count - math.pi / 2 - (math.pi / 4 if count == 4 else 0) for each in range(count)
    ]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in turn]


def _arc(link: Link, number: int, at: list[Point]) -> tuple[Markup, tuple[float, float, float]]:
    """The arrow, and where its label is: middle, and half its width."""
    start, end = at[link.source], at[link.target]
    control = _control(start, end, len(at))
    x, y = (0.25 * a + 0.5 * b + 0.25 * c for a, b, c in zip(start, control, end, strict=True))
    half = columns(link.label) * _CHAR / 2 + 7
    whole = el(
        "g",
        el("title", link.why),
        _arrow(link.kind, start, end, len(at)),
        el("rect", x=x - half, y=y - 10, width=2 * half, height=20.0, rx=10.0, class_="pill"),
        el("text", link.label, x=x, y=y + 4, textLength=2 * half - 14, lengthAdjust="spacingAndGlyphs"),
        class_=f"{link.kind} e{number}{' missing' if link.missing else ''}",
    )
    return whole, (x, y, half)


def _dotted(place: int, nodes: Sequence[Node], at: list[Point]) -> list[Markup]:
    """What leads to the transactions that are left out, and away from them."""
    pairs = ((place - 1, place), (place, (place + 1) % len(nodes)))
    return [
        el("g", _arrow("more", at[source], at[target], len(at)), class_="more dotted")
        for source, target in pairs
    ]


def _arrow(kind: str, start: Point, end: Point, count: int) -> Markup:
    control = _control(start, end, count)
    first, last = _toward(start, control, _NODE + 3), _toward(end, control, _NODE + _HEAD)
    return el(
        "path",
        d=f"M{points(first)} Q{points(control)} {points(last)}",
        class_="edge",
        marker_end=f"url(#tip-{kind})",
    )


def _control(start: Point, end: Point, count: int) -> Point:
    """Bowed to the left of its direction, so that two ways between the same two nodes part."""
    (x, y), (then, below) = start, end
    bow = 0.52 if count == 2 else 0.16
    return (x + then) / 2 + (below - y) * bow, (y + below) / 2 - (then - x) * bow


def _toward(start: Point, end: Point, length: float) -> Point:
    far = math.dist(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * length / far, start[1] + (end[1] - start[1]) * length / far


def _node(node: Node, at: Point) -> Markup:
    x, y = at
    text: Content = el("text", node.name if node.view else f"+{node.elided:,}", x=x, y=y + 4.5)
    circle = el("circle", cx=x, cy=y, r=_NODE)
    told = None
    if node.view is not None:
        told = (
            f"transaction {node.view.index}, {node.view.template or 'unnamed'}, process {node.view.process}"
        )
    return el("g", el("title", told) if told else None, circle, text, class_="node")


def tips(kinds: list[str]) -> Markup:
    """Arrow heads, once a page: drawings refer to them by the kind of the edge."""
    heads = [
        el(
            "marker", el("path", d="M0,0 L10,5 L0,10 z", class_=f"tip {kind}"), id=f"tip-{kind}",
            viewBox="0 0 10 10", refX=9.5, refY=5.0, markerWidth=9.0, markerHeight=9.0,
            markerUnits="userSpaceOnUse", orient="auto-start-reverse",
        )
        for kind in kinds
    ]  # fmt: skip
    return el("svg", el("defs", heads), width=0.0, height=0.0, aria_hidden="true", class_="tips")
