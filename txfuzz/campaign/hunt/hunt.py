"""`txfuzz hunt`: opens databases, hunts with one worker or several, and keeps what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from txfuzz.campaign.hunt.artefacts import read_hunt, write_hole, write_hunt, write_page
from txfuzz.campaign.hunt.directory import hunt_directory
from txfuzz.campaign.hunt.job import HuntJob
from txfuzz.campaign.hunt.opening import hunting_ground
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.campaign.hunt.slices import Files, HuntSlices
from txfuzz.campaign.setup.resolve import database_url
from txfuzz.campaign.workers.carried import carried
from txfuzz.campaign.workers.engines import ONE, Workers
from txfuzz.hunt.guidance.strategies import source_named
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult
from txfuzz.report.hunt.text import found_by

_SAVED_EVERY = 1.0  # seconds, or
_SAVING = 20  # times as long as saving takes
Progress = Callable[[HuntCounts, Sequence[FoundHole]], bool]  # False ends the hunt


@dataclass(frozen=True)
class HuntReport:
    """excepted: forms that were left out because the database's documentation excepts them. moved: where an
    earlier hunt was moved to that was in the directory."""

    settings: HuntSettings
    server: str
    levels: tuple[str, ...]
    result: HuntResult
    excepted: tuple[str, ...] = ()
    moved: Path | None = None


def hunt(
    settings: HuntSettings,
    budget: Budget,
    *,
    workers: Workers = ONE,
    url: str | None = None,
    output: Path | None = None,
    resume: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_begin: Callable[[str, Sequence[str], Sequence[FoundHole], int], None] = lambda *began: None,
    on_progress: Progress = lambda counts, holes: True,
    on_lost: Callable[[str], None] = lambda sentence: None,
    on_refused: Callable[[str], None] = lambda sentence: None,
) -> HuntReport:
    """resume: the directory of an earlier hunt, whose settings hold instead of these, but for the budget and
    the workers. on_begin: is told of the server, the levels, the holes of the earlier hunt and the number of
    workers. on_lost: is told of a worker that did not end well, on_refused of one that is no use, in a
    sentence."""
    with ExitStack() as stack:
        earlier, moved = HuntResult(HuntCounts()), None
        if resume is not None:
            settings, _ = read_hunt(resume)
        ground = hunting_ground(settings, plugin_files, url)
        settings = ground.settings
        if output is not None or resume is not None:
            output, moved = stack.enter_context(hunt_directory(output, resume))
        if resume is not None:
            _, earlier = read_hunt(resume)
        levels, where = tuple(ground.levels), database_url(url, None)
        begun = new = False
        due = 0.0  # when it is to be saved next

        def on_hole(hole: FoundHole, files: Files) -> None:
            nonlocal new
            new = True
            if output is not None:
                command = settings.command(
                    schedules=hole.first, url=where is not None, plugin_files=plugin_files
                )
                story = f"{files['story.md']}{found_by(hole, command)}"
                write_hole(output, hole, {**files, "story.md": story})

        def on_news(counts: HuntCounts, holes: Sequence[FoundHole]) -> bool:
            nonlocal begun, new, due
            if not begun:
                begun = True
                on_begin(slices.server, levels, earlier.holes, engine.size)
            goes_on = on_progress(counts, holes)
            now = time.monotonic()
            if output is not None and (new or now > due):
                write_hunt(output, settings, slices.server, slices.result())
                new, due = False, now + max(_SAVED_EVERY, _SAVING * (time.monotonic() - now))
            return goes_on

        engine = workers.engine(on_refused)
        serial = all(promise.serial for promise in ground.levels.values())
        slices = HuntSlices(
            budget,
            engine.size,
            source_named(settings.strategy, ground.scope, settings.seed, serial=serial),
            earlier,
            on_hole=on_hole,
            on_news=on_news,
            on_lost=on_lost,
            interrupted=interrupted.is_set if interrupted is not None else lambda: False,
        )
        try:
            engine.run(HuntJob(settings, where, carried(plugin_files)), slices)
        finally:  # whatever ended it, what was found until then is kept
            result = slices.result()
            if output is not None and slices.server:
                write_hunt(output, settings, slices.server, result)
                write_page(output, slices.server, levels, result, ground.excepted)
        return HuntReport(settings, slices.server, levels, result, ground.excepted, moved)
