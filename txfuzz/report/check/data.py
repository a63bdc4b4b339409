"""A check as data: check.json, and the answer of --json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from txfuzz.check.crowd import CrowdResult
from txfuzz.check.finding.result import CheckResult, Finding, Fix, LevelCounts, ReplayedSchedule, SetResult
from txfuzz.check.story import explanation, seen_text, story
from txfuzz.report.check.story import remarks
from txfuzz.report.check.text import hints, notes, prices, replay_verdict, verdict

FORMAT = 1


def check_data(found: CheckResult) -> dict[str, Any]:
    """Plain data. failing, unjudged: the names of the sets that decide the exit code."""
    return {
        "format": FORMAT,
        "name": found.name,
        "source": found.source,
        "adapter": found.adapter,
        "server": found.server,
        "levels": list(found.levels),
        "asked": list(found.asked),
        "expect": found.expect,
        "seed": found.seed,
        "seconds": round(found.seconds, 3),
        "interrupted": found.interrupted,
        "lost": found.lost,
        "verdict": verdict(found),
        "failing": [each.name for each in found.failing],
        "unjudged": [each.name for each in found.unjudged],
        "masked": list(found.masked),
        "renamed": list(found.renamed),
        "notes": list(notes(found)),
        "sets": [_set(found, each) for each in found.sets],
        "crowds": [_crowd(each) for each in found.crowds],
    }


def replayed_data(found: ReplayedSchedule) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": found.name,
        "server": found.server,
        "verdict": replay_verdict(found),
        "failures": list(found.failures),
        "reason": found.reason,
        "replay": _finding(found.finding),
    }


def _crowd(crowd: CrowdResult) -> dict[str, Any]:
    return {
        "isolation": crowd.isolation,
        "clients": crowd.clients,
        "seconds": round(crowd.seconds, 3),
        "transactions": crowd.transactions,
        "quiet_points": crowd.quiet_points,
        "endings": {ending.value: number for ending, number in crowd.endings.items()},
        "aborted": dict(crowd.aborted),
        "broken": [
            {
                "name": each.name,
                "rows": seen_text(each.rows),
                "since": len(each.since),
                "in_series": each.in_series,
            }
            for each in crowd.broken
        ],
    }


def _set(found: CheckResult, one: SetResult) -> dict[str, Any]:
    return {
        "transactions": one.name,
        "programs": one.programs,
        "levels": [_counts(each) for each in one.levels],
        "findings": [_finding(each) for each in one.findings],
        "fixes": [_fix(each) for each in one.fixes],
        "hints": list(hints(found, one)),
    }


def _counts(counts: LevelCounts) -> dict[str, Any]:
    return asdict(counts) | {"seconds": round(counts.seconds, 3), "reasons": list(counts.reasons)}


def _finding(finding: Finding) -> dict[str, Any]:
    attempt = finding.attempt
    labels = attempt.program.labels
    return {
        "isolation": finding.isolation,
        "failures": list(finding.failures),
        "calls": [
            {"transaction": label, "arguments": _plain(arguments)}
            for label, (_, arguments) in zip(labels, attempt.program.calls, strict=True)
        ],
        "schedule": [labels.index(actor) + 1 for actor in attempt.trace.schedule],
        "story": [
            {"transaction": each.transaction, "did": each.did, "came": each.came,
             "waited": each.waited, "waited_for": list(each.waited_for)}
            for each in story(attempt)
        ],
        "explanation": [*explanation(attempt), *remarks(finding)],
        "shown": finding.shown,
        "tries": finding.tries,
        "blames_database": finding.blames_database,
    }  # fmt: skip


def _fix(fix: Fix) -> dict[str, Any]:
    return {"change": fix.about, "sql": fix.sql, "isolation": fix.isolation, "price": list(prices(fix)),
            "before": _counts(fix.before), "after": _counts(fix.after)}  # fmt: skip


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, bool | int | float | str) else str(value)
        for name, value in arguments.items()
    }
