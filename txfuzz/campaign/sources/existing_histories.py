"""Histories that are there already: `--skip-run` judges them again, whoever made them, and a campaign may
begin with one.

How they were made is not ours to say: where a campaign's own record stands beside them, that part of
it is kept, and the record is written only when all of them have been judged.
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

_OF_THE_RUN = ("state", "arguments", "database", "cautions")
# Settings that decide what the feedback proposes
_OF_THE_FEEDBACK = ("open_loop", "keep_schema_init", "max_near_cycles")


@dataclass(frozen=True)
class ExistingHistories:
    """Nothing is run: each history is in its place, and beside it what a campaign noted of its run."""

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        return ProvidedHistory(read_execution(request.files), earlier=True)


class ImportedHistory:
    """The first history is a file that anybody has made; `later` makes the others."""

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
    """The settings, with those of the campaign that is there, by which the feedback says the same again.

    Raises UsageError (HistoryError) where histories are missing, and where some of that campaign would
    be left out; nothing has been written by then.
    """
    directory = settings.output
    if directory is None:
        raise UsageError("--skip-run needs --output-dir: where the histories are")
    if not directory.is_dir():
        raise UsageError(f"{directory}: no such directory; --skip-run analyses histories that are there")
    for number in range(settings.most_iterations):
        path = iteration_path(directory, number) / "history.edn"
        if not path.exists():
            raise HistoryError(f"{path}: no such file; --skip-run analyses histories that are there")
    record = _record(directory)
    there = histories_in(directory)
    if record and there > settings.most_iterations:
        raise UsageError(
            f"{directory}: the campaign there has {there} iterations; --iterations "
            f"{settings.most_iterations} would leave some out"
        )
    arguments = record.get("arguments")
    known = arguments if isinstance(arguments, dict) else {}
    default = CampaignSettings()
    unset = [name for name in _OF_THE_FEEDBACK if getattr(settings, name) is getattr(default, name)]
    return replace(settings, **{name: known[name] for name in unset if name in known})


def facts_of_the_run(directory: Path) -> dict[str, Any]:
    """The part of campaign.json that tells how the histories were made."""
    record = _record(directory)
    return {name: record[name] for name in _OF_THE_RUN if name in record}


def _record(directory: Path) -> Mapping[str, Any]:
    """campaign.json as far as it can be relied on; empty where it cannot: histories are judged without it."""
    path = directory / "campaign.json"
    try:
        read_back(path, StoredCampaign)
        data = json_in(path)
        restored(CampaignSettings, {**(data.get("arguments") or {}), "database_url": None})
    except (FileNotFoundError, UsageError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
