"""Ctrl-C, SIGTERM and SIGHUP: the first one requests an orderly end, the second ends at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import click

from txfuzz.common.sanitize import one_line
from txfuzz.errors import ExitCode

ENDING_SIGNALS: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
HANGUP: signal.Signals | None = None  # Windows has none
if sys.platform != "win32":
    HANGUP = signal.SIGHUP
    ENDING_SIGNALS += (HANGUP,)
_ONE_REQUEST = 0.3  # seconds in which several signals count as one: a closing terminal sends two
AT_ONCE = 3.0  # seconds for cleaning up after the second signal

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first signal sets."""
    event = threading.Event()
    at_last = threading.Timer(AT_ONCE, _give_up)
    at_last.daemon = True
    first = 0.0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if not event.is_set():
            first = time.monotonic()
            event.set()
            with suppress(RuntimeError):  # the signal came in the middle of a write to the same stream
                click.echo(
                    "\ntxfuzz: stopping; analysing what was recorded (again to stop at once)", err=True
                )
                if waits := _waits_for_plugin():
                    click.echo(f"txfuzz: {waits}", err=True)
        elif time.monotonic() - first > _ONE_REQUEST:
            if not at_last.is_alive():
                at_last.start()
            raise KeyboardInterrupt

    try:
        with _handled_by(handle):
            yield event
    finally:
        at_last.cancel()


@contextmanager
def ending_by_signals() -> Iterator[None]:
    """Outside `interruptible`, each of the signals ends the command as Ctrl-C does."""

    def handle(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled_by(handle):
        yield


def ends_by(end: Callable[[int], None]) -> None:
    """Set the function that ends the process at once, with an exit code."""
    global _end_process
    _end_process = end


_end_process: Callable[[int], None] = os._exit


def _waits_for_plugin() -> str:
    """What has to end first, since a call of a plugin cannot be stopped; empty if none is under way."""
    from txfuzz.plugin.bounded_call import waited_for

    called = waited_for()
    return "" if called is None else f"waiting for {one_line(called[0])}, for at most {called[1]:.0f} s"


def _give_up() -> None:
    """Cleaning up needs the server, which may not answer. The next campaign removes what is left."""
    sys.stderr.write("txfuzz: interrupted; the server does not answer, so nothing was cleaned up\n")
    sys.stderr.flush()
    _end_process(ExitCode.INTERRUPTED)


@contextmanager
def _handled_by(handle: Handler) -> Iterator[None]:
    """SIGHUP stays ignored if it was, as under nohup. Only the main thread can handle signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ignored = HANGUP is not None and signal.getsignal(HANGUP) == signal.SIG_IGN
    numbers = [number for number in ENDING_SIGNALS if not (ignored and number == HANGUP)]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
