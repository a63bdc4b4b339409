"""Plain text in lines: paragraphs with hanging indents, and tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from txfuzz.common.sanitize import printable

WIDTH = 100  # of files, and of what is printed to no terminal
# What a command prints follows its terminal, while the files that it writes meanwhile do not
_columns: ContextVar[int] = ContextVar("columns", default=WIDTH)


def width() -> int:
    """How wide lines are here."""
    return _columns.get()


@contextmanager
def wrapped_at(columns: int) -> Iterator[None]:
    """Within it, text is laid out for this many columns."""
    token = _columns.set(columns)
    try:
        yield
    finally:
        _columns.reset(token)


def paragraph(text: str, indent: int = 0, hang: int = 0) -> list[str]:
    """The text in lines of at most width() where its words allow it.

    indent: of all lines; hang: of those after the first, in addition.
    """
    lines: list[str] = []
    for part in printable(text).split("\n"):
        lines += textwrap.wrap(
            part,
            width(),
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


def head_lines(names: Sequence[str], first: int) -> list[list[str]]:
    """The heads of columns that stand beside a first one: one line, or one word a line where they would be
    wider than width()."""
    if first + sum(len(name) + 2 for name in names) <= width():
        return [list(names)]
    words = [name.split() for name in names]
    most = max(map(len, words), default=1)
    filled = [[""] * (most - len(each)) + each for each in words]
    return [list(line) for line in zip(*filled, strict=True)]
