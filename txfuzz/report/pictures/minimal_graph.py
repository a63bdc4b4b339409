"""The minimal picture: the cycles found, else the nearest near-cycles, else a note that there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from txfuzz.analysis.result import AnalysisResult
from txfuzz.history.model import History
from txfuzz.report.cycle.layout import Arrow, CycleLayout, Label, lay_out
from txfuzz.report.cycle.transaction_box import CELL_HEIGHT, PAD, Cell, TransactionBox
from txfuzz.report.cycle.typography import LABEL, MOP, NAME, NOTE, Font, line_height
from txfuzz.report.pictures.panels import Panel, dependencies_of, panels_of, subtitle_of, title_of
from txfuzz.report.pictures.sheet import (
    LegendEntry,
    draw_legend,
    entries_for,
    height_of,
    rounded_box,
    sheet,
    write,
)
from txfuzz.report.pictures.style import (
    BOX,
    BOX_EDGE,
    CELL_EDGE,
    EDGE_COLOURS,
    FAILED_BOX,
    HEADING,
    MISSING,
    PAPER,
    SUBTITLE,
    TINTS,
    TITLE,
    width,
    wrap,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARGIN = 0.35
_BETWEEN = 0.75  # two panels
_NARROWEST, _WIDEST_TITLE, _WIDEST_ROW = 6.0, 9.0, 15.0
_NOTE_WIDTH = 6.0
_READING = "Boxes run from invocation to completion, in history order (not to scale)."


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A panel with its layout. head: the lines of its heading and note, with their fonts."""

    layout: CycleLayout
    head: tuple[tuple[list[str], Font], ...]

    @property
    def width(self) -> float:
        return max([self.layout.width, *(width(line, font) for lines, font in self.head for line in lines)])

    @property
    def height(self) -> float:
        return self.layout.height + 0.2 + sum(len(lines) * line_height(font) for lines, font in self.head)


def minimal_figure(history: History, result: AnalysisResult) -> Figure:
    """The picture as a matplotlib figure."""
    panels = panels_of(result, history)
    rows = _shelves([_drawing(panel, headed=len(panels) > 1) for panel in panels])
    inner = max([_NARROWEST, *(sum(each.width + _BETWEEN for each in row) - _BETWEEN for row in rows)])
    inner = max(inner, min(width(title_of(result, panels), TITLE), _WIDEST_TITLE))
    title = wrap(title_of(result, panels), TITLE, inner)
    subtitle = wrap(subtitle_of(result, panels, len(history.session_names)), SUBTITLE, inner)
    if not panels and any(result.edge_counts.values()):
        subtitle += wrap(dependencies_of(result), SUBTITLE, inner)
    entries = _legend(panels)
    head = len(title) * line_height(TITLE) + len(subtitle) * line_height(SUBTITLE) + 0.3
    foot = height_of(entries, inner) + (line_height(NOTE) + 0.1 if rows else 0)
    body = sum(max(each.height for each in row) + 0.35 for row in rows)
    size = inner + 2 * _MARGIN, 2 * _MARGIN + head + body + foot
    figure, axes = sheet(size)
    y = size[1] - _MARGIN
    for lines, font in ((title, TITLE), (subtitle, SUBTITLE)):
        write(axes, _MARGIN, y, "\n".join(lines), font)
        y -= len(lines) * line_height(font) + 0.06
    y -= 0.18
    for row in rows:
        x = _MARGIN
        for drawing in row:
            _draw(axes, drawing, x, y)
            x += drawing.width + _BETWEEN
        y -= max(each.height for each in row) + 0.35
    if rows:
        draw_legend(axes, entries, _MARGIN, y, inner)
        write(axes, _MARGIN, _MARGIN, _READING, NOTE, va="bottom")
    return figure


def _drawing(panel: Panel, *, headed: bool) -> _Drawing:
    heading = wrap(panel.heading, HEADING, _NOTE_WIDTH) if headed else []
    note = wrap(panel.note, NOTE, _NOTE_WIDTH)
    return _Drawing(lay_out(panel.cycle, width), ((heading, HEADING), (note, NOTE)))


def _shelves(drawings: Sequence[_Drawing]) -> list[list[_Drawing]]:
    """Rows of drawings, side by side while there is room."""
    rows: list[list[_Drawing]] = []
    for drawing in drawings:
        if rows and sum(each.width + _BETWEEN for each in rows[-1]) + drawing.width <= _WIDEST_ROW:
            rows[-1].append(drawing)
        else:
            rows.append([drawing])
    return rows


def _legend(panels: Sequence[Panel]) -> list[LegendEntry]:
    links = [link for panel in panels for link in panel.cycle.links]
    entries = entries_for(link.kind for link in links if not link.missing)
    if any(link.missing for link in links):
        entries.append(LegendEntry("missing", "would close the cycle", MISSING, dashed=True))
    return entries


def _draw(axes: Axes, drawing: _Drawing, x: float, top: float) -> None:
    """x, top: the upper left corner."""
    y, layout = top, drawing.layout
    for lines, font in drawing.head:
        write(axes, x, y, "\n".join(lines), font)
        y -= len(lines) * line_height(font) + 0.02
    bottom = top - drawing.height
    for arrow in layout.arrows:
        _draw_arrow(axes, arrow, x, bottom)
    for box in layout.boxes:
        _draw_box(axes, box.at(box.x + x, box.y + bottom))
    if layout.elision is not None:
        text = f"⋮   {layout.elision.count:,} more transactions   ⋮"
        write(axes, x + layout.elision.x, bottom + layout.elision.y, text, NOTE, va="center")


def _draw_box(axes: Axes, box: TransactionBox) -> None:
    rounded_box(
        axes,
        (box.x, box.y),
        (box.width, box.height),
        0.1,
        facecolor=FAILED_BOX if box.view.outcome == "failed" else BOX,
        edgecolor=BOX_EDGE,
        lw=1.1,
        ls="-" if box.view.outcome == "committed" else (0, (4, 2)),
        zorder=3,
        gid="box",
    )
    top = box.top - PAD * 0.8
    write(axes, box.x + PAD, top, box.name, NAME, zorder=5)
    write(axes, box.x + box.note_x, top - 0.012, box.note, NOTE, zorder=5)
    for cell in box.cells:
        if cell.mop is not None:
            _draw_cell(axes, cell)
        middle = cell.y + CELL_HEIGHT / 2
        write(axes, cell.centre, middle, cell.text, MOP, ha="center", va="center_baseline", zorder=5)


def _colour(kind: str) -> str:
    return MISSING if kind == "missing" else EDGE_COLOURS[kind]


def _draw_cell(axes: Axes, cell: Cell) -> None:
    kind = cell.kind
    rounded_box(
        axes,
        (cell.x, cell.y),
        (cell.width, CELL_HEIGHT),
        0.05,
        facecolor=TINTS.get(kind, PAPER),
        edgecolor=_colour(kind) if kind else CELL_EDGE,
        ls=(0, (3.5, 2)) if kind == "missing" else "-",
        lw=1.0 if kind else 0.7,
        zorder=4,
    )


def _draw_arrow(axes: Axes, arrow: Arrow, x: float, bottom: float) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    curves = {1: Path.LINETO, 2: Path.CURVE3, 3: Path.CURVE4}
    points = [arrow.points[0], *(point for part in arrow.path for point in part)]
    codes = [int(Path.MOVETO), *(int(curves[len(part)]) for part in arrow.path for _ in part)]
    missing = arrow.link.missing
    colour = _colour("missing" if missing else arrow.link.kind)
    axes.add_patch(
        FancyArrowPatch(
            path=Path([(px + x, py + bottom) for px, py in points], codes),
            arrowstyle="-|>,head_length=5,head_width=3",
            color=colour,
            lw=1.8,
            ls=(0, (3.5, 2)) if missing else "-",
            capstyle="butt",
            zorder=4.5 if arrow.around else 2,  # it continues inside the boxes
            gid=f"edge {arrow.link.kind}{' missing' if missing else ''}",
        )
    )
    _draw_label(axes, arrow.label, colour, x, bottom)


def _draw_label(axes: Axes, label: Label, colour: str, x: float, bottom: float) -> None:
    at, top = label.x + x, label.y + bottom + label.height / 2
    ha = "right" if label.right_aligned else "left"
    write(axes, at, top, label.title, Font(LABEL.size, bold=True, colour=colour), ha=ha, zorder=5)
    for number, line in enumerate(label.lines, 1):
        write(axes, at, top - number * line_height(LABEL), line, LABEL, ha=ha, zorder=5)
