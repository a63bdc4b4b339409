"""How long a search may take before it has to say that it could not decide."""

from __future__ import annotations

import time


class Budget:
    """Counts down from its creation. seconds: None for no limit."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def spent(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline
