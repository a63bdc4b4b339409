"""What all pictures are drawn with: a sheet measured in inches, texts and rounded boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from txfuzz.report.pictures.style import DPI, PAPER, Font, drawable, properties

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text


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
    """An empty picture whose coordinates are inches, y upwards."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, size[0])
    axes.set_ylim(0, size[1])
    axes.axis("off")
    return figure, axes


def box(
    axes: Axes, corner: tuple[float, float], size: tuple[float, float], radius: float, **style: Any
) -> None:
    """A rectangle with round corners. corner: the lower left one."""
    from matplotlib.patches import FancyBboxPatch

    shape = f"round,pad=0,rounding_size={radius}"
    axes.add_artist(FancyBboxPatch(corner, *size, boxstyle=shape, **style))  # the limits are set already
