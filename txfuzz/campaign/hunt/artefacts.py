"""What a hunt leaves behind: hunt.json and coverage.json, from which it is taken up again, and a folder for
each hole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.check.finding.script import Begin, typed_schedule
from txfuzz.check.transaction import SqlTransaction
from txfuzz.errors import UsageError
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult, ShrunkHole
from txfuzz.report.hunt.text import hole_markdown
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.scenario import CallReplay, Scenario, ScenarioReplay
from txfuzz.workload.yaml.scenario.writer import scenario_text

FORMAT = 1
HUNT, COVERAGE = "hunt.json", "coverage.json"
_UNFIT = re.compile(r"[^\w.+-]+")
_LONGEST = 80


def write_hunt(output: Path, settings: HuntSettings, server: str, result: HuntResult) -> None:
    write_json(output / COVERAGE, {"covered": sorted(result.covered)})
    write_json(output / HUNT, hunt_data(settings, server, result))


def hunt_data(settings: HuntSettings, server: str, result: HuntResult) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "server": server,
        "settings": settings.to_json(),
        "counts": asdict(result.counts),
        "holes": [{**asdict(each), "wrong": each.wrong.name.lower()} for each in result.holes],
        "left_out": list(result.left_out),
        "reasons": dict(result.reasons),
        "allowed": dict(result.allowed),
        "learnt": dict(result.learnt),
        "left": [list(each) for each in result.left],
        "lost": list(result.lost),
        "exhausted": result.exhausted,
        "interrupted": result.interrupted,
    }


def read_hunt(directory: Path) -> tuple[HuntSettings, HuntResult]:
    """An earlier hunt; UsageError if there is none to be read."""
    path = directory / HUNT
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise UsageError(f"{path}: its format is {data['format']!r}, expected {FORMAT}")
        return HuntSettings.from_json(data["settings"]), HuntResult(
            HuntCounts(**data["counts"]),
            tuple(_hole(each) for each in data["holes"]),
            tuple(data["left_out"]),
            data["reasons"],
            data["allowed"],
            data["learnt"],
            covered=_covered(directory / COVERAGE),
            left=tuple((int(start), int(stop)) for start, stop in data.get("left", ())),
            lost=tuple(data.get("lost", ())),
        )
    except OSError as error:
        raise UsageError(f"{path}: there is no hunt to resume: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: it is not the record of a hunt: {error}") from None


def _covered(path: Path) -> frozenset[int]:
    """Empty without the file: then the count begins anew."""
    try:
        return frozenset(map(int, json.loads(path.read_text(encoding="utf-8"))["covered"]))
    except FileNotFoundError:
        return frozenset()


def _hole(data: Mapping[str, Any]) -> FoundHole:
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    return FoundHole(**{**plain, "wrong": Wrong[data["wrong"].upper()]})


def folder_name(hole: FoundHole) -> str:
    return _UNFIT.sub("-", f"{hole.name}_{hole.isolation}")[:_LONGEST]


def hole_files(found: ShrunkHole, adapter: str, server: str, begin: Begin) -> dict[str, str]:
    """story.md, repro.sql, and replay.yaml, which `txfuzz check` follows: name → text."""
    hole, finding = found.hole, found.finding
    calls = [each for each, _ in finding.attempt.program.calls if isinstance(each, SqlTransaction)]
    labels = finding.attempt.program.labels
    scenario = Scenario(
        "hunt",
        finding.setup or (),
        tuple(each.transaction for each in calls),
        database=DatabaseSpec(adapter, isolation=hole.isolation),
        replay=ScenarioReplay(
            hole.isolation,
            tuple(CallReplay(each.name, ()) for each in calls),
            tuple(labels.index(actor) + 1 for actor in finding.attempt.trace.schedule),
            finding.failures,
        ),
    )
    return {
        "story.md": hole_markdown(hole, server),
        "repro.sql": typed_schedule(finding, (), begin),
        "replay.yaml": scenario_text(scenario, f"{hole.name} at {hole.isolation}"),
    }


def write_hole(output: Path, hole: FoundHole, files: Mapping[str, str]) -> None:
    place = output / "findings" / folder_name(hole)
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_text(place / name, text)
