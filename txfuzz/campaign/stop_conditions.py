"""When a campaign stops before all its iterations are done."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from txfuzz.analysis.result import Verdict
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.common.sentences import counted
from txfuzz.report.iteration import Iteration


def stop_reason(
    settings: CampaignSettings, small_scope: Iteration | None, iterations: Sequence[Iteration], elapsed: float
) -> str | None:
    """Why no further iteration is run, as a phrase; None to go on. small_scope: the search before the first
    iteration, if there was one, whose transactions do not count. elapsed: seconds since the start."""
    analysed = (*filter(None, [small_scope]), *iterations)
    if settings.stop_on_finding and any(each.verdict is Verdict.INVALID for each in analysed):
        return "something was found"
    if not iterations:
        return None
    if settings.max_seconds is not None and elapsed >= settings.max_seconds:
        return passed(settings.max_seconds)
    transactions = sum(each.result.transactions for each in iterations)
    if settings.max_transactions is not None and transactions >= settings.max_transactions:
        return f"{counted(transactions, 'transaction')} {'has' if transactions == 1 else 'have'} been run"
    if settings.plateau is not None and _on_plateau(iterations, settings.plateau):
        if settings.plateau == 1:
            return "1 iteration showed nothing new"
        return f"{settings.plateau} iterations in a row showed nothing new"
    return None


def passed(seconds: float) -> str:
    """The stop reason for this time limit."""
    number = f"{seconds:g}"
    return "1 second has passed" if number == "1" else f"{number} seconds have passed"


class Deadline(threading.Event):
    """An event that is set when the campaign is interrupted or its time is up.

    seconds: from now on; None for no limit. until: that moment on time.monotonic(). reason: the stop reason
    for the time limit; None for that of these seconds.
    """

    def __init__(
        self, interrupted: threading.Event, seconds: float | None = None, reason: str | None = None
    ) -> None:
        super().__init__()
        self.interrupted = interrupted
        self.started = time.monotonic()
        self.until = None if seconds is None else self.started + seconds
        self.reason = reason if reason is not None else "" if seconds is None else passed(seconds)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds until the time is up; None for no limit."""
        return None if self.until is None else max(0.0, self.until - time.monotonic())

    def is_set(self) -> bool:
        return self.interrupted.is_set() or (self.until is not None and time.monotonic() >= self.until)

    def wait(self, timeout: float | None = None) -> bool:
        waits = [each for each in (timeout, self.left) if each is not None]
        self.interrupted.wait(min(waits) if waits else None)
        return self.is_set()


def _on_plateau(iterations: Sequence[Iteration], length: int) -> bool:
    """Have the last `length` iterations shown no new type of anomaly and no more near-cycles than before?"""
    if len(iterations) <= length:
        return False
    earlier, last = iterations[:-length], iterations[-length:]
    known = {name for each in earlier for name in _types(each)}
    most = max(each.result.near_cycles_counted for each in earlier)
    return all(_types(each) <= known and each.result.near_cycles_counted <= most for each in last)


def _types(iteration: Iteration) -> set[str]:
    """The types of anomalies that the iteration and its replays showed."""
    return {*iteration.result.all_types, *(iteration.replayed.all_types if iteration.replayed else ())}
