"""What the pictures look like: colours, type and the width of a text. All lengths are inches.

The colours of the edges are Okabe and Ito's, which people with any kind of colour vision tell apart.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from txfuzz.report.cycle import typography
from txfuzz.report.cycle.typography import MOP, MUTED, Font

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

# Where nothing can be cached, or fonts are listed anew, it says so: to who set up logging, but not on stderr.
logging.getLogger("matplotlib").addHandler(logging.NullHandler())

DPI = 130
FAINT, PAPER = "#CBD2D9", "#FFFFFF"
BOX, FAILED_BOX, BOX_EDGE, CELL_EDGE = "#F5F7FA", "#FBEAEA", "#52606D", "#CBD2D9"
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
TITLE = Font(15, bold=True)
SUBTITLE = Font(9.5, colour=MUTED)
HEADING = Font(11, bold=True)


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
    """As `typography.wrap`, with the width that it has here."""
    return typography.wrap(text, font, most, width)


def shorten(text: str, font: Font, most: float) -> str:
    """As `typography.shorten`, with the width that it has here."""
    return typography.shorten(text, font, most, width)
