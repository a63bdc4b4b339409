"""Plain text in lines: paragraphs with hanging indents, and tables."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from txfuzz.common.sanitize import printable

WIDTH = 100


def paragraph(text: str, indent: int = 0, hang: int = 0) -> list[str]:
    """The text in lines of at most WIDTH where its words allow it.

    indent: of all lines; hang: of those after the first, in addition.
    """
    lines: list[str] = []
    for part in printable(text).split("\n"):
        lines += textwrap.wrap(
            part,
            WIDTH,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + hang),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def labelled(label: str, text: str, column: int) -> list[str]:
    """A label, and from `column` on what belongs to it."""
    return paragraph(f"{label:<{column - 1}} {text}", hang=column) if text else []


def table(head: Sequence[str], rows: Sequence[Sequence[str]], indent: int) -> list[str]:
    """Columns of numbers, right-aligned under their heads."""
    cells = [head, *rows]
    widths = [max(len(printable(row[at])) for row in cells) for at in range(len(head))]
    return [
        " " * indent + "  ".join(f"{printable(cell):>{size}}" for cell, size in zip(row, widths, strict=True))
        for row in cells
    ]
