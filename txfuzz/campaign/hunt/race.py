"""`txfuzz hunt --race`: opens the database, lets transactions race, and keeps what was found."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.campaign.directory.run_records import RACE, RunKind
from txfuzz.campaign.directory.runs import resumed_otherwise
from txfuzz.campaign.hunt.artefacts import folder_name, kept_files, read_hole
from txfuzz.campaign.hunt.directory import hunt_directory
from txfuzz.campaign.hunt.opening import opened_hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.campaign.setup.resolve import database_url
from txfuzz.check.finding.result import Finding
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.race.hunt import RaceHunt
from txfuzz.hunt.race.load import Load
from txfuzz.hunt.race.race import KEYS, RaceSource
from txfuzz.hunt.race.result import OffsetCount, RaceCounts, RacedHole, RaceResult
from txfuzz.report.hunt.race import raced_hole_markdown
from txfuzz.report.hunt.race_page import race_page
from txfuzz.report.hunt.story import told_race
from txfuzz.report.hunt.text import found_by

FORMAT = 1
_SESSIONS = 3
_SAVED_EVERY = 5.0  # seconds
Progress = Callable[[RaceCounts, Sequence[RacedHole]], bool]  # False ends the hunt


@dataclass(frozen=True)
class RaceReport:
    """As HuntReport. load: processes that kept processors busy. moved: where earlier races were moved to."""

    settings: HuntSettings
    server: str
    levels: tuple[str, ...]
    result: RaceResult
    load: int
    excepted: tuple[str, ...] = ()
    moved: Path | None = None


def race(
    settings: HuntSettings,
    budget: Budget,
    *,
    load: int = 0,
    url: str | None = None,
    output: Path | None = None,
    resume: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_progress: Progress = lambda counts, holes: True,
) -> RaceReport:
    """Of the settings, forms, layouts, levels and the seed hold; what races, the mode itself decides.

    resume: the directory of earlier races, whose settings hold instead of these, but for budget and load.
    """
    earlier = moved = None
    if resume is not None:
        settings, _ = read_race(resume)
    settings = replace(settings, sessions=_SESSIONS, keys=KEYS)
    with ExitStack() as stack:
        opened = stack.enter_context(opened_hunt(settings, url, plugin_files))
        if not any(promise.serial for promise in opened.quarry.levels.values()):
            raise UsageError(
                "races are judged by serial orders: name a level that promises them, or leave out --isolation"
            )
        source = RaceSource(opened.scope, settings.seed)
        if output is not None or resume is not None:
            output, moved = stack.enter_context(hunt_directory(output, resume))
        if resume is not None:
            _, earlier = read_race(resume)
        saved = time.monotonic()
        # The mode decides these by itself, and takes no options for them
        typed = replace(opened.settings, sessions=HuntSettings.sessions, keys=HuntSettings.keys)
        loads = ("--load", str(load)) if load else ()
        by_url = database_url(url, None) is not None

        def on_hole(found: RacedHole, finding: Finding) -> RacedHole:
            found = told_race(found, finding)
            if output is not None:
                command = typed.command(
                    "--race",
                    *loads,
                    schedules=max(1, found.hole.first),
                    url=by_url,
                    plugin_files=plugin_files,
                )
                _write_hole(output, found, opened.server, command)
            return found

        def progress(counts: RaceCounts, holes: Sequence[RacedHole]) -> bool:
            nonlocal saved
            goes_on = on_progress(counts, holes)
            if output is not None and time.monotonic() - saved > _SAVED_EVERY:
                saved = time.monotonic()
                write_race(output, report_of(hunt.result()))
            return goes_on and not (interrupted is not None and interrupted.is_set())

        hunt = RaceHunt(
            opened.tables,
            opened.quarry,
            source,
            settings.seed,
            on_hole=on_hole,
            on_progress=progress,
            log=opened.held.log,
            earlier=earlier,
        )

        def report_of(result: RaceResult) -> RaceReport:
            levels = tuple(opened.quarry.levels)
            return RaceReport(opened.settings, opened.server, levels, result, load, opened.excepted, moved)

        try:
            with Load(load):
                report = report_of(hunt.run(budget))
        except DatabaseUnavailable:  # what was found until then is kept
            if output is not None:
                write_race(output, report_of(hunt.result()))
            raise
        if output is not None:
            write_race(output, report)
            page = race_page(
                report.server, report.levels, report.result, load, report.excepted, _files(output, report)
            )
            write_text(output / "race.html", page)
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


def _write_hole(output: Path, found: RacedHole, server: str, command: str) -> None:
    """story.md, with the counts per offset."""
    place = output / "findings" / folder_name(found.hole)
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    write_text(
        place / "story.md", f"{raced_hole_markdown(found, server)}{found_by(found.hole, command, 'round')}"
    )
    if found.hole.log:
        write_text(place / "server.log", "\n".join(found.hole.log) + "\n")


def write_race(output: Path, report: RaceReport) -> None:
    write_json(output / RACE, race_data(report))


def read_race(directory: Path) -> tuple[HuntSettings, RaceResult]:
    """Earlier races; UsageError if there are none to be read."""
    path = directory / RACE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise UsageError(f"{path}: its format is {data['format']!r}, expected {FORMAT}")
        holes = tuple(_raced_hole(each) for each in data["holes"])
        result = RaceResult(RaceCounts(**data["counts"]), holes, data["reasons"])
        return HuntSettings.from_json(data["settings"]), result
    except OSError as error:
        why = (
            resumed_otherwise(directory, RunKind.RACES)
            or f"{path}: there are no races to resume: {error.strerror}"
        )
        raise UsageError(why) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: it is not the record of races: {error}") from None


def _raced_hole(data: Mapping[str, Any]) -> RacedHole:
    return RacedHole(
        **{
            **data,
            "hole": read_hole(data["hole"]),
            "points": tuple(data["points"]),
            "offsets": tuple(OffsetCount(**each) for each in data["offsets"]),
        }
    )


def _files(output: Path, report: RaceReport) -> dict[str, tuple[str, ...]]:
    holes = [each.hole for each in report.result.holes]
    return {hole.sign: kept_files(output, hole) for hole in holes}
