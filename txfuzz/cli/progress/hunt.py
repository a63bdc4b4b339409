"""The progress of a hunt: a screen in a terminal, a line now and then elsewhere; findings at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import click

from txfuzz.cli.progress.screen import Screen
from txfuzz.cli.terminal import wrapped
from txfuzz.common.sanitize import one_line
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.race.result import RaceCounts, RacedHole
from txfuzz.hunt.result import FoundHole, HuntCounts
from txfuzz.report.hunt.status import HuntStatus, RaceStatus, found_line, hunt_frame, race_frame, status_line
from txfuzz.report.text.status import Frame

_LOOKS = 0.25  # seconds between two looks at the counts
_LINES = 30.0  # seconds between two lines


class HuntProgress:
    """screen: may stand or not. quiet: it shows nothing else."""

    def __init__(self, budget: Budget, screen: Screen, *, quiet: bool) -> None:
        self._status = HuntStatus("", 1, budget.seconds, budget.schedules)
        self._screen, self._quiet = screen, quiet
        self._began = self._looked = self._said = time.monotonic()
        self._holes = 0

    def began(self, server: str, levels: Sequence[str], holes: Sequence[FoundHole], workers: int = 1) -> None:
        """holes: that are known of from before."""
        at = ", ".join(level.upper() for level in levels)
        self._status = replace(self._status, title=f"{server} at {at}", workers=workers)
        self._holes = len(holes)
        self._began = self._looked = self._said = time.monotonic()
        self._screen.frame = lambda _: hunt_frame(self._now())

    def __call__(self, counts: HuntCounts, holes: Sequence[FoundHole]) -> bool:
        now = time.monotonic()
        self._screen.shrunk()
        for hole in holes[self._holes :]:
            if not self._screen.standing:  # which shows all of them
                self._say(found_line(hole))
        if now - self._looked >= _LOOKS or len(holes) > self._holes:
            self._looked = now
            self._status = self._status.at(now - self._began, counts, holes)
            if not self._screen.standing and now - self._said >= _LINES:
                self._said = now
                self._say(status_line(self._status))
        self._holes = len(holes)
        return True

    def lost(self, sentence: str) -> None:
        """A worker did not end well."""
        self._status = replace(self._status, lost=self._status.lost + 1)
        self._say(f"txfuzz: {sentence}")

    def refused(self, sentence: str) -> None:
        """A worker that is there cannot take part."""
        self._say(f"txfuzz: {sentence}")

    def _now(self) -> HuntStatus:
        """With the time that has passed, which goes on where nothing is told."""
        return replace(self._status, seconds=time.monotonic() - self._began)

    def _say(self, line: str) -> None:
        if self._screen.standing:
            self._screen.say(line)
        elif not self._quiet:
            for part in wrapped(one_line(line), sys.stderr):
                click.echo(part, err=True)


class RaceProgress:
    """Of a hunt by races, on a screen only."""

    def __init__(self, budget: Budget, screen: Screen) -> None:
        self._screen, self._status = screen, RaceStatus()
        self._began = self._looked = 0.0
        self._budget = budget

    def __call__(self, counts: RaceCounts, holes: Sequence[RacedHole]) -> bool:
        now = time.monotonic()
        self._screen.shrunk()
        if not self._began:
            self._began = now
            self._screen.frame = lambda _: self._frame()
        if now - self._looked >= _LOOKS:
            self._looked = now
            self._status = self._status.at(now - self._began, counts, holes)
        return True

    def _frame(self) -> Frame:
        status = replace(self._status, seconds=time.monotonic() - self._began)
        return race_frame(status, self._budget.seconds, self._budget.schedules)
