"""How a client goes through a transaction: what it sends together, and where it pauses."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from txfuzz.workload.model import Scheduling


class Pace:
    """The pace of one client.

    draws: its own random numbers. sleep: lets that many seconds pass, or fewer once the run has stopped.
    batched: BEGIN and COMMIT may be sent along with a step.
    """

    def __init__(self, scheduling: Scheduling, draws: Random, sleep: Callable[[float], None]) -> None:
        think = scheduling.think_time
        self._before = "" if think is None or not think.most else think.before
        self._least, self._most = (0.0, 0.0) if think is None else (think.least, think.most)
        self._draws, self._sleep = draws, sleep
        # A pause before COMMIT needs a COMMIT that is sent alone.
        self.batched = scheduling.sending == "batched" and self._before != "commit"

    @property
    def thinks(self) -> bool:
        return bool(self._before)

    def before_step(self, *, writes: bool) -> None:
        """To be called between two steps."""
        if self._before == "step" or (writes and self._before == "write"):
            self._pause()

    def before_commit(self) -> None:
        if self._before == "commit":
            self._pause()

    def _pause(self) -> None:
        self._sleep(self._draws.uniform(self._least, self._most))


AT_ONCE = Pace(Scheduling(), Random(0), lambda seconds: None)
