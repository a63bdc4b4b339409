"""campaign.json, stats.json and progress.csv, which are rewritten after every iteration."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from txfuzz.analysis.explain.headlines import headline
from txfuzz.analysis.result import as_data
from txfuzz.campaign.directory.run_directory import RunDirectory, write_json, write_text
from txfuzz.campaign.events import (
    CampaignEnded,
    CampaignFailed,
    CampaignStarted,
    Event,
    IterationEnded,
    SmallScopeEnded,
)
from txfuzz.campaign.sources.existing_histories import facts_of_the_run
from txfuzz.errors import OutputError
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import Iteration

PROGRESS_COLUMNS = (
    "iteration", "seconds", "transactions", "ok", "fail", "info", "per_second", "clients", "keys",
    "edges_per_txn", "concurrent_edges_per_txn", "near_cycles", "verdict", "anomaly_types",
)  # fmt: skip
DECIMALS = {"seconds": 3, "per_second": 1, "edges_per_txn": 4, "concurrent_edges_per_txn": 4}


class CampaignFiles:
    """A subscriber that keeps the three files up to date.

    only_analyzes: the histories are those of an earlier campaign. Its record is replaced only once all of
    them have been analysed, and keeps what it says about the run.
    """

    def __init__(self, directory: RunDirectory, *, only_analyzes: bool) -> None:
        self._directory = directory
        self._only_analyzes = only_analyzes

    def __call__(self, event: Event) -> None:
        match event:
            case CampaignStarted() | SmallScopeEnded() | IterationEnded() | CampaignEnded():
                self._write(event.campaign)
            case CampaignFailed():
                with suppress(OutputError):  # the campaign's own error is the one to report
                    self._write(event.campaign)

    def _write(self, campaign: CampaignResult) -> None:
        if self._only_analyzes and campaign.facts.state != "ended":
            return
        path = self._directory.path
        kept = facts_of_the_run(path) if self._only_analyzes else {}
        write_json(path / "campaign.json", campaign_data(campaign) | kept)
        write_json(path / "stats.json", stats(campaign))
        progress = io.StringIO()
        csv.writer(progress, lineterminator="\n").writerows(
            [PROGRESS_COLUMNS, *map(progress_row, campaign.iterations)]
        )
        write_text(path / "progress.csv", progress.getvalue())


def campaign_data(campaign: CampaignResult) -> dict[str, Any]:
    """campaign.json."""
    return {
        "state": campaign.facts.state,
        "verdict": campaign.verdict.value,
        "found": campaign.found,
        "headline": None if campaign.leading is None else headline(campaign.leading),
        **asdict(campaign.facts),
        "failures": list(campaign.failures),
        "small_scope": None if campaign.small_scope is None else _small_scope_data(campaign.small_scope),
        "iterations": [_iteration_data(each) for each in campaign.iterations],
    }


def _small_scope_data(iteration: Iteration) -> dict[str, Any]:
    searched = iteration.searched
    counts = ("schedules", "found", "refused", "first_found", "stopped")
    if searched is None:
        return _iteration_data(iteration)
    variations = [
        {"change": each.change.reason, "schedules": each.schedules, "found": each.found}
        for each in searched.variations
    ]
    known = {name: getattr(searched, name) for name in counts}
    return {**_iteration_data(iteration), **known, "variations": variations}


def _iteration_data(iteration: Iteration) -> dict[str, Any]:
    numbers = iteration.numbers
    return {
        "iteration": iteration.name,
        "verdict": iteration.verdict.value,
        "reason": iteration.reason,
        "anomaly_types": list(iteration.deciding_result.anomaly_types),
        "by_replay": iteration.by_replay,
        "transactions": numbers.transactions,
        "committed": numbers.ok,
        "near_cycles": numbers.near_cycles,
        "faults": numbers.faults,
        "decisions": [{"heuristic": each.heuristic, "target": each.target} for each in iteration.decisions],
    }


def progress_row(iteration: Iteration) -> tuple[Any, ...]:
    """One line of progress.csv."""
    deciding = iteration.deciding_result
    cells = {
        "iteration": iteration.name,
        "verdict": deciding.verdict.value,
        "anomaly_types": " ".join(deciding.anomaly_types),
    }
    return tuple(
        cells[name] if name in cells else _rounded(name, getattr(iteration.numbers, name))
        for name in PROGRESS_COLUMNS
    )


def _rounded(name: str, value: Any) -> Any:
    """Empty if unknown."""
    if value is None:
        return ""
    return round(value, DECIMALS[name]) if name in DECIMALS else value


def stats(campaign: CampaignResult) -> dict[str, Any]:
    """stats.json: totals and figures by iteration, and those of the small-scope search apart."""
    iterations, first = campaign.iterations, campaign.small_scope
    return {
        "iterations": len(iterations),
        "transactions": sum(each.numbers.transactions for each in iterations),
        "committed": sum(each.numbers.ok for each in iterations),
        "failed": sum(each.numbers.fail for each in iterations),
        "unknown": sum(each.numbers.info for each in iterations),
        "by_iteration": [_iteration_stats(each) for each in iterations],
        "small_scope": None if first is None else _iteration_stats(first),
    }


def _iteration_stats(iteration: Iteration) -> dict[str, Any]:
    return {
        **dict(zip(PROGRESS_COLUMNS, progress_row(iteration), strict=True)),
        "anomaly_types": list(iteration.deciding_result.anomaly_types),
        "mix": iteration.numbers.mix,
        "aborts": iteration.numbers.aborts,
        "faults": iteration.numbers.faults,
        "pursued": as_data(iteration.pursued),
        "directed": [as_data(each) for each in iteration.directed],
        "reached": as_data(iteration.reached),
        "stages": {name: round(seconds, 4) for name, seconds in iteration.seconds.items()},
    }
