"""Calls into plugins, with a time limit; whatever they raise remains the plugin's error.

A call that does not return cannot be stopped: it continues in its own thread until the process ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from txfuzz.common.time_limit import called_within

PLUGIN_SECONDS = 60.0

T = TypeVar("T")


class Late(Exception):
    """The call did not return in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class Failed(Exception):
    """The call raised `error`, which may be a BaseException (from a native extension, pytest, …)."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


def call_within(seconds: float, what: str, call: Callable[[], T]) -> T:
    """The call's result. Raises Late, or Failed with what it raised.

    what: the call in words, reported if it ends the process.
    """
    _note(what)
    under_way = (what, time.monotonic() + seconds)
    _under_way.append(under_way)
    try:
        values, errors = called_within(seconds, "plugin", call)
    finally:
        _under_way.remove(under_way)
    if not values and not errors:
        raise Late(seconds)
    _note("")
    if errors:
        raise Failed(errors[0]) from errors[0]
    return values[0]


def waited_for() -> tuple[str, float] | None:
    """The innermost call under way, in words, and the seconds left to it; None if there is none."""
    calls = list(_under_way)  # which another thread changes
    if not calls:
        return None
    what, until = calls[-1]
    return what, max(0.0, until - time.monotonic())


def noted_by(note: Callable[[str], None]) -> None:
    """Set the function that is told which call is in progress; empty text: none."""
    global _note
    _note = note


def _ignore(what: str) -> None:
    pass


_under_way: list[tuple[str, float]] = []
_note: Callable[[str], None] = _ignore
