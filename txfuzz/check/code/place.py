"""Where in somebody's own code something is: its file and line, not a library's or ours."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from types import FrameType, TracebackType

# Frameworks send statements of their own when they open a connection: those are no part of a transaction
_CONNECTING = frozenset(
    {
        ("sqlalchemy.pool.base", "__connect"),
        ("django.db.backends.base.base", "connect"),
    }
)
_LIBRARIES = tuple(
    f"{os.path.realpath(each)}{os.sep}"
    for each in {*(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))}
)
_OURS = str(Path(__file__).resolve().parents[2]) + os.sep


def inside_connecting() -> bool:
    """Is this thread just opening a connection?"""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_name
        if name in ("__connect", "connect") and (frame.f_globals.get("__name__"), name) in _CONNECTING:
            return True
        frame = frame.f_back
    return False


def is_own(file: str) -> bool:
    if file.startswith("<"):
        return False
    real = os.path.realpath(file)
    return not real.startswith(_LIBRARIES) and not real.startswith(_OURS)


def own_frame(frame: FrameType | None) -> str:
    """The innermost line of somebody's own code, "app.py:12 (in book)"; empty where there is none."""
    while frame is not None:
        if is_own(frame.f_code.co_filename):
            return f"{shown(frame.f_code.co_filename)}:{frame.f_lineno} (in {frame.f_code.co_name})"
        frame = frame.f_back
    return ""


def raised_at(error: BaseException) -> str:
    """The innermost line of somebody's own code that an error came through, "app.py:12"."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(error.filename)}:{error.lineno}"
    place, trace = "", error.__traceback__
    while trace is not None:
        place = _own_line(trace) or place
        trace = trace.tb_next
    return place


def _own_line(trace: TracebackType) -> str:
    file = trace.tb_frame.f_code.co_filename
    return f"{shown(file)}:{trace.tb_lineno}" if is_own(file) else ""


def shown(file: str) -> str:
    """Relative to where we are, if it is below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
