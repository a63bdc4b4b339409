"""Time limits of a run: it never waits forever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from txfuzz.common.time_limit import called_within
from txfuzz.errors import DatabaseUnavailable
from txfuzz.execution.summary import Tally
from txfuzz.execution.transaction_source import TransactionSource

AFTER_DURATION = 5.0  # seconds for running transactions when the duration is over
WITHOUT_PROGRESS = 120.0  # seconds within which a transaction must end, if their number is limited
STOPPED = 0.3  # seconds for running transactions after a stop, before they are cancelled
CANCELLED = 10.0  # seconds for a cancelled session to return
FINAL_READ_SECONDS = 30.0  # for one transaction of final reads
ANSWER = 60.0  # seconds for connecting, and for creating the tables
LEAVING = 5.0  # seconds for closing a database that does not respond

T = TypeVar("T")


class NoAnswer(DatabaseUnavailable):
    """The database no longer responds."""


class WaitLimit:
    """Decides when a run has waited long enough. until: hard limit (time.monotonic()); why: a phrase."""

    def __init__(self, source: TransactionSource, tally: Tally, until: float | None, why: str) -> None:
        self._source, self._tally = source, tally
        self._until, self._why = until, why
        self._ended = 0
        self._since = time.monotonic()

    def reason_to_cancel(self) -> str:
        """Why to cancel the running transactions, as a phrase; empty to go on waiting."""
        now = time.monotonic()
        if self._until is not None and now >= self._until:
            return self._why
        if self._source.until is not None:
            late = now >= self._source.until + AFTER_DURATION
            return f"transactions were still running {AFTER_DURATION:g} s after the duration" if late else ""
        outcomes = self._tally.outcomes
        ended = outcomes["ok"] + outcomes["fail"] + outcomes["info"]
        if ended != self._ended:
            self._ended, self._since = ended, now
        return f"no transaction ended for {WITHOUT_PROGRESS:g} s" if self.stalled(now) else ""

    def stalled(self, now: float) -> bool:
        return now - self._since >= WITHOUT_PROGRESS


class Canceller:
    """Makes blocked calls return, with a thread for each client: an unresponsive server may also block a
    cancellation."""

    def __init__(self, cancels: Sequence[Callable[[], None]]) -> None:
        self._cancels = cancels
        self._threads: dict[int, threading.Thread] = {}
        self._next: float | None = None
        self._first: float | None = None

    def poll(self) -> bool:
        """Called regularly after a stop. False if cancelled calls have not returned in time."""
        now = time.monotonic()
        if self._next is None:
            self._next = now + STOPPED
        if now >= self._next:
            self._first = self._first or now
            self._next = now + STOPPED
            for number, cancel in enumerate(self._cancels):
                before = self._threads.get(number)
                if before is None or not before.is_alive():
                    self._threads[number] = threading.Thread(target=cancel, name="cancelling", daemon=True)
                    self._threads[number].start()
        return self._first is None or now < self._first + CANCELLED


@contextmanager
def cancelled_after(seconds: float, cancel: Callable[[], None]) -> Iterator[threading.Event]:
    """Cancel what runs inside if it takes longer, repeatedly. The event is set if so."""
    over, late = threading.Event(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            late.set()
            cancel()
            wait = 1.0

    threading.Thread(target=watch, name="final-read-limit", daemon=True).start()
    try:
        yield late
    finally:
        over.set()


def answered(what: str, call: Callable[[], T]) -> T:
    """The result of a call; NoAnswer if it takes too long, in which case it is abandoned."""
    values, errors = called_within(ANSWER, "asking", call)
    if values:
        return values[0]
    if errors:
        raise errors[0]
    raise NoAnswer(f"the database does not respond: {what} did not finish within {ANSWER:g} s")


def close_in_background(close: Callable[[], None]) -> None:
    """Close a database that does not respond, for a limited time."""
    thread = threading.Thread(target=close, name="leaving", daemon=True)
    thread.start()
    thread.join(LEAVING)


@contextmanager
def closed_without_answer(close: Callable[[], None]) -> Iterator[None]:
    """Close the database if it does not respond inside, so that a later close does not wait."""
    try:
        yield
    except NoAnswer:
        close_in_background(close)
        raise
