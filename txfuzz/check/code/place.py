"""Where in somebody's own code something is: its file and line, not a library's or ours."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from types import FrameType

# Frameworks send statements of their own when they open a connection, or look whether it is alive: those are
# no part of a transaction
_CONNECTING = frozenset(
    {
        ("sqlalchemy.pool.base", "__connect"),
        ("sqlalchemy.engine.default", "_do_ping_w_event"),
        ("django.db.backends.base.base", "connect"),
    }
)
_CONNECTING_NAMES = frozenset(name for _, name in _CONNECTING)
_LIBRARIES = tuple(
    f"{os.path.realpath(each)}{os.sep}"
    for each in {*(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))}
)


def inside_connecting() -> bool:
    """Is this thread just opening a connection, or looking whether it is alive?"""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_name
        if name in _CONNECTING_NAMES and (frame.f_globals.get("__name__"), name) in _CONNECTING:
            return True
        frame = frame.f_back
    return False


def is_own(frame: FrameType) -> bool:
    """Is it neither Python's, nor an installed library's, nor ours or of a plugin of ours?"""
    file = frame.f_code.co_filename
    if file.startswith("<") or str(frame.f_globals.get("__name__")).startswith(("txfuzz.", "txfuzz_")):
        return False
    return not os.path.realpath(file).startswith(_LIBRARIES)


def own_frame(frame: FrameType | None) -> str:
    """The innermost line of somebody's own code, "app.py:12 (in book)"; empty where there is none."""
    while frame is not None:
        if is_own(frame):
            return f"{shown(frame.f_code.co_filename)}:{frame.f_lineno} (in {frame.f_code.co_name})"
        frame = frame.f_back
    return ""


def raised_at(error: BaseException) -> str:
    """The innermost line of somebody's own code that an error came through, "app.py:12"."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(error.filename)}:{error.lineno}"
    place, trace = "", error.__traceback__
    while trace is not None:
        if is_own(trace.tb_frame):
            place = f"{shown(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def shown(file: str) -> str:
    """Relative to where we are, if it is below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
