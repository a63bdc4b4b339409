"""The progress of a check: a screen in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from txfuzz.cli.terminal import wrapped
from txfuzz.common.sanitize import one_line
from txfuzz.report.check.status import CheckStatus, check_frame, status_line

if TYPE_CHECKING:
    from txfuzz.campaign.check.check import CheckPlan
    from txfuzz.campaign.check.sets import CheckProgress
    from txfuzz.cli.progress.screen import Screen
    from txfuzz.report.text.status import Frame

_LOOKS = 0.1  # seconds between two looks at what is told
_LINES = 10.0  # seconds between two lines


class CheckScreen:
    """screen: may stand or not. seconds: for all schedules. quiet: it shows nothing else."""

    def __init__(self, screen: Screen, seconds: float, *, quiet: bool) -> None:
        self._screen, self._quiet = screen, quiet
        self._status = CheckStatus(most_seconds=seconds)
        self._began = self._looked = self._said = time.monotonic()
        self._failed: set[tuple[str, str]] = set()
        self._last: CheckProgress | None = None  # what was told, but not looked at

    def began(self, plan: CheckPlan) -> None:
        self._began = self._said = time.monotonic()
        self._status = replace(
            self._status,
            title=f"{plan.name} · {plan.server}",
            levels=plan.levels,
            sets=plan.sets,
            programs=plan.programs,
        )
        self._screen.frame = self._frame

    def __call__(self, progress: CheckProgress) -> None:
        now = time.monotonic()
        there = (progress.transactions, progress.isolation)
        first = there not in self._failed and progress.failing > 0
        moved = there != self._status.now or progress.doing != self._status.doing
        if not (first or moved) and now - self._looked < _LOOKS:
            self._last = progress
            return
        self._screen.shrunk()
        if moved and self._last is not None:  # the counts with which it left the set before
            self._look_at(self._last, now)
        self._look_at(progress, now)
        self._looked, self._last = now, None
        if first:
            self._failed.add(there)
        if not self._screen.standing and now - self._said >= _LINES:
            self._said = now
            self._say(status_line(self._status))

    def _say(self, line: str) -> None:
        if not self._quiet:
            for part in wrapped(one_line(line), sys.stderr):
                click.echo(part, err=True)

    def _look_at(self, told: CheckProgress, now: float) -> None:
        self._status = self._status.at(
            now - self._began, told.transactions, told.isolation, told.schedules, told.failing, told.doing
        )

    def _frame(self, _: float) -> Frame:
        return check_frame(replace(self._status, seconds=time.monotonic() - self._began))
