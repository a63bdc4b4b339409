"""Fonts for layouts; each output format measures text widths itself. Lengths are inches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

INK, MUTED = "#1F2933", "#616E7C"


@dataclass(frozen=True, slots=True)
class Font:
    """size: points."""

    size: float
    bold: bool = False
    mono: bool = False
    colour: str = INK


NOTE = Font(8.5, colour=MUTED)
NAME = Font(9.5, bold=True)
MOP = Font(8.5, mono=True)
LABEL = Font(8.5)
LABEL_TITLE = Font(LABEL.size, bold=True)

Width: TypeAlias = Callable[[str, Font], float]


def line_height(font: Font) -> float:
    return font.size * 1.35 / 72


def wrap(text: str, font: Font, most: float, width: Width) -> list[str]:
    """The text in lines of at most that width; a longer word is cut and ends in "…"."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, font) <= most:
            lines[-1] = joined
        else:
            lines.append(shorten(word, font, most, width))
    return lines


def shorten(text: str, font: Font, most: float, width: Width) -> str:
    """The text, or as much as fits, with "…"."""
    if width(text, font) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle] + "…", font) <= most else (low, middle - 1)
    return text[:low] + "…"
