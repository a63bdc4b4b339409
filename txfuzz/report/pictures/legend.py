"""The legend of a picture: kinds of edges and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from txfuzz.report.pictures.sheet import write
from txfuzz.report.pictures.style import EDGE_COLOURS, MEANINGS, NOTE, Font, line_height, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEP = line_height(NOTE) + 0.07
_SAMPLE = 0.42


@dataclass(frozen=True, slots=True)
class Entry:
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


def entries_for(kinds: Iterable[str]) -> list[Entry]:
    """An entry for each of these kinds of edges, in the order of the strength of their proof."""
    present = set(kinds)
    return [Entry(kind, MEANINGS[kind], EDGE_COLOURS[kind]) for kind in EDGE_COLOURS if kind in present]


def rows_of(entries: Sequence[Entry], most: float) -> list[list[Entry]]:
    """The entries in rows that are no wider than `most` (inches) where possible."""
    rows: list[list[Entry]] = []
    for entry in entries:
        if rows and sum(each.width for each in rows[-1]) + entry.width <= most:
            rows[-1].append(entry)
        else:
            rows.append([entry])
    return rows


def height_of(entries: Sequence[Entry], most: float) -> float:
    return len(rows_of(entries, most)) * _STEP


def draw_legend(axes: Axes, entries: Sequence[Entry], x: float, y: float, most: float) -> None:
    """x, y: the upper left corner."""
    for row in rows_of(entries, most):
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
