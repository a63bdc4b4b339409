"""Where in a plugin an error arose, and its traceback for who asks for it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from txfuzz.common.sanitize import printable

if TYPE_CHECKING:
    from txfuzz.plugin.registry import Plugin

CORE = "txfuzz"
TRACEBACKS = "TXFUZZ_TRACEBACK"  # in the environment: show them

_shown: BaseException | None = None  # the last one whose traceback was printed


def frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Frames with their lines, innermost first."""
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return reversed(found)


def place_in(plugin: Plugin, error: BaseException) -> str:
    """The innermost line of the plugin that the error passed through, as in "shelf.py line 12", without the
    file for a plugin that is one; empty if there is none or the error already names it."""
    if isinstance(error, SyntaxError):
        return ""
    for frame, line in frames(error):
        file, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))
        if plugin.is_file and file == plugin.module:
            return f"line {line}"
        if not plugin.is_file and _package(module) == _package(plugin.module) != CORE:
            return f"{Path(file).name} line {line}"
    return ""


def _package(module: str) -> str:
    """module: a module's name or the value of an entry point."""
    return module.partition(":")[0].partition(".")[0]


def tracebacks_wanted() -> bool:
    return bool(os.environ.get(TRACEBACKS))


def show_traceback(error: BaseException) -> None:
    """Print it on stderr if tracebacks are wanted, once for each error. Errors of plugins that only become a
    sentence have to be shown where they are caught."""
    global _shown
    if tracebacks_wanted() and error is not _shown:
        _shown = error
        print(printable("".join(traceback.format_exception(error))), end="", file=sys.stderr, flush=True)
