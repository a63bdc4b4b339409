"""The progress of a hunt: a panel in a terminal, a line now and then elsewhere; findings at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import click

from txfuzz.common.sanitize import one_line, printable
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.result import FoundHole, HuntCounts
from txfuzz.report.hunt.status import HuntStatus, found_line, status_line, status_rows
from txfuzz.report.text.status import rows_panel

if TYPE_CHECKING:
    from rich.console import RenderableType

_REDRAWS = 4  # per second
_LINES = 30.0  # seconds between two lines


class HuntProgress:
    """A context manager, of whose panel nothing is left at the end. quiet: it shows nothing."""

    def __init__(self, budget: Budget, *, quiet: bool) -> None:
        self._status = HuntStatus("", 1, budget.seconds, budget.schedules)
        self._quiet = quiet
        self._began = self._looked = self._said = time.monotonic()
        self._holes = 0
        self._print: Callable[[str], None] = lambda line: click.echo(line, err=True)
        self._stop: Callable[[], None] = lambda: None
        if not quiet and sys.stderr.isatty():
            self._on_screen()

    def _on_screen(self) -> None:
        from rich.console import Console
        from rich.live import Live

        # Not the sanitizing stream: the panel moves the cursor. Texts are sanitized one by one
        console = Console(file=getattr(sys.stderr, "stream", sys.stderr))
        panel = Live(
            console=console, refresh_per_second=_REDRAWS, transient=True, get_renderable=self._render
        )
        self._print = lambda line: console.print(printable(line), markup=False, highlight=False)
        self._stop = panel.stop
        self._lines = False
        panel.start()

    _lines = True

    def began(self, server: str, levels: Sequence[str], holes: Sequence[FoundHole], workers: int = 1) -> None:
        """holes: that are known of from before."""
        at = ", ".join(level.upper() for level in levels)
        self._status = replace(self._status, title=f"{server} at {at}", workers=workers)
        self._holes = len(holes)
        self._began = self._looked = self._said = time.monotonic()

    def __call__(self, counts: HuntCounts, holes: Sequence[FoundHole]) -> bool:
        now = time.monotonic()
        for hole in holes[self._holes :]:
            self._say(found_line(hole))
        self._holes = len(holes)
        if now - self._looked >= 1 / _REDRAWS:
            self._looked = now
            self._status = self._status.at(now - self._began, counts, holes)
            if self._lines and now - self._said >= _LINES:
                self._said = now
                self._say(status_line(self._status))
        return True

    def lost(self, sentence: str) -> None:
        """A worker did not end well."""
        self._status = replace(self._status, lost=self._status.lost + 1)
        self._say(f"txfuzz: {sentence}")

    def refused(self, sentence: str) -> None:
        """A worker that is there cannot take part."""
        self._say(f"txfuzz: {sentence}")

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._print(one_line(line))

    def _render(self) -> RenderableType:
        rows = status_rows(self._status) if self._status.title else [("time", "starting")]
        return rows_panel(self._status.title or "txfuzz hunt", rows, found=bool(self._status.holes))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()
