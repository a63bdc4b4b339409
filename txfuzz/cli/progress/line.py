"""How far an analysis or an exploration is: a line in a terminal, which leaves nothing behind, and nothing
elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from txfuzz.common.progress import Estimate, watched_by
from txfuzz.common.sanitize import one_line
from txfuzz.common.sentences import listed
from txfuzz.report.text.status import clock

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from txfuzz.replay.explore import ExploreProgress

_SHORT = 0.7  # seconds; what is done by then needs no line
_REDRAWS = 4  # per second


@contextmanager
def analysis_line(name: str) -> Iterator[None]:
    """Within it, how far the reading and the analysis of this history are."""
    from txfuzz.analysis.checker.steps import SHARES

    estimate = Estimate(SHARES, time.monotonic())

    def come_to(step: str, share: float) -> None:
        nonlocal estimate
        estimate = estimate.at(time.monotonic(), step, share)

    with _standing(lambda: analysis_text(name, estimate, time.monotonic())), watched_by(come_to):
        yield


@contextmanager
def exploration_line(name: str) -> Iterator[Callable[[ExploreProgress], None]]:
    """What it gives is to be told how far the exploration is."""
    began = time.monotonic()
    last: ExploreProgress | None = None

    def come_to(progress: ExploreProgress) -> None:
        nonlocal last
        last = progress

    def text() -> str:
        return exploration_text(name, last, time.monotonic() - began)

    with _standing(text):
        yield come_to


@contextmanager
def _standing(text: Callable[[], str]) -> Iterator[None]:
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield
        return
    with _Line(text).standing():
        yield


class _Line:
    """text: what it shows now; it is called by a thread."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._over = False

    @contextmanager
    def standing(self) -> Iterator[None]:
        later = threading.Timer(_SHORT, self._begin)
        later.daemon = True
        later.start()
        try:
            yield
        finally:
            later.cancel()
            with self._lock:
                self._over = True
                if self._live is not None:
                    self._live.stop()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            if self._over:
                return
            self._live = Live(
                console=Console(file=getattr(sys.stderr, "stream", sys.stderr)),
                refresh_per_second=_REDRAWS,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
                get_renderable=self._drawn,
            )
            self._live.start()

    def _drawn(self) -> Text:
        from rich.text import Text

        return Text(self._text(), no_wrap=True, overflow="ellipsis")


def analysis_text(name: str, estimate: Estimate, now: float) -> str:
    """ "history.edn: looking for cycles, 71%, about 0:12 left"."""
    if not estimate.step:
        return f"{one_line(name)}: starting"
    text = f"{one_line(name)}: {estimate.step}, {estimate.share(now):.0%}"
    left = estimate.left(now)
    return text if left is None else f"{text}, about {clock(max(1.0, left))} left"


def exploration_text(name: str, at: ExploreProgress | None, seconds: float) -> str:
    """ "write_skew: serializable, 420 of 2,000 schedules, about 0:12 left; found G2-item"."""
    if at is None or not at.done:
        return f"{one_line(name)}: starting the database"
    text = f"{one_line(name)}: {one_line(at.isolation)}, {at.done:,} of {at.of:,} schedules"
    left = seconds / at.done * (at.of - at.done)
    found = f"; found {listed(at.found)}" if at.found else ""
    return f"{text}, about {clock(max(1.0, left))} left{found}"
