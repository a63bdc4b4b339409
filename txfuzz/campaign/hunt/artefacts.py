"""What a hunt leaves behind: hunt.json and coverage.json, from which it is taken up again, and a folder for
each hole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.campaign.directory.run_records import HUNT, RunKind
from txfuzz.campaign.directory.runs import resumed_otherwise
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.check.finding.failures import failures
from txfuzz.check.finding.script import Begin, typed_schedule
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.outcome import Ending
from txfuzz.check.story import StoryLine
from txfuzz.check.transaction import SqlTransaction, StatementPoint
from txfuzz.common.json_text import json_text
from txfuzz.database.scenario import PlayedSchedule, PlayedStep, WritesPlays
from txfuzz.errors import UsageError
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.result import FoundHole, HuntCounts, HuntResult, ShrunkHole
from txfuzz.report.hunt.page import hunt_page
from txfuzz.report.hunt.text import hole_markdown
from txfuzz.transactions.model import Step, Transaction
from txfuzz.workload.model import DatabaseSpec
from txfuzz.workload.scenario import CallReplay, Scenario, ScenarioReplay
from txfuzz.workload.yaml.scenario.writer import scenario_text

FORMAT = 1
COVERAGE = "coverage.json"
_UNFIT = re.compile(r"[^\w.+-]+")
_LONGEST = 80


def write_hunt(output: Path, settings: HuntSettings, server: str, result: HuntResult) -> None:
    # In one line: these are thousands of numbers, several times a minute
    write_text(output / COVERAGE, json_text({"covered": sorted(result.covered)}) + "\n")
    write_json(output / HUNT, hunt_data(settings, server, result))


def write_page(
    output: Path, server: str, levels: tuple[str, ...], result: HuntResult, excepted: tuple[str, ...]
) -> None:
    """hunt.html, with links to what was kept of each hole."""
    files = {hole.sign: kept_files(output, hole) for hole in result.holes}
    write_text(output / "hunt.html", hunt_page(server, levels, result, excepted, files))


def kept_files(output: Path, hole: FoundHole) -> tuple[str, ...]:
    place = output / "findings" / folder_name(hole)
    return tuple(sorted(each.relative_to(output).as_posix() for each in place.glob("*") if each.is_file()))


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
            tuple(read_hole(each) for each in data["holes"]),
            tuple(data["left_out"]),
            data["reasons"],
            data["allowed"],
            data["learnt"],
            covered=_covered(directory / COVERAGE),
            left=tuple((int(start), int(stop)) for start, stop in data.get("left", ())),
            lost=tuple(data.get("lost", ())),
        )
    except OSError as error:
        why = (
            resumed_otherwise(directory, RunKind.HUNT)
            or f"{path}: there is no hunt to resume: {error.strerror}"
        )
        raise UsageError(why) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: it is not the record of a hunt: {error}") from None


def _covered(path: Path) -> frozenset[int]:
    """Empty without the file: then the count begins anew."""
    try:
        return frozenset(map(int, json.loads(path.read_text(encoding="utf-8"))["covered"]))
    except FileNotFoundError:
        return frozenset()


def read_hole(data: Mapping[str, Any]) -> FoundHole:
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    plain["wrong"] = Wrong[data["wrong"].upper()]
    plain["steps"] = tuple(
        StoryLine(**{**step, "waited_for": tuple(step["waited_for"])}) for step in data["steps"]
    )
    return FoundHole(**plain)


def folder_name(hole: FoundHole) -> str:
    """A long name is cut, and not what tells two holes of that name from each other."""
    name, *others = hole.signs
    end = "".join(f"_{each}" for each in others)
    return _UNFIT.sub("-", name[: _LONGEST - len(end)] + end)


def write_hole(output: Path, hole: FoundHole, files: Mapping[str, str]) -> None:
    place = output / "findings" / folder_name(hole)
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_text(place / name, text)


def hole_files(
    found: ShrunkHole, adapter: str, server: str, begin: Begin, database: object
) -> dict[str, str]:
    """story.md, repro.sql, what the database writes for tools of its own, and replay.yaml, which
    `txfuzz check` follows: name → text."""
    hole, finding = found.hole, found.finding
    settings = found.program.layout.settings
    calls = [each for each, _ in finding.attempt.program.calls if isinstance(each, SqlTransaction)]
    labels = finding.attempt.program.labels
    schedule = _beginning(finding.attempt.trace.schedule, len(settings))
    program = finding.attempt.program
    several = len(set(program.sessions)) < len(program.sessions)
    sessions = [each + 1 for each in program.sessions] if several else [None] * len(calls)
    scenario = Scenario(
        "hunt",
        finding.setup or (),
        tuple(_with(settings, each.transaction) for each in calls),
        database=DatabaseSpec(adapter, isolation=hole.isolation),
        replay=ScenarioReplay(
            hole.isolation,
            tuple(CallReplay(each.name, (), session) for each, session in zip(calls, sessions, strict=True)),
            tuple(labels.index(actor) + 1 for actor in schedule),
            finding.failures,
        ),
    )
    return {
        "story.md": hole_markdown(hole, server),
        **({"server.log": "\n".join(hole.log) + "\n"} if hole.log else {}),
        "repro.sql": typed_schedule(finding, (), begin, settings),
        **(database.plays(_played(found)) if isinstance(database, WritesPlays) else {}),
        "replay.yaml": scenario_text(scenario, "\n".join(_header(found))),
    }


def _header(found: ShrunkHole) -> Iterator[str]:
    """Of replay.yaml: what it is, and what following it cannot show."""
    hole = found.hole
    yield f"{hole.name} at {hole.isolation}"
    if not failures(found.finding.attempt):
        yield f"txfuzz check asks for a serial order, so it cannot show what went wrong: {hole.wrong.value}"
    if found.program.layout.fresh:
        yield "The hunt made the tables anew each time, which txfuzz check does not, so it may not show it"


def _with(settings: Sequence[str], transaction: Transaction) -> Transaction:
    """The same with these statements first, which a session of the hunt has run when it was opened."""
    return replace(transaction, steps=(*(Step(None, sql=each) for each in settings), *transaction.steps))


def _beginning(schedule: Sequence[str], settings: int) -> Iterator[str]:
    begun = set()
    for actor in schedule:
        if actor not in begun:
            begun.add(actor)
            yield from [actor] * settings
        yield actor


def _played(found: ShrunkHole) -> PlayedSchedule:
    hole, attempt = found.hole, found.finding.attempt
    return PlayedSchedule(
        f"{hole.name} at {hole.isolation}: {hole.wrong.value}",
        hole.isolation,
        found.finding.setup or (),
        found.program.layout.settings,
        tuple(_played_steps(attempt)),
    )


def _played_steps(attempt: FollowedSchedule) -> Iterator[PlayedStep]:
    begun = set()
    last = {step.chosen.actor: at for at, step in enumerate(attempt.trace.steps)}
    for at, step in enumerate(attempt.trace.steps):
        label, point = step.chosen.actor, step.chosen.what
        outcome = attempt.outcome.transactions.get(label)
        failed = outcome is not None and outcome.ending is Ending.ABORTED and last[label] == at
        statement = isinstance(point, StatementPoint)
        yield PlayedStep(
            label,
            "statement" if statement else "commit",
            point.sql if isinstance(point, StatementPoint) else "COMMIT",
            label not in begun,
            step.waited,
            failed,
        )
        begun.add(label)
