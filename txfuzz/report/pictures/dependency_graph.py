"""The dependency graph of a whole history: each transaction is a box in the lane of its process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.edges import KINDS, Dependencies
from txfuzz.analysis.describe import elapsed, name_of, process_text
from txfuzz.analysis.result import AnalysisResult, Edge
from txfuzz.history.model import OK, History, Ints
from txfuzz.report.cycle.time_axis import lanes_of
from txfuzz.report.cycle.typography import NOTE, Font, line_height
from txfuzz.report.pictures.history_layout import EdgeCurves, Floats, TransactionBoxes, boxes_of, curves_of
from txfuzz.report.pictures.panels import title_of
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
    EDGE_COLOURS,
    FAINT,
    MARK_EDGE,
    MARKED,
    SUBTITLE,
    TITLE,
    shorten,
    width,
    wrap,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARGIN = 0.4
_NARROWEST, _WIDEST = 9.5, 24.0
_EVENT = 0.3  # inches between two events, if there is room
_PITCHES = (
    (1, 2.2),
    (3, 1.3),
    (8, 0.95),
    (20, 0.7),
    (40, 0.45),
)  # (lanes at most, inches per lane)
_CROWDED = 0.3
_AXIS = 0.45
_PALE = "#9AA5B1"
_LANE = Font(NOTE.size, bold=True, colour=NOTE.colour)
_TICK = Font(7.5, colour=NOTE.colour)
_NAME, _SMALL_NAME = Font(7.5, bold=True), Font(5.5, bold=True)
_TEMPLATE = Font(6.5, colour=NOTE.colour)


def drawn_rows(history: History, found: Dependencies) -> Ints:
    """All committed transactions, and those of unknown outcome that have dependencies."""
    rows = history.type == OK
    rows[found.source] = True
    rows[found.target] = True
    return np.flatnonzero(rows)


def dependency_figure(
    history: History, result: AnalysisResult, found: Dependencies | None = None, rows: Ints | None = None
) -> Figure:
    """The picture as a matplotlib figure. found: the dependencies of the history. rows: the transactions
    to draw; None for all."""
    found = found or dependencies(history)
    found = found.unfolded() if len(found.bicliques) else found
    every = drawn_rows(history, found)
    rows = every if rows is None else rows
    lanes = len(lanes_of(history, rows.tolist())[1])
    pitch = next((high for most, high in _PITCHES if lanes <= most), _CROWDED)
    boxes = boxes_of(history, rows, min(_EVENT, _WIDEST / max(2 * len(rows), 1)), pitch)
    curves = curves_of(found, boxes)

    names = [_lane_name(history, lane) for lane in boxes.lanes]
    margin = max([width(name, _LANE) for name in names], default=0.0) + 0.2
    across = max(_NARROWEST, margin + float(boxes.right.max(initial=0.0)) + 0.1)
    title = wrap(_title(result, len(rows), len(every)), TITLE, across)
    subtitle = wrap(_subtitle(result, curves), SUBTITLE, across)
    entries = _legend(result, curves)
    head = len(title) * line_height(TITLE) + len(subtitle) * line_height(SUBTITLE) + 0.3
    body, foot = len(boxes.lanes) * pitch, _AXIS + height_of(entries, across)

    figure, axes = sheet((across + 2 * _MARGIN, 2 * _MARGIN + head + body + foot))
    top = _MARGIN + foot + body + head
    write(axes, _MARGIN, top, "\n".join(title), TITLE)
    write(axes, _MARGIN, top - len(title) * line_height(TITLE) - 0.06, "\n".join(subtitle), SUBTITLE)
    drawing = _Drawing(axes, history, boxes, _MARGIN + margin, _MARGIN + foot)
    drawing.draw_lanes(names, across + _MARGIN)
    drawing.draw_curves(curves, {(edge.kind, edge.source, edge.target) for edge in _shown_edges(result)})
    drawing.draw_boxes({view.row for anomaly in result.anomalies for view in anomaly.transactions})
    drawing.draw_times()
    draw_legend(axes, entries, _MARGIN, _MARGIN + height_of(entries, across), across)
    return figure


def _lane_name(history: History, processes: Sequence[int]) -> str:
    shown = ", ".join(process_text(history, process)[:16] for process in processes[:3])
    return f"process {shown}{', …' if len(processes) > 3 else ''}"


def _title(result: AnalysisResult, drawn: int, of: int) -> str:
    found = f" · {title_of(result, ())}" if result.anomalies else ""
    if drawn < of:
        return f"{drawn:,} of {of:,} transactions and the dependencies between them{found}"
    return f"{drawn:,} transactions and their dependencies{found}"


def _subtitle(result: AnalysisResult, curves: EdgeCurves) -> str:
    overlapped = int(curves.concurrent.sum())
    said = [
        f"{len(curves.kind):,} edges, {overlapped:,} of them between transactions that overlapped in time"
    ]
    if not result.anomalies:
        said.append(result.reason or f"nothing contradicts {model_text(result.expect)}")
    return " · ".join([*said, "left to right in history order (not to scale)"])


def _shown_edges(result: AnalysisResult) -> list[Edge]:
    return [edge for anomaly in result.anomalies for edge in anomaly.edges]


def _legend(result: AnalysisResult, curves: EdgeCurves) -> list[LegendEntry]:
    entries = entries_for(KINDS[kind] for kind in np.unique(curves.kind))
    if not curves.concurrent.all():
        entries.append(LegendEntry("pale", "the two did not overlap in time", _PALE))
    if result.anomalies:
        entries.append(LegendEntry("yellow box", "part of an anomaly that is shown", MARK_EDGE))
    return entries


@dataclass(frozen=True)
class _Drawing:
    """left, bottom: where the lanes begin."""

    axes: Axes
    history: History
    boxes: TransactionBoxes
    left: float
    bottom: float

    def draw_lanes(self, names: Sequence[str], right: float) -> None:
        heights = sorted(set(self.boxes.y.tolist()), reverse=True)
        for height, name in zip(heights, names, strict=True):
            y = self.bottom + height
            self.axes.plot([self.left, right], [y, y], color=FAINT, lw=0.6, zorder=0)
            write(self.axes, self.left - 0.15, y, name, _LANE, ha="right", va="center_baseline")

    def draw_curves(self, curves: EdgeCurves, shown: Collection[tuple[str, int, int]]) -> None:
        """All edges as two artists, however many there are: the curves and their heads."""
        from matplotlib.collections import LineCollection, PolyCollection
        from matplotlib.colors import to_rgba

        if not len(curves.kind):
            return
        source, target = self.boxes.rows[curves.source], self.boxes.rows[curves.target]
        names = zip((KINDS[kind] for kind in curves.kind), source.tolist(), target.tolist(), strict=True)
        strong = np.array([name in shown for name in names])
        crowd = min(1.0, (400 / len(curves.kind)) ** 0.5)  # the more edges, the lighter
        strength = (0.7 if strong.any() else 1.0) * max(crowd, 0.4)
        alpha = np.where(strong, 1.0, np.where(curves.concurrent, 0.9, 0.4) * strength)
        colours = np.array([to_rgba(EDGE_COLOURS[KINDS[kind]]) for kind in curves.kind])
        colours[:, 3] = alpha
        widths = np.where(strong, 2.4, 0.6 + 0.8 * crowd)
        order = np.argsort(strong, kind="stable")  # the anomalies' edges on top
        points = curves.points[order] + np.array([self.left, self.bottom])
        self.axes.add_collection(
            LineCollection(list(points), colors=colours[order], linewidths=widths[order], zorder=1)
        )
        heads = _heads(points, np.where(strong[order], 0.09, 0.045 + 0.025 * crowd))
        self.axes.add_collection(
            PolyCollection(list(heads), facecolors=colours[order], edgecolors="none", zorder=1.5)
        )

    def draw_boxes(self, marked: Collection[int]) -> None:
        """marked: rows of transactions that take part in an anomaly."""
        places = zip(self.boxes.rows.tolist(), self.boxes.left, self.boxes.right, self.boxes.y, strict=True)
        thickness = self.boxes.thickness
        for row, start, end, middle in places:
            x, y, size = self.left + start, self.bottom + middle, end - start
            rounded_box(
                self.axes,
                (x, y - thickness / 2),
                (size, thickness),
                min(0.07, size / 3, thickness / 3),
                facecolor=MARKED if row in marked else BOX,
                edgecolor=MARK_EDGE if row in marked else BOX_EDGE,
                lw=1.6 if row in marked else 0.8,
                ls="-" if self.history.type[row] == OK else (0, (3, 1.5)),
                zorder=2,
                gid=f"transaction {row}",
            )
            self.draw_name(row, x + size / 2, y, size)

    def draw_name(self, row: int, x: float, y: float, room: float) -> None:
        """As much of a transaction's name as there is room for."""
        name, template = f"T{name_of(self.history, row)}", int(self.history.template[row])
        roomy = width(name, _NAME) + 0.06 <= room
        below = "" if template < 0 else shorten(self.history.templates[template], _TEMPLATE, room - 0.06)
        if roomy and len(below) > 3 and self.boxes.thickness > 0.3:
            write(self.axes, x, y + 0.075, name, _NAME, ha="center", va="center", zorder=3)
            write(self.axes, x, y - 0.075, below, _TEMPLATE, ha="center", va="center", zorder=3)
        elif roomy:
            write(self.axes, x, y, name, _NAME, ha="center", va="center_baseline", zorder=3)
        elif (
            line_height(_SMALL_NAME) * 0.8 <= room and width(name, _SMALL_NAME) <= self.boxes.thickness - 0.02
        ):
            write(self.axes, x, y, name, _SMALL_NAME, ha="center", va="center", rotation=90, zorder=3)

    def draw_times(self) -> None:
        """The clock time of some events; the axis itself is history order."""
        y = self.bottom - 0.06
        write(self.axes, self.left - 0.15, y, "since start", _LANE, ha="right")
        rows = self.boxes.rows
        places = np.concatenate([self.boxes.left, self.boxes.right])
        clock = np.concatenate([self.history.invoke_time[rows], self.history.complete_time[rows]])
        last = 0.3  # to the right of the row's heading
        for at in np.argsort(places, kind="stable").tolist():
            if clock[at] < 0 or places[at] < last:
                continue
            x = self.left + float(places[at])
            self.axes.plot([x, x], [y + 0.06, y + 0.01], color=NOTE.colour, lw=0.8)
            write(self.axes, x, y, elapsed(int(clock[at])), _TICK, ha="center")
            last = float(places[at]) + 0.9


def _heads(points: Floats, size: Floats) -> Floats:
    """A triangle at the end of each curve."""
    end = points[:, -1]
    back = points[:, -3] - end
    back /= np.maximum(np.linalg.norm(back, axis=1, keepdims=True), 1e-9)
    side = np.stack([-back[:, 1], back[:, 0]], axis=1)
    base = end + back * size[:, None]
    spread = side * size[:, None] * 0.45
    heads: Floats = np.stack([end, base + spread, base - spread], axis=1)
    return heads
