"""`txfuzz hunt`: opens the database, hunts, and keeps what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.campaign.hunt.artefacts import read_hunt, write_hole, write_hunt, write_page
from txfuzz.campaign.hunt.opening import opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.errors import DatabaseUnavailable
from txfuzz.hunt.guidance.strategies import source_named
from txfuzz.hunt.hunt import Budget, Hunt
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult, ShrunkHole
from txfuzz.report.hunt.story import told

_SAVED_EVERY = 5.0  # seconds
Progress = Callable[[HuntCounts, Sequence[FoundHole]], bool]  # False ends the hunt


@dataclass(frozen=True)
class HuntReport:
    """excepted: forms that were left out because the database's documentation excepts them."""

    settings: HuntSettings
    server: str
    levels: tuple[str, ...]
    result: HuntResult
    excepted: tuple[str, ...] = ()


def hunt(
    settings: HuntSettings,
    budget: Budget,
    *,
    url: str | None = None,
    output: Path | None = None,
    resume: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_progress: Progress = lambda counts, holes: True,
) -> HuntReport:
    """resume: the directory of an earlier hunt, whose settings hold instead of these, but for the budget."""
    earlier = None
    if resume is not None:
        settings, earlier = read_hunt(resume)
        output = resume
    with opened_hunt(settings, url, plugin_files) as opened:
        settings, server, tables = opened.settings, opened.server, opened.tables
        saved = time.monotonic()

        def on_hole(found: ShrunkHole) -> FoundHole:
            hole = told(found)
            if output is not None:
                found = replace(found, hole=hole)
                write_hole(output, found, settings.adapter, server, opened.begin, opened.held.database)
            return hole

        def progress(counts: HuntCounts, holes: Sequence[FoundHole]) -> bool:
            nonlocal saved
            goes_on = on_progress(counts, holes)
            if output is not None and time.monotonic() - saved > _SAVED_EVERY:
                saved = time.monotonic()
                write_hunt(output, settings, server, hunting.result())
            return goes_on and not (interrupted is not None and interrupted.is_set())

        hunting = Hunt(
            tables,
            opened.quarry,
            opened.scope,
            source_named(settings.strategy, opened.scope, settings.seed, serial=opened.quarry.serial),
            settings.seed,
            each=settings.interleavings,
            on_hole=on_hole,
            on_progress=progress,
            log=opened.held.log,
            earlier=earlier,
        )
        try:
            result = hunting.run(budget)
        except DatabaseUnavailable:  # what was found until then is kept
            if output is not None:
                write_hunt(output, settings, server, hunting.result())
            raise
    if output is not None:
        write_hunt(output, settings, server, result)
        write_page(output, server, tuple(opened.quarry.levels), result, opened.excepted)
    return HuntReport(settings, server, tuple(opened.quarry.levels), result, opened.excepted)
