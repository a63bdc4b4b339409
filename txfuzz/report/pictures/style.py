"""What the pictures look like: colours, type and the width of a text. All lengths are inches.

The colours of the edges are Okabe and Ito's, which people with any kind of colour vision tell apart.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

# Where nothing can be cached, or fonts are listed anew, it says so: to who set up logging, but not on stderr.
logging.getLogger("matplotlib").addHandler(logging.NullHandler())

DPI = 130
INK, MUTED, FAINT, PAPER = "#1F2933", "#616E7C", "#CBD2D9", "#FFFFFF"
CARD, FAILED_CARD, CARD_EDGE, CELL_EDGE = "#F5F7FA", "#FBEAEA", "#52606D", "#CBD2D9"
MARKED, MARK_EDGE = "#FFF3C4", "#B7791F"  # transactions of a cycle among all others
EDGE_COLOURS: Mapping[str, str] = {
    "wr": "#0072B2",
    "ww": "#009E73",
    "rw": "#D55E00",
    "process": "#7B4FA0",
    "realtime": "#4D4D4D",
}
MISSING = "#AA2277"  # an edge that is not there, whatever its kind would be
TINTS: Mapping[str, str] = {"wr": "#DCEFFA", "ww": "#D9F2E9", "rw": "#FCE6D6", "missing": "#F9E4F1"}
MEANINGS: Mapping[str, str] = {
    "wr": "reads from: the one wrote what the other read",
    "ww": "overwrites: the other wrote the next version",
    "rw": "anti-dependency: the other wrote the version after the one read",
    "process": "order of one process",
    "realtime": "completed before the other was invoked",
}


@dataclass(frozen=True, slots=True)
class Font:
    """size: points."""

    size: float
    bold: bool = False
    mono: bool = False
    colour: str = INK


TITLE = Font(15, bold=True)
SUBTITLE = Font(9.5, colour=MUTED)
HEADING = Font(11, bold=True)
NOTE = Font(8.5, colour=MUTED)
NAME = Font(9.5, bold=True)
MOP = Font(8.5, mono=True)
LABEL = Font(8.5)


@cache
def properties(size: float, bold: bool, mono: bool) -> FontProperties:
    """The two families come with matplotlib, so a picture looks the same everywhere."""
    from matplotlib.font_manager import FontProperties

    family = "DejaVu Sans Mono" if mono else "DejaVu Sans"
    return FontProperties(family=family, size=size, weight="bold" if bold else "normal")


def width(text: str, font: Font) -> float:
    """How wide a line is."""
    from matplotlib.textpath import text_to_path

    shown = properties(font.size, font.bold, font.mono)
    measured, _, _ = text_to_path.get_text_width_height_descent(drawable(text), shown, ismath=False)
    return float(measured) / 72


def line_height(font: Font) -> float:
    return font.size * 1.35 / 72


@cache
def _glyphs(mono: bool) -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(properties(10, False, mono))).get_charmap())


def drawable(text: str, font: Font = MOP) -> str:
    """The text with a box for each character that the font cannot draw.

    Keys and values come from anybody's history.
    """
    glyphs = _glyphs(font.mono)
    return "".join(
        char if ord(char) in glyphs and unicodedata.category(char)[0] != "C" else "\u25a1" for char in text
    )


def wrap(text: str, font: Font, most: float) -> list[str]:
    """The text in lines of at most that width; a word that is longer is cut and ends in "…"."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, font) <= most:
            lines[-1] = joined
        else:
            lines.append(shorten(word, font, most))
    return lines


def shorten(text: str, font: Font, most: float) -> str:
    """The text, or as much of it as fits, and "…"."""
    if width(text, font) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle] + "…", font) <= most else (low, middle - 1)
    return text[:low] + "…"
