"""The minimal picture: the found cycles, or the nearest near-cycles, or that there is neither."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from txfuzz.analysis.result import AnalysisResult
from txfuzz.history.model import FAIL, OK, History
from txfuzz.report.pictures.cycle_layout import Chain, Label, Link, lay_out
from txfuzz.report.pictures.legend import Entry, draw_legend, entries_for, height_of
from txfuzz.report.pictures.panels import Panel, dependencies_of, panels_of, subtitle_of, title_of
from txfuzz.report.pictures.sheet import box, sheet, write
from txfuzz.report.pictures.style import (
    CARD,
    CARD_EDGE,
    CELL_EDGE,
    EDGE_COLOURS,
    FAILED_CARD,
    HEADING,
    LABEL,
    MISSING,
    MOP,
    NAME,
    NOTE,
    PAPER,
    SUBTITLE,
    TINTS,
    TITLE,
    Font,
    line_height,
    width,
    wrap,
)
from txfuzz.report.pictures.transaction_card import CELL_HEIGHT, PAD, Card, Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARGIN = 0.35
_BETWEEN = 0.75  # two panels
_NARROWEST, _WIDEST_TITLE, _WIDEST_ROW = 6.0, 9.0, 15.0
_READING = "Boxes last from invocation to completion, in the order of the history (not to scale)."


def minimal_figure(history: History, result: AnalysisResult, names: Sequence[str] = ()) -> Figure:
    """The picture as matplotlib has it, not yet in a file. names: see draw_minimal_graph."""
    panels = panels_of(result, history)
    rows = _shelves([lay_out(history, panel, headed=len(panels) > 1, names=names) for panel in panels])
    inner = max([_NARROWEST, *(sum(chain.width + _BETWEEN for chain in row) - _BETWEEN for row in rows)])
    inner = max(inner, min(width(title_of(result, panels), TITLE), _WIDEST_TITLE))
    title = wrap(title_of(result, panels), TITLE, inner)
    subtitle = wrap(subtitle_of(result, panels, len(names)), SUBTITLE, inner)
    if not panels and any(result.edge_counts.values()):
        subtitle += wrap(dependencies_of(result), SUBTITLE, inner)
    entries = _legend(panels)
    head = len(title) * line_height(TITLE) + len(subtitle) * line_height(SUBTITLE) + 0.3
    foot = height_of(entries, inner) + (line_height(NOTE) + 0.1 if rows else 0)
    body = sum(max(chain.height for chain in row) + 0.35 for row in rows)
    size = inner + 2 * _MARGIN, 2 * _MARGIN + head + body + foot
    figure, axes = sheet(size)
    y = size[1] - _MARGIN
    for lines, font in ((title, TITLE), (subtitle, SUBTITLE)):
        write(axes, _MARGIN, y, "\n".join(lines), font)
        y -= len(lines) * line_height(font) + 0.06
    y -= 0.18
    for row in rows:
        x = _MARGIN
        for chain in row:
            _draw_chain(axes, history, chain, x, y)
            x += chain.width + _BETWEEN
        y -= max(chain.height for chain in row) + 0.35
    if rows:
        draw_legend(axes, entries, _MARGIN, y, inner)
        write(axes, _MARGIN, _MARGIN, _READING, NOTE, va="bottom")
    return figure


def _shelves(chains: Sequence[Chain]) -> list[list[Chain]]:
    """Side by side as long as there is room."""
    rows: list[list[Chain]] = []
    for chain in chains:
        if rows and sum(each.width + _BETWEEN for each in rows[-1]) + chain.width <= _WIDEST_ROW:
            rows[-1].append(chain)
        else:
            rows.append([chain])
    return rows


def _legend(panels: Sequence[Panel]) -> list[Entry]:
    entries = entries_for(edge.kind for panel in panels for edge in panel.edges)
    if any(panel.missing is not None for panel in panels):
        entries.append(Entry("missing", "would close the cycle", MISSING, dashed=True))
    return entries


def _draw_chain(axes: Axes, history: History, chain: Chain, x: float, top: float) -> None:
    """x, top: the upper left corner."""
    y = top
    for lines, font in ((chain.heading, HEADING), (chain.note, NOTE)):
        write(axes, x, y, "\n".join(lines), font)
        y -= len(lines) * line_height(font) + 0.02
    bottom = top - chain.height
    for link in chain.links:
        _draw_link(axes, link, x, bottom)
    for card in chain.cards:
        _draw_card(axes, history, card.at(card.x + x, card.y + bottom), chain)
    if chain.elided_at is not None:
        text = f"⋮   {chain.panel.elided:,} more transactions   ⋮"
        write(
            axes, x + min(card.x for card in chain.cards), bottom + chain.elided_at, text, NOTE, va="center"
        )


def _draw_card(axes: Axes, history: History, card: Card, chain: Chain) -> None:
    outcome = history.type[card.row]
    box(
        axes,
        (card.x, card.y),
        (card.width, card.height),
        0.1,
        facecolor=FAILED_CARD if outcome == FAIL else CARD,
        edgecolor=CARD_EDGE,
        lw=1.1,
        ls="-" if outcome == OK else (0, (4, 2)),
        zorder=3,
        gid="card",
    )
    top = card.top - PAD * 0.8
    write(axes, card.x + PAD, top, card.name, NAME, zorder=5)
    write(axes, card.x + PAD + width(card.name, NAME) + 0.12, top - 0.012, card.note, NOTE, zorder=5)
    for cell in card.cells:
        if cell.mop is not None:
            _draw_cell(axes, cell, chain.marks.get(cell.mop))
        middle = cell.y + CELL_HEIGHT / 2
        write(axes, cell.centre, middle, cell.text, MOP, ha="center", va="center_baseline", zorder=5)


def _colour(kind: str) -> str:
    return MISSING if kind == "missing" else EDGE_COLOURS[kind]


def _draw_cell(axes: Axes, cell: Cell, kind: str | None) -> None:
    """kind: of the edge that the micro-operation takes part in; "missing" of one that is not there."""
    box(
        axes,
        (cell.x, cell.y),
        (cell.width, CELL_HEIGHT),
        0.05,
        facecolor=TINTS.get(kind or "", PAPER),
        edgecolor=_colour(kind) if kind else CELL_EDGE,
        ls=(0, (3.5, 2)) if kind == "missing" else "-",
        lw=1.0 if kind else 0.7,
        zorder=4,
    )


def _draw_link(axes: Axes, link: Link, x: float, bottom: float) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points = [(px + x, py + bottom) for px, py in link.points]
    colour = _colour("missing" if link.missing else link.kind)
    if link.around:
        points, codes = _rounded(points)
    else:
        codes = [int(Path.MOVETO), *[int(Path.CURVE4)] * 3]
    axes.add_patch(
        FancyArrowPatch(
            path=Path(points, codes),
            arrowstyle="-|>,head_length=5,head_width=3",
            color=colour,
            lw=1.8,
            ls=(0, (3.5, 2)) if link.missing else "-",
            capstyle="butt",
            zorder=4.5 if link.missing else 2,  # it goes on inside the cards
            gid=f"edge {link.kind}{' missing' if link.missing else ''}",
        )
    )
    _draw_label(axes, link.label, colour, x, bottom)


def _draw_label(axes: Axes, label: Label, colour: str, x: float, bottom: float) -> None:
    at, top = label.x + x, label.y + bottom + label.height / 2
    ha = "right" if label.right_aligned else "left"
    write(axes, at, top, label.title, Font(LABEL.size, bold=True, colour=colour), ha=ha, zorder=5)
    for number, line in enumerate(label.lines, 1):
        write(axes, at, top - number * line_height(LABEL), line, LABEL, ha=ha, zorder=5)


def _rounded(
    corners: list[tuple[float, float]], radius: float = 0.15
) -> tuple[list[tuple[float, float]], list[int]]:
    """A line with its two corners rounded, as a path."""
    from matplotlib.path import Path

    points, codes = [corners[0]], [int(Path.MOVETO)]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        points += [_toward(corner, before, radius), corner, _toward(corner, after, radius)]
        codes += [int(Path.LINETO), int(Path.CURVE3), int(Path.CURVE3)]
    return [*points, corners[-1]], [*codes, int(Path.LINETO)]


def _toward(start: tuple[float, float], end: tuple[float, float], length: float) -> tuple[float, float]:
    far = max(abs(end[0] - start[0]) + abs(end[1] - start[1]), 1e-9)
    share = min(length / far, 0.5)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
