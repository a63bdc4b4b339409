"""The progress of a check: one line that is written over, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from txfuzz.common.sanitize import one_line

if TYPE_CHECKING:
    from txfuzz.campaign.check.sets import CheckProgress

_EVERY = 0.1  # seconds
_WIDTH = 79


class CheckProgressLine:
    """A context manager, whose end leaves nothing of it behind."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, progress: CheckProgress) -> None:
        now = time.monotonic()
        if not self._shown or (now - self._last < _EVERY and not progress.doing):
            return
        self._last = now
        text = f"{progress.transactions}, {progress.isolation}: {progress.schedules:,} schedules"
        if progress.doing:
            text += f"; {progress.doing}"
        elif progress.failing:
            text += f", {progress.failing:,} fail"
        sys.stderr.write(f"\r{one_line(text)[:_WIDTH]:<{_WIDTH}}")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def clear(self) -> None:
        if self._shown and self._last:
            sys.stderr.write(f"\r{'':<{_WIDTH}}\r")
            sys.stderr.flush()
