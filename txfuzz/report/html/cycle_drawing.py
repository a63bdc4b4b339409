"""A cycle over time as SVG: transactions as boxes, their reads and writes, the edges between these."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from txfuzz.analysis.describe import elapsed
from txfuzz.history.values import edn
from txfuzz.report.cycle.layout import Arrow, CycleLayout, Point, lay_out
from txfuzz.report.cycle.transaction_box import CELL_HEIGHT, PAD, Cell, TransactionBox
from txfuzz.report.cycle.typography import LABEL, MOP, Font, line_height
from txfuzz.report.cycle.view import Cycle
from txfuzz.report.html.markup import Content, Markup, cut, el, points

_SCALE = 96.0  # pixels per inch
_EVENT = 0.6  # inches between two events, enough for their times under the axis
_AXIS, _MARGIN = 24.0, 6.0
_WIDEST = 600  # characters of a tooltip
# Of a column, in ems; slightly generous, because the reader's fonts are unknown
_MONO, _SANS, _BOLD = 0.602, 0.56, 0.62


def text_width(text: str, font: Font) -> float:
    """The approximate width of a text in a browser, in inches."""
    em = _MONO if font.mono else _BOLD if font.bold else _SANS
    columns = sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
    return columns * em * font.size / 72


def arrow_heads(kinds: Iterable[str]) -> Markup:
    """Once per page: drawings refer to them by the kind of edge."""
    heads = [
        el(
            "marker", el("path", d="M0,0 L10,5 L0,10 z", class_=f"tip {kind}"), id=f"tip-{kind}",
            viewBox="0 0 10 10", refX=9.5, refY=5.0, markerWidth=9.0, markerHeight=9.0,
            markerUnits="userSpaceOnUse", orient="auto-start-reverse",
        )
        for kind in kinds
    ]  # fmt: skip
    return el("svg", el("defs", heads), width=0.0, height=0.0, aria_hidden="true", class_="tips")


def cycle_drawing(cycle: Cycle, title: str) -> Markup:
    """An SVG at its natural size, for scrolling."""
    layout = lay_out(cycle, text_width, _EVENT)
    page = _Page(layout.height)
    axis = list(_axis(page, layout))
    width, height = layout.width * _SCALE + 2 * _MARGIN, layout.height * _SCALE + 2 * _MARGIN
    if axis:
        width, height = width + _AXIS, height + _AXIS
    number = {link: at for at, link in enumerate(cycle.links, 1)}
    proven: dict[tuple[str, int], list[str]] = {}  # (transaction, micro-operation) → the edges that it makes
    for link in cycle.links:
        for node, mop in link.ends:
            if mop is not None:
                proven.setdefault((cycle.nodes[node].name, mop), []).append(link.why)
    arrows = {
        around: [page.arrow(each, number[each.link]) for each in layout.arrows if each.around == around]
        for around in (False, True)
    }
    return el(
        "svg",
        el("title", title),
        el("g", axis, class_="axis"),
        arrows[False],
        [page.box(box, proven) for box in layout.boxes],
        arrows[True],  # these continue inside the boxes
        _elision(page, layout),
        viewBox=f"{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}",
        width=float(round(width)),
        height=float(round(height)),
        role="group",
        class_="cycle",
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """Pixels, y downwards. height: of the layout."""

    height: float

    def x(self, inches: float) -> float:
        return inches * _SCALE

    def y(self, inches: float) -> float:
        return (self.height - inches) * _SCALE

    def at(self, places: Sequence[Point]) -> str:
        return points(*((self.x(x), self.y(y)) for x, y in places))

    def rectangle(
        self, x: float, top: float, width: float, height: float, radius: float, **more: str
    ) -> Markup:
        return el("rect", x=self.x(x), y=self.y(top), width=width * _SCALE, height=height * _SCALE, rx=radius,
                  **more)  # fmt: skip

    def box(self, box: TransactionBox, proven: Mapping[tuple[str, int], Sequence[str]]) -> Markup:
        y = self.y(box.top - PAD * 0.8) + 11
        parts: list[Content] = [
            el("title", f"transaction {box.view.index}: {cut(box.view.text, _WIDEST)}"),
            self.rectangle(box.x, box.top, box.width, box.height, 8.0, class_="box"),
            el("text", box.name, x=self.x(box.x + PAD), y=y, class_="name"),
            el("text", box.note, x=self.x(box.x + box.note_x), y=y, class_="note"),
            [self.cell(cell, operation_details(box, cell, proven)) for cell in box.cells],
        ]
        return el("g", parts, class_=f"txn {box.view.outcome.replace(' ', '-')}")

    def cell(self, cell: Cell, told: str) -> Markup:
        width = text_width(cell.text, MOP) * _SCALE
        text = el("text", cell.text, x=self.x(cell.centre), y=self.y(cell.y + CELL_HEIGHT / 2) + 4,
                  textLength=width, lengthAdjust="spacingAndGlyphs")  # fmt: skip
        frame = (
            self.rectangle(cell.x, cell.top, cell.width, CELL_HEIGHT, 4.0) if cell.mop is not None else None
        )
        if cell.mop is None:
            return el("g", text, class_="cell")
        return el(
            "g", el("title", told), frame, text, class_=f"cell {cell.kind}".rstrip(), tabindex="0",
            role="img", aria_label=told, data_tip=told,
        )  # fmt: skip

    def arrow(self, arrow: Arrow, number: int) -> Markup:
        link, label = arrow.link, arrow.label
        path = "".join(f" {'LQC'[len(part) - 1]}{self.at(part)}" for part in arrow.path)
        x, top = self.x(label.x), self.y(label.y + label.height / 2) + 11
        step = line_height(LABEL) * _SCALE
        return el(
            "g",
            el("title", link.why),
            el("path", d=f"M{self.at(arrow.points[:1])}{path}", class_="edge",
               marker_end=f"url(#tip-{link.kind})"),
            el("text", label.title, x=x, y=top, class_="on"),
            [el("text", line, x=x, y=top + at * step) for at, line in enumerate(label.lines, 1)],
            class_=" ".join([link.kind, f"e{number}", *["missing"] * link.missing,
                             *["left"] * label.right_aligned]),
        )  # fmt: skip


def operation_details(
    box: TransactionBox, cell: Cell, proven: Mapping[tuple[str, int], Sequence[str]]
) -> str:
    """Everything about one operation, in lines. proven: the edges that it makes, in sentences."""
    if cell.mop is None:
        return ""
    mop, view = box.view.mops[cell.mop], box.view
    if mop.reads:
        unknown = mop.value is None and view.outcome != "committed"
        done = f"reads key {edn(mop.key)}: {'what it saw is unknown' if unknown else mop.value_text}"
    elif mop.f == "append":
        done = f"appends {mop.value_text} to key {edn(mop.key)}"
    else:
        done = f"writes {mop.value_text} to key {edn(mop.key)}"
    place = f"operation {cell.mop + 1} of {len(view.mops) + view.left_out}"
    lines = [f"{box.name} {cut(done, _WIDEST)}", f"{place} of transaction {view.index} ({box.note})"]
    return "\n".join([*lines, *(f"{why}." for why in proven.get((box.name, cell.mop), ()))])


def _axis(page: _Page, layout: CycleLayout) -> Iterator[Markup]:
    """A thin line at each start and end, with the time since the first one; nothing without times."""
    starts = [box.view.start for box in layout.boxes if box.view.start is not None]
    bottom = layout.height * _SCALE + _MARGIN
    for box in layout.boxes:
        for x, time in ((box.x, box.view.start), (box.right, box.view.end)):
            if time is None or not starts:
                continue
            at, since = page.x(x), time - min(starts)
            yield el("line", x1=at, x2=at, y1=page.y(box.y), y2=bottom)
            yield el("text", f"+{elapsed(since)}" if since > 0 else "0", x=at, y=bottom + 13)


def _elision(page: _Page, layout: CycleLayout) -> Content:
    if layout.elision is None:
        return None
    text = f"⋮   {layout.elision.count:,} more transactions   ⋮"
    return el("text", text, x=page.x(layout.elision.x), y=page.y(layout.elision.y) + 4, class_="note")
