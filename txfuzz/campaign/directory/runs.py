"""Which runs lie in a directory, such as `runs/`: what each is, what it came to, and when.

Only the record of a run is read, a small file; see `txfuzz.campaign.directory.run_records`.
"""

from __future__ import annotations

import heapq
import os
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from txfuzz.analysis.result import Verdict
from txfuzz.campaign.directory.lock import is_held
from txfuzz.campaign.directory.run_records import CAMPAIGN, COMPARISON, MATRIX, RECORDS, RunFacts, RunKind
from txfuzz.campaign.directory.values import ArtefactError, json_in
from txfuzz.errors import UsageError
from txfuzz.report.verdict import NOT_SAFE, TONES, tone_of_verdict

_CALLED = {
    RunKind.CAMPAIGN: "a campaign",
    RunKind.HUNT: "a hunt",
    RunKind.RACES: "a hunt by races",
    RunKind.CHECK: "a check",
    RunKind.EXPLORATION: "an exploration",
    RunKind.MATRIX: "a matrix",
    RunKind.COMPARISON: "a comparison",
}
_SHOWN_IN = {
    RunKind.HUNT: "hunt.html there, and findings/, where each hole is shrunk already",
    RunKind.RACES: "race.html there, and findings/",
    RunKind.CHECK: "check.html there, and findings/, where each failure has a replay of its own",
    RunKind.EXPLORATION: "explore.json there, and the replays beside it",
    RunKind.MATRIX: "matrix.html there, which has a command for each promise that was broken",
    RunKind.COMPARISON: f"{COMPARISON} there",
}
_RESUMED_BY = {
    RunKind.CAMPAIGN: "run",
    RunKind.HUNT: "hunt",
    RunKind.RACES: "hunt",
    RunKind.MATRIX: "matrix",
    RunKind.COMPARISON: "compare",
}
_FIRST = ("iter_small_scope", "iter_00")  # a campaign that was killed before it had a record


@dataclass(frozen=True)
class RunSummary:
    """A directory that a command has left. facts: see RunFacts; their `state` is "killed" where the record
    says "running" and nothing runs there. written: when the record was, in seconds since the epoch.
    unreadable: why the record cannot be used, as a clause; the facts are empty then.
    """

    path: Path
    kind: RunKind | None
    written: float
    facts: RunFacts = field(default_factory=RunFacts)
    unreadable: str = ""

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def verdict(self) -> Verdict | None:
        return self.facts.verdict

    @property
    def tone(self) -> str:
        """One of TONES."""
        if self.facts.broken:
            return "broken"
        if self.facts.known:
            return "known"
        if self.verdict is None:
            return "unknown" if self.unreadable else "none"
        return tone_of_verdict(self.verdict)

    @property
    def verdict_words(self) -> str:
        """As on the page of the run."""
        if self.kind is RunKind.CHECK and self.tone == "allowed":
            return NOT_SAFE
        return TONES[self.tone]


@dataclass(frozen=True)
class _Place:
    """A directory with a record. record: its file name; empty if there is none or it cannot be looked into.
    unreadable: why."""

    path: str
    record: str
    written: float
    unreadable: str = ""


def list_runs(root: Path) -> list[RunSummary]:
    """The runs in this directory, and the one that it is itself, if it is one; the newest first.

    A directory without a record is no run, and left out. UsageError if there is no such directory.
    """
    return latest_runs(root, None)[0]


def latest_runs(root: Path, most: int | None) -> tuple[list[RunSummary], int]:
    """The same, but only so many of the newest, and how many more there are, whose records are not read."""
    places = _places(root)
    shown = len(places) if most is None else most
    newest = heapq.nlargest(shown, places, key=lambda each: (each.written, each.path))
    return [_summary(each) for each in newest], len(places) - len(newest)


def read_summary(directory: Path) -> RunSummary | None:
    """The run in this directory; None if there is none."""
    place = _place(os.fspath(directory))
    return None if place is None else _summary(place)


def no_campaign_but(directory: Path) -> str | None:
    """A sentence for who wants a campaign here: what this is, and where what it found is shown. None if it is
    a campaign, or no run."""
    run = read_summary(directory)
    if run is None or run.kind is None or run.kind is RunKind.CAMPAIGN:
        return None
    return f"{directory}: this is {_CALLED[run.kind]}, not a campaign: see {_SHOWN_IN[run.kind]}"


def resumed_otherwise(directory: Path, *own: RunKind) -> str | None:
    """A sentence for who wants to resume here what is of another kind: the command that does. None where no
    run is, or one of the own kinds, whose record is missing."""
    run = read_summary(directory)
    if run is None or run.kind is None or run.kind in own:
        return None
    command = _RESUMED_BY.get(run.kind)
    how = f"txfuzz {command} --resume {shlex.quote(str(directory))}" if command else "it cannot be resumed"
    return f"{directory}: this is {_CALLED[run.kind]}: {how}"


def latest_campaign(root: Path) -> Path | None:
    """The directory of the campaign whose record was written last; None if there is none."""
    if not root.is_dir():
        return None
    places = [each for each in _places(root) if each.record == CAMPAIGN]
    return Path(max(places, key=lambda each: each.written).path) if places else None


def size_of(directory: Path) -> int:
    """The bytes of all files in it."""
    total, waiting = 0, [os.fspath(directory)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def is_running(directory: Path) -> bool:
    """Does a campaign, a hunt or another run write to it?"""
    try:
        with open(directory / ".lock", "rb") as lock:
            return is_held(lock)
    except OSError:
        return False


def _places(root: Path) -> list[_Place]:
    try:
        with os.scandir(root) as entries:
            children = [entry.path for entry in entries if _is_directory(entry)]
    except OSError as error:
        raise UsageError(f"{root}: cannot be listed: {error.strerror}") from None
    return [place for each in (os.fspath(root), *children) if (place := _place(each)) is not None]


def _is_directory(entry: os.DirEntry[str]) -> bool:
    """Also behind a link, unless that leads nowhere."""
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and os.path.isdir(entry.path))


def _place(path: str) -> _Place | None:
    """None if nothing here was made by a command."""
    records: list[tuple[float, str]] = []
    first = None
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name in RECORDS:
                    records.append((entry.stat().st_mtime, entry.name))
                elif entry.name in _FIRST:
                    first = entry.stat().st_mtime
    except OSError as error:
        try:
            return _Place(path, "", os.stat(path).st_mtime, f"cannot be read: {error.strerror}")
        except OSError:
            return None
    if records:
        written, record = max(records, key=lambda each: (each[0], each[1] == MATRIX))
        return _Place(path, record, written)
    return None if first is None else _Place(path, "", first, f"{CAMPAIGN} is missing")


def _summary(place: _Place) -> RunSummary:
    path = Path(place.path)
    if place.unreadable:
        kind = RunKind.CAMPAIGN if place.unreadable.startswith(CAMPAIGN) else None
        return RunSummary(path, kind, place.written, unreadable=place.unreadable)
    kind, facts_of = RECORDS[place.record]
    file = path / place.record
    try:
        data = json_in(file)
        if not isinstance(data, dict):
            raise ArtefactError(f"{file}: expected a JSON object")
        facts = facts_of(data)
    except FileNotFoundError:
        why = f"{place.record} is missing"
    except ArtefactError as error:
        why = f"{place.record} {str(error).removeprefix(f'{file}: ')}"
    except (TypeError, ValueError, AttributeError) as error:
        why = f"{place.record} was not written by this version of txfuzz: {error}"
    else:
        return RunSummary(path, kind, place.written, _with_state(facts, place))
    return RunSummary(path, kind, place.written, unreadable=why)


def _with_state(facts: RunFacts, place: _Place) -> RunFacts:
    """Only campaigns write that they are running; whatever runs holds the lock of its directory."""
    if facts.state != "running" and place.record == CAMPAIGN:
        return facts
    running = is_running(Path(place.path))
    if not running and facts.state != "running":
        return facts
    return replace(facts, state="running" if running else "killed")
