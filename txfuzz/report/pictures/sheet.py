"""Drawing primitives: a sheet measured in inches, texts, rounded boxes and the legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from txfuzz.report.cycle.labels import MEANINGS
from txfuzz.report.cycle.typography import NOTE, Font, line_height
from txfuzz.report.pictures.style import DPI, EDGE_COLOURS, PAPER, drawable, properties, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_STEP = line_height(NOTE) + 0.07
_SAMPLE = 0.42


def write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    font: Font,
    *,
    ha: str = "left",
    va: str = "top",
    **more: Any,
) -> Text:
    """One text. A history is not TeX: `$` is an ordinary character here."""
    return axes.text(
        x,
        y,
        "\n".join(drawable(line, font) for line in text.split("\n")),
        fontproperties=properties(font.size, font.bold, font.mono),
        ha=ha,
        va=va,
        parse_math=False,
        **{"color": font.colour, "linespacing": 1.25, **more},
    )


def sheet(size: tuple[float, float]) -> tuple[Figure, Axes]:
    """An empty picture with coordinates in inches, y upwards."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, size[0])
    axes.set_ylim(0, size[1])
    axes.axis("off")
    return figure, axes


def rounded_box(
    axes: Axes, corner: tuple[float, float], size: tuple[float, float], radius: float, **style: Any
) -> None:
    """A rectangle with rounded corners. corner: the lower left one."""
    from matplotlib.patches import FancyBboxPatch

    shape = f"round,pad=0,rounding_size={radius}"
    axes.add_artist(FancyBboxPatch(corner, *size, boxstyle=shape, **style))  # the limits are set already


@dataclass(frozen=True, slots=True)
class LegendEntry:
    name: str
    meaning: str
    colour: str
    dashed: bool = False

    @property
    def font(self) -> Font:
        return Font(NOTE.size, bold=True, colour=self.colour)

    @property
    def width(self) -> float:
        return _SAMPLE + 0.43 + width(f"{self.name}  ", self.font) + width(self.meaning, NOTE)


def entries_for(kinds: Iterable[str]) -> list[LegendEntry]:
    """An entry for each of these kinds of edges, in a fixed order."""
    present = set(kinds)
    return [LegendEntry(kind, MEANINGS[kind], EDGE_COLOURS[kind]) for kind in EDGE_COLOURS if kind in present]


def _rows(entries: Sequence[LegendEntry], most: float) -> list[list[LegendEntry]]:
    """The entries in rows no wider than `most` (inches), if possible."""
    rows: list[list[LegendEntry]] = []
    for entry in entries:
        if rows and sum(each.width for each in rows[-1]) + entry.width <= most:
            rows[-1].append(entry)
        else:
            rows.append([entry])
    return rows


def height_of(entries: Sequence[LegendEntry], most: float) -> float:
    return len(_rows(entries, most)) * _STEP


def draw_legend(axes: Axes, entries: Sequence[LegendEntry], x: float, y: float, most: float) -> None:
    """x, y: the upper left corner."""
    for row in _rows(entries, most):
        y -= _STEP
        at, middle = x, y + _STEP / 2
        for entry in row:
            style = (0, (3, 1.5)) if entry.dashed else "-"
            axes.plot([at, at + _SAMPLE], [middle, middle], color=entry.colour, lw=2, ls=style)
            text = at + _SAMPLE + 0.08
            write(axes, text, middle, entry.name, entry.font, va="center_baseline")
            write(
                axes,
                text + width(f"{entry.name}  ", entry.font),
                middle,
                entry.meaning,
                NOTE,
                va="center_baseline",
            )
            at += entry.width
