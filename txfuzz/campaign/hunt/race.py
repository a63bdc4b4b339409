"""`txfuzz hunt --race`: opens the database, lets transactions race, and keeps what was found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.campaign.hunt.artefacts import folder_name
from txfuzz.campaign.hunt.opening import opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.check.finding.result import Finding
from txfuzz.errors import UsageError
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.race.hunt import RaceHunt
from txfuzz.hunt.race.load import Load
from txfuzz.hunt.race.race import KEYS, RaceSource
from txfuzz.hunt.race.result import RaceCounts, RacedHole, RaceResult
from txfuzz.report.check.story import schedule_and_explanation
from txfuzz.report.hunt.race import raced_hole_markdown

FORMAT = 1
_SESSIONS = 3
Progress = Callable[[RaceCounts, Sequence[RacedHole]], bool]  # False ends the hunt


@dataclass(frozen=True)
class RaceReport:
    """As HuntReport. load: processes that kept processors busy."""

    settings: HuntSettings
    server: str
    levels: tuple[str, ...]
    result: RaceResult
    load: int
    excepted: tuple[str, ...] = ()


def race(
    settings: HuntSettings,
    budget: Budget,
    *,
    load: int = 0,
    url: str | None = None,
    output: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_progress: Progress = lambda counts, holes: True,
) -> RaceReport:
    """Of the settings, forms, layouts, levels and the seed hold; what races, the mode itself decides."""
    settings = replace(settings, sessions=_SESSIONS, keys=KEYS)
    with opened_hunt(settings, url, plugin_files) as opened:
        if not any(promise.serial for promise in opened.quarry.levels.values()):
            raise UsageError(
                "races are judged by serial orders: name a level that promises them, or leave out --isolation"
            )

        def on_hole(found: RacedHole, finding: Finding) -> RacedHole:
            hole = replace(found.hole, story=tuple(schedule_and_explanation(finding)))
            found = replace(found, hole=hole)
            if output is not None:
                _write_hole(output, found, opened.server)
            return found

        def progress(counts: RaceCounts, holes: Sequence[RacedHole]) -> bool:
            goes_on = on_progress(counts, holes)
            return goes_on and not (interrupted is not None and interrupted.is_set())

        source = RaceSource(opened.scope, settings.seed)
        hunt = RaceHunt(
            opened.tables, opened.quarry, source, settings.seed, on_hole=on_hole, on_progress=progress
        )
        with Load(load):
            result = hunt.run(budget)
        report = RaceReport(
            opened.settings, opened.server, tuple(opened.quarry.levels), result, load, opened.excepted
        )
    if output is not None:
        with writing(output):
            output.mkdir(parents=True, exist_ok=True)
        write_json(output / "race.json", race_data(report))
    return report


def race_data(report: RaceReport) -> dict[str, Any]:
    result = report.result
    return {
        "format": FORMAT,
        "server": report.server,
        "settings": report.settings.to_json(),
        "load": report.load,
        "counts": asdict(result.counts),
        "holes": [
            {**asdict(each), "hole": {**asdict(each.hole), "wrong": each.hole.wrong.name.lower()}}
            for each in result.holes
        ],
        "reasons": dict(result.reasons),
        "interrupted": result.interrupted,
    }


def _write_hole(output: Path, found: RacedHole, server: str) -> None:
    """story.md, with the counts per offset."""
    place = output / "findings" / folder_name(found.hole)
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    write_text(place / "story.md", raced_hole_markdown(found, server))
