"""The style of the pictures: colours, fonts and text widths. All lengths are inches.

Edges have the colours of Okabe and Ito, which are distinguishable with any kind of colour vision.
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

# matplotlib logs when it cannot cache or rebuilds its font list: send that to configured logging, not stderr.
logging.getLogger("matplotlib").addHandler(logging.NullHandler())

DPI = 130
FAINT, PAPER = "#CBD2D9", "#FFFFFF"
BOX, FAILED_BOX, BOX_EDGE, CELL_EDGE = "#F5F7FA", "#FBEAEA", "#52606D", "#CBD2D9"
MARKED, MARK_EDGE = "#FFF3C4", "#B7791F"  # transactions of a cycle
EDGE_COLOURS: Mapping[str, str] = {
    "wr": "#0072B2",
    "ww": "#009E73",
    "rw": "#D55E00",
    "process": "#7B4FA0",
    "realtime": "#4D4D4D",
}
MISSING = "#AA2277"  # a missing edge, whatever its kind would be
TINTS: Mapping[str, str] = {"wr": "#DCEFFA", "ww": "#D9F2E9", "rw": "#FCE6D6", "missing": "#F9E4F1"}
TITLE = Font(15, bold=True)
SUBTITLE = Font(9.5, colour=MUTED)
HEADING = Font(11, bold=True)


@cache
def properties(size: float, bold: bool, mono: bool) -> FontProperties:
    """Both families ship with matplotlib, so a picture looks the same everywhere."""
    from matplotlib.font_manager import FontProperties

    family = "DejaVu Sans Mono" if mono else "DejaVu Sans"
    return FontProperties(family=family, size=size, weight="bold" if bold else "normal")


def width(text: str, font: Font) -> float:
    """The width of a line."""
    from matplotlib.textpath import text_to_path

    shown = properties(font.size, font.bold, font.mono)
    measured, _, _ = text_to_path.get_text_width_height_descent(drawable(text), shown, ismath=False)
    return float(measured) / 72


@cache
def _glyphs(mono: bool) -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(properties(10, False, mono))).get_charmap())


def drawable(text: str, font: Font = MOP) -> str:
    """The text with a box for each character that the font cannot draw; histories may contain any."""
    glyphs = _glyphs(font.mono)
    return "".join(
        char if ord(char) in glyphs and unicodedata.category(char)[0] != "C" else "\u25a1" for char in text
    )


def wrap(text: str, font: Font, most: float) -> list[str]:
    """`typography.wrap` with the widths measured here."""
    return typography.wrap(text, font, most, width)


def shorten(text: str, font: Font, most: float) -> str:
    """`typography.shorten` with the widths measured here."""
    return typography.shorten(text, font, most, width)
