"""Statements to be typed into several windows of a database's tool, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

COLUMN = 40  # characters from one window's lines to those of the next


@dataclass(frozen=True, slots=True)
class WindowLine:
    """One statement. window: a label. shows: what that window shows then."""

    window: str
    sql: str
    shows: str = ""


def in_columns(lines: Iterable[WindowLine], windows: Sequence[str]) -> Iterator[str]:
    """A column for each window; what is none of them (setup) is in the first one.

    Below each statement stands what it shows, as a comment that can be typed as well.
    """
    width = max(map(len, (*windows, "setup", "after")))
    for line in lines:
        indent = " " * (COLUMN * windows.index(line.window) if line.window in windows else 0)
        yield f"{indent}/* {commented(line.window):<{width}} */ {line.sql.strip().rstrip(';')};"
        if line.shows:
            yield f"{indent}{' ' * (width + 7)}-- {commented(line.shows)}"


def commented(text: str) -> str:
    """On one line, which ends no comment."""
    return " ".join(text.split()).replace("*/", "* /")
