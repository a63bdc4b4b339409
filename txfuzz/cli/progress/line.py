"""The progress of one analysis: a line in a terminal, which leaves nothing behind, and nothing elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from txfuzz.common.progress import Estimate, watched_by
from txfuzz.common.sanitize import one_line
from txfuzz.report.text.status import clock

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_SHORT = 0.7  # seconds; what is done by then needs no line
_REDRAWS = 4  # per second


@contextmanager
def analysis_line(name: str) -> Iterator[None]:
    """Within it, how far the reading and the analysis of this history are."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield
        return
    line = _Line(name)
    with line.standing(), watched_by(line.come_to):
        yield


class _Line:
    def __init__(self, name: str) -> None:
        from txfuzz.analysis.checker.steps import SHARES

        self._name = name
        self._estimate = Estimate(SHARES, time.monotonic())
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._over = False

    def come_to(self, step: str, share: float) -> None:
        self._estimate = self._estimate.at(time.monotonic(), step, share)

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
                get_renderable=self._text,
            )
            self._live.start()

    def _text(self) -> Text:
        from rich.text import Text

        return Text(
            line_text(self._name, self._estimate, time.monotonic()), no_wrap=True, overflow="ellipsis"
        )


def line_text(name: str, estimate: Estimate, now: float) -> str:
    """ "history.edn: looking for cycles, 71%, about 0:12 left"."""
    if not estimate.step:
        return f"{one_line(name)}: starting"
    text = f"{one_line(name)}: {estimate.step}, {estimate.share(now):.0%}"
    left = estimate.left(now)
    return text if left is None else f"{text}, about {clock(max(1.0, left))} left"
