"""timeline.jsonl: a line for each iteration, added as it ends, with what a page on a long campaign shows.

The other records are rewritten as a whole after each iteration, and the analyses are large. This file only
grows, so that a reader can go on where it was, and the first of ten thousand iterations is not read again
to show the last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from txfuzz.analysis.explain.headlines import headline
from txfuzz.analysis.result import Anomaly, as_data
from txfuzz.campaign.directory.campaign_files import DECIMALS
from txfuzz.campaign.directory.run_directory import RunDirectory, write_text, writing
from txfuzz.campaign.events import CampaignEnded, CampaignStarted, Event, IterationEnded, SmallScopeEnded
from txfuzz.common.json_text import json_text
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.finding import findings_in
from txfuzz.report.iteration import Iteration

TIMELINE = "timeline.jsonl"
_KEYS = 14  # under the highest pressure
_REASON = 300  # characters


@dataclass(frozen=True)
class FaultBand:
    """When a fault was active: name, and in seconds since the start of the run its begin and its length."""

    name: str
    at: float
    seconds: float


@dataclass(frozen=True)
class NewFinding:
    """The first time that a signature was seen. name: of the signature. transactions: in the cycle, or
    involved. cycle: whether it is one. said: its headline."""

    name: str
    type: str
    templates: tuple[str, ...]
    transactions: int
    cycle: bool
    said: str


@dataclass(frozen=True)
class TimelineEntry:
    """One iteration. Its fields are described in docs/artefacts.md; `numbers` are those of `Numbers`."""

    iteration: int
    verdict: str
    expect: str = ""
    reason: str = ""
    vacuous: bool = False
    by_replay: bool = False
    anomaly_types: tuple[str, ...] = ()
    all_types: tuple[str, ...] = ()
    numbers: dict[str, Any] = field(default_factory=dict)
    run_seconds: float = 0.0
    course: tuple[tuple[float, float, int, float | None, float | None], ...] = ()
    faults: tuple[FaultBand, ...] = ()
    decisions: tuple[dict[str, Any], ...] = ()
    pressure: tuple[tuple[str, int], ...] = ()
    found: tuple[NewFinding, ...] = ()
    again: tuple[str, ...] = ()


class Timeline:
    """A subscriber that writes the file; at once only if the campaign ends, if it `only_analyzes`."""

    def __init__(self, directory: RunDirectory, *, only_analyzes: bool) -> None:
        self._path = directory.path / TIMELINE
        self._only_analyzes = only_analyzes
        self._known: set[str] = set()  # signatures
        self._waiting: list[str] = []

    def __call__(self, event: Event) -> None:
        match event:
            case CampaignStarted() if not self._only_analyzes:
                write_text(self._path, "")
            case SmallScopeEnded() | IterationEnded():
                self._add(event.iteration, event.campaign)
            case CampaignEnded() if self._only_analyzes and event.campaign.facts.state == "ended":
                write_text(self._path, "".join(self._waiting))

    def _add(self, iteration: Iteration, campaign: CampaignResult) -> None:
        entry = timeline_entry(iteration, campaign.facts.isolation or "", self._known)
        self._known.update(each.name for each in entry.found)
        line = f"{json_text(as_data(entry))}\n"
        if self._only_analyzes:
            self._waiting.append(line)
            return
        with writing(self._path), open(self._path, "a", encoding="utf-8", errors="replace") as file:
            file.write(line)


def timeline_entry(iteration: Iteration, isolation: str, known: Collection[str]) -> TimelineEntry:
    """The line of an iteration. known: names of the signatures that earlier ones showed."""
    result, execution = iteration.deciding_result, iteration.execution
    found = findings_in([(iteration.number, result)], isolation)
    news = [each for each in found if each.signature.name not in known]
    types = dict.fromkeys([*result.all_types, *iteration.result.all_types])
    pressure = sorted(iteration.result.key_pressure, key=lambda each: -each.concurrent_edges)[:_KEYS]
    return TimelineEntry(
        iteration.number,
        iteration.verdict.value,
        result.expect,
        iteration.reason,
        iteration.vacuous,
        iteration.by_replay,
        result.anomaly_types,
        tuple(types),
        _numbers(iteration),
        round(iteration.seconds.get("run", execution.seconds if execution else 0.0), 4),
        tuple(
            (round(each.at, 4), round(each.seconds, 4), each.committed, _short(each.p50), _short(each.p95))
            for each in iteration.course
        ),
        tuple(_bands(iteration)),
        tuple(
            {"heuristic": each.heuristic, "target": each.target, "reason": each.reason[:_REASON]}
            for each in iteration.decisions
        ),
        tuple((str(each.key), each.concurrent_edges) for each in pressure if each.concurrent_edges),
        tuple(_new(each.signature.name, each.anomaly, each.signature.templates) for each in news),
        tuple(each.signature.name for each in found if each.signature.name in known),
    )


def _numbers(iteration: Iteration) -> dict[str, Any]:
    """As precise as in stats.json."""
    data: dict[str, Any] = as_data(iteration.numbers)
    return {
        name: round(value, DECIMALS[name]) if name in DECIMALS and isinstance(value, float) else value
        for name, value in data.items()
    }


def _new(name: str, anomaly: Anomaly, templates: tuple[str, ...]) -> NewFinding:
    said = headline(anomaly)
    return NewFinding(name, anomaly.type, templates, len(anomaly.transactions), bool(anomaly.edges), said)


def _bands(iteration: Iteration) -> Iterable[FaultBand]:
    for each in iteration.execution.faults if iteration.execution else ():
        yield FaultBand(each.name, round(each.at, 4), round(each.seconds, 4))


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
