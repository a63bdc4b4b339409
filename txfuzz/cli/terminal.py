"""What a command prints on stdout: as wide as the terminal, and in colour where that is wanted."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

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


def columns() -> int | None:
    """The width of the terminal that stdout is, within reason; None if it is none."""
    if not sys.stdout.isatty():
        return None
    return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)


def is_coloured() -> bool:
    """NO_COLOR forbids it, FORCE_COLOR demands it (https://no-color.org, https://force-color.org); otherwise
    only a terminal is coloured, so that pipes and the logs of build servers stay plain."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def say(text: str, style: Style | None = None) -> None:
    """Print lines on stdout."""
    write = getattr(sys.stdout, "styled", None)
    if style is None or write is None or not is_coloured():
        sys.stdout.write(f"{text}\n")
        return
    for line in text.split("\n"):
        if line:
            write(line, style.value)
        sys.stdout.write("\n")


def laid_out(make: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What this function makes, laid out for the terminal."""
    from txfuzz.report.text.lines import WIDTH, wrapped_at

    with wrapped_at(columns() or WIDTH):
        return make(*arguments, **named)
