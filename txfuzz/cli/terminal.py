"""What a command prints on stdout: as wide as the terminal, and in colour where that is wanted."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TextIO

from txfuzz.analysis.result import Verdict

_NARROWEST, _WIDEST = 60, 120  # longer lines are hard to read


class Style(Enum):
    """By what the text says; the values are ANSI's."""

    TITLE = "1"
    BROKEN = "1;31"  # a promise of the database
    FOUND = "1;33"
    GOOD = "1;32"
    UNKNOWN = "1;35"
    COMMAND = "36"


OF_VERDICT = {Verdict.VALID: Style.GOOD, Verdict.INVALID: Style.FOUND, Verdict.UNKNOWN: Style.UNKNOWN}


def columns(file: TextIO | None = None) -> int | None:
    """The width of the terminal that stdout (or this file) is, within reason; None if it is none."""
    if not (file or sys.stdout).isatty():
        return None
    return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)


def is_coloured(file: TextIO | None = None) -> bool:
    """Whether stdout (or this file) is. NO_COLOR forbids it, FORCE_COLOR demands it (https://no-color.org,
    https://force-color.org); otherwise only a terminal is, so that pipes and build logs stay plain."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    return (file or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def say(text: str, style: Style | None = None, *, file: TextIO | None = None) -> None:
    """Print lines on stdout, or into this file."""
    out = file or sys.stdout
    write = getattr(out, "styled", None)
    if style is None or write is None or not is_coloured(out):
        out.write(f"{text}\n")
        return
    for line in text.split("\n"):
        if line:
            write(line, style.value)
        out.write("\n")


def say_step(command: str, what: str) -> None:
    """A command and what it is for, on one line of stdout."""
    say_cell("", command, what, Style.COMMAND if command else None)


def say_cell(before: str, cell: str, after: str, style: Style | None) -> None:
    """A line on stdout of which one cell has a style."""
    write = getattr(sys.stdout, "styled", None)
    sys.stdout.write(before)
    if style is not None and write is not None and is_coloured():
        write(cell, style.value)
    else:
        sys.stdout.write(cell)
    sys.stdout.write(f"{after}\n")


@contextmanager
def laid_out(file: TextIO | None = None) -> Iterator[None]:
    """Text that is made within it is laid out for the terminal that stdout (or this file) is."""
    from txfuzz.report.text.lines import WIDTH, wrapped_at

    with wrapped_at(columns(file) or WIDTH):
        yield


def wrapped(text: str, file: TextIO) -> list[str]:
    """Lines of progress that fit this file, at the terminal's width or WIDTH; what goes on is indented."""
    from txfuzz.report.text.lines import WIDTH, paragraph, wrapped_at

    with wrapped_at(columns(file) or WIDTH):
        return [
            line
            for part in text.split("\n")
            for line in paragraph(part.strip(), len(part) - len(part.lstrip(" ")), hang=2) or [""]
        ]
