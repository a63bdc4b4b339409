"""Code of plugins is called with a limit of time, and whatever it raises stays an error of the plugin.

A call that does not come back cannot be ended, only left behind: it goes on in a thread of its own
until the process ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from txfuzz.common.time_limit import called_within

PLUGIN_SECONDS = 60.0

T = TypeVar("T")


class Late(Exception):
    """No answer in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class Failed(Exception):
    """It raised something: `error`, which may be a BaseException (of a native extension, of pytest, …)."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


def call_within(seconds: float, what: str, call: Callable[[], T]) -> T:
    """What the call gives. Late, or Failed with what it raised.

    what: names the call in words, for whoever finds the process ended by it.
    """
    _note(what)
    values, errors = called_within(seconds, "plugin", call)
    if not values and not errors:  # it may be about to end, but has not given anything in time
        raise Late(seconds)
    _note("")
    if errors:
        raise Failed(errors[0]) from errors[0]
    return values[0]


def noted_by(note: Callable[[str], None]) -> None:
    """Who is told which call is under way; an empty text: none."""
    global _note
    _note = note


def _nobody(what: str) -> None:
    pass


_note: Callable[[str], None] = _nobody
