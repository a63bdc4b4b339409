"""Durations as people write them (500ms, 30s, 10m, 1.5h), and ages as they say them."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_in(text: str) -> float | None:
    """The seconds of a duration with its unit (us, ms, s, m or h); None if it is none."""
    found = _DURATION.fullmatch(text.strip())
    return None if found is None else float(found[1]) * _SECONDS[found[2]]


_UNITS = ((60.0, "second"), (60.0, "minute"), (24.0, "hour"), (365.25, "day"))


def age_in_words(seconds: float) -> str:
    """ "just now", "1 minute ago", "3 hours ago", "12 days ago", "2 years ago"."""
    count = max(seconds, 0.0)
    for size, unit in _UNITS:
        if count < size:
            whole = int(count)
            return "just now" if unit == "second" else f"{whole} {unit}{'s'[: whole != 1]} ago"
        count /= size
    return f"{int(count)} year{'s'[: int(count) != 1]} ago"
