"""Existing histories: `--skip-run` analyses them again, and an adaptive campaign begins with one.

The record of the campaign that made them keeps what it says about their making. It is replaced only once
all of the histories have been analysed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from txfuzz.analysis.result_data import restored
from txfuzz.campaign.directory.run_directory import copy_history, iteration_path
from txfuzz.campaign.directory.values import json_in, read_back
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.contract import HistoryRequest, HistorySource, ProvidedHistory
from txfuzz.campaign.sources.resumed import StoredCampaign, histories_in, read_execution
from txfuzz.errors import HistoryError, UsageError

_RUN_FACTS = ("state", "arguments", "database", "cautions")
# Settings that decide what the feedback proposes
_FEEDBACK_SETTINGS = ("open_loop", "strategy", "keep_schema_init", "max_near_cycles")


@dataclass(frozen=True)
class ExistingHistories:
    """Runs nothing: each history is in place, next to its execution.json if a campaign made it."""

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        return ProvidedHistory(read_execution(request.files), earlier=True)


class ImportedHistory:
    """Copies a file as the first history; `later` makes the others."""

    def __init__(self, history: Path, later: HistorySource) -> None:
        self._history: Path | None = history
        self._later = later

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        if self._history is None:
            return self._later.provide(request)
        copy_history(self._history, request.files.history)
        self._history = None
        return ProvidedHistory()


def as_it_was_run(settings: CampaignSettings) -> CampaignSettings:
    """The settings, with those of the existing campaign that make the feedback propose the same again.

    Writes nothing. Raises UsageError (HistoryError) if histories are missing, or if some of that campaign
    would be left out.
    """
    directory = settings.output
    if directory is None:
        raise UsageError("--skip-run needs --output-dir: where the histories are")
    if not directory.is_dir():
        raise UsageError(f"{directory}: no such directory; --skip-run analyses existing histories")
    for number in range(settings.most_iterations):
        path = iteration_path(directory, number) / "history.edn"
        if not path.exists():
            raise HistoryError(f"{path}: no such file; --skip-run analyses existing histories")
    record = _record(directory)
    there = histories_in(directory)
    if record and there > settings.most_iterations:
        raise UsageError(
            f"{directory}: the campaign has {there} iterations; --iterations "
            f"{settings.most_iterations} would leave some out"
        )
    arguments = record.get("arguments")
    known = arguments if isinstance(arguments, dict) else {}
    default = CampaignSettings()
    unset = [name for name in _FEEDBACK_SETTINGS if getattr(settings, name) is getattr(default, name)]
    return replace(settings, **{name: known[name] for name in unset if name in known})


def facts_of_the_run(directory: Path) -> dict[str, Any]:
    """The part of campaign.json that says how the histories were made."""
    record = _record(directory)
    return {name: record[name] for name in _RUN_FACTS if name in record}


def earlier_excuses(directory: Path | None) -> tuple[str, ...]:
    """Why faults of the campaign that made the histories may have made the database break its promise."""
    record = {} if directory is None else _record(directory)
    return tuple(map(str, record.get("excuses") or ()))


def _record(directory: Path) -> Mapping[str, Any]:
    """campaign.json; empty if it is unusable, since histories can be analysed without it."""
    path = directory / "campaign.json"
    try:
        read_back(path, StoredCampaign)
        data = json_in(path)
        restored(CampaignSettings, {**(data.get("arguments") or {}), "database_url": None})
    except (FileNotFoundError, UsageError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
