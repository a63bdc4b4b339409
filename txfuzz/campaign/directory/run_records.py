"""The record that each kind of run leaves in its directory, and what it says in short.

A record is read as plain data, and only the fields that are shown: one of another version, or one that is
being written, still says what it can. Histories, graphs and pages are never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.analysis.result import Verdict
from txfuzz.errors import UsageError

CAMPAIGN = "campaign.json"
HUNT = "hunt.json"
RACE = "race.json"  # of a hunt by races
CHECK = "check.json"
EXPLORATION = "explore.json"
MATRIX_PLAN, MATRIX = "plan.json", "matrix.json"
COMPARISON = "compare.json"


class RunKind(Enum):
    """What made the directory."""

    CAMPAIGN = "campaign"
    HUNT = "hunt"
    RACES = "races"
    CHECK = "check"
    EXPLORATION = "exploration"
    MATRIX = "matrix"
    COMPARISON = "comparison"


@dataclass(frozen=True)
class RunFacts:
    """What a record says; empty where it does not.

    subject: what was run: the workload, the file, the transactions, the targets. database: product and
    version, or else the adapter. level: the isolation level, or several. state: "running" (also of one that
    was killed), "ended", "interrupted", or "failed: why". verdict: None of what is not judged. found: names
    of what was found, in its order. broken: a promise of the database was. known: names of holes that were
    found and are known; they break a promise, too, but are no news, so the verdict does not count them.
    """

    subject: str = ""
    database: str = ""
    level: str = ""
    state: str = "ended"
    verdict: Verdict | None = None
    found: tuple[str, ...] = ()
    broken: bool = False
    known: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that was found, what is known last and marked."""
        return (*self.found, *(f"{name} (known)" for name in self.known))


def campaign_facts(data: Mapping[str, Any]) -> RunFacts:
    database = _mapping(data.get("database"))
    server = " ".join(str(database[name]) for name in ("product", "version") if database.get(name))
    found = tuple(map(str, _mapping(data.get("found"))))
    return RunFacts(
        _text(data.get("workload")),
        server or _text(data.get("adapter")),
        _text(data.get("levels")) or _text(data.get("isolation")),
        _text(data.get("state")) or "ended",
        _verdict(data.get("verdict")),
        found,
        bool(found) and not _forbidden(data.get("answers_for")).isdisjoint(found),
    )


def hunt_facts(data: Mapping[str, Any]) -> RunFacts:
    """What is found is what is not known; what is known is told apart."""
    holes = [_mapping(each.get("hole", each)) for each in map(_mapping, _list(data.get("holes")))]
    news = _each(each.get("name") for each in holes if not each.get("known"))
    known = _each(each.get("known") for each in holes)
    settings, counts = _mapping(data.get("settings")), _mapping(data.get("counts"))
    run = counts.get("schedules", counts.get("rounds", 0))
    judged = isinstance(run, int) and run > int(counts.get("unknown", 0))
    return RunFacts(
        _text(settings.get("strategy")),
        _text(data.get("server")) or _text(settings.get("adapter")),
        ", ".join(map(str, _list(settings.get("isolation")))),
        "interrupted" if data.get("interrupted") else "ended",
        _judged(news, judged=judged),
        news,
        bool(news),
        known,
    )


def check_facts(data: Mapping[str, Any]) -> RunFacts:
    failing = tuple(map(str, _list(data.get("failing"))))
    crowds = [_mapping(each) for each in _list(data.get("crowds"))]
    broken_by_crowd = tuple(
        _text(broken.get("name")) for crowd in crowds for broken in map(_mapping, _list(crowd.get("broken")))
    )
    findings = [
        _mapping(finding)
        for one in map(_mapping, _list(data.get("sets")))
        for finding in _list(one.get("findings"))
    ]
    lost = _text(data.get("lost"))
    found = tuple(dict.fromkeys((*failing, *broken_by_crowd)))
    return RunFacts(
        _text(data.get("name")),
        _text(data.get("server")) or _text(data.get("adapter")),
        ", ".join(map(str, _list(data.get("asked")))),
        f"failed: {lost}" if lost else "interrupted" if data.get("interrupted") else "ended",
        _judged(found, judged=not (lost or data.get("unjudged"))),
        found,
        any(each.get("blames_database") for each in findings),
    )


def exploration_facts(data: Mapping[str, Any]) -> RunFacts:
    """Its verdict is about the promise of each level, as that of `txfuzz explore` is."""
    levels = [_mapping(each) for each in _list(data.get("levels"))]
    broken = tuple(dict.fromkeys(str(name) for each in levels for name in _list(each.get("broken"))))
    return RunFacts(
        " × ".join(map(str, _list(data.get("transactions")))),
        level=", ".join(_text(each.get("isolation")) for each in levels),
        state="interrupted" if data.get("stopped") else "ended",
        verdict=_judged(broken, judged=any(each.get("judged") for each in levels)),
        found=broken,
        broken=bool(broken),
    )


def matrix_facts(data: Mapping[str, Any]) -> RunFacts:
    cells = [_mapping(each) for each in _list(data.get("cells"))]
    outcomes = {_text(each.get("outcome")) for each in cells}
    broken = _each(name for each in cells for name in _list(each.get("broken")))
    return RunFacts(
        _text(data.get("name")),
        ", ".join(_each(each.get("server") or each.get("database") for each in cells)),
        ", ".join(_each(each.get("level") for each in cells)),
        "interrupted" if data.get("left") else "ended",
        _judged(broken, judged=not outcomes.isdisjoint(("none", "allowed", "broken"))),
        broken,
        bool(broken),
    )


def matrix_plan_facts(data: Mapping[str, Any]) -> RunFacts:
    """Of a matrix of which no cell is done."""
    databases = [_mapping(each) for each in _list(data.get("databases"))]
    names = ", ".join(_each(each.get("name") for each in databases))
    return RunFacts(_text(data.get("name")), names, state="interrupted", verdict=Verdict.UNKNOWN)


def comparison_facts(data: Mapping[str, Any]) -> RunFacts:
    """A comparison has no verdict."""
    targets, strategies = _list(data.get("targets")), _list(data.get("strategies"))
    return RunFacts(f"{', '.join(map(str, targets))}: {', '.join(map(str, strategies))}")


# File name → what made it and how it is read; of two in a directory, the one that was written last counts
RECORDS: Mapping[str, tuple[RunKind, Callable[[Mapping[str, Any]], RunFacts]]] = {
    CAMPAIGN: (RunKind.CAMPAIGN, campaign_facts),
    HUNT: (RunKind.HUNT, hunt_facts),
    RACE: (RunKind.RACES, hunt_facts),
    CHECK: (RunKind.CHECK, check_facts),
    EXPLORATION: (RunKind.EXPLORATION, exploration_facts),
    MATRIX_PLAN: (RunKind.MATRIX, matrix_plan_facts),
    MATRIX: (RunKind.MATRIX, matrix_facts),
    COMPARISON: (RunKind.COMPARISON, comparison_facts),
}


def _judged(found: tuple[str, ...], *, judged: bool) -> Verdict:
    if found:
        return Verdict.INVALID
    return Verdict.VALID if judged else Verdict.UNKNOWN


def _verdict(word: Any) -> Verdict:
    try:
        return Verdict(word)
    except ValueError:
        return Verdict.UNKNOWN


def _forbidden(model: Any) -> frozenset[str]:
    """The anomalies that a level which promises this model does not allow."""
    try:
        return prohibited(model) if isinstance(model, str) else frozenset()
    except UsageError:
        return frozenset()


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _text(data: Any) -> str:
    return data if isinstance(data, str) else ""


def _each(words: Iterable[Any]) -> tuple[str, ...]:
    """Each once, without what is empty."""
    return tuple(dict.fromkeys(str(word) for word in words if word))
