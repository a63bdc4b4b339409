"""Resumes a campaign that was killed or interrupted, or makes one longer.

An iteration that has a history in the run directory is analysed but not run again, even if its run was
cut short. The loop then continues after the last one. Everything that a seed decides is as it would have
been without the interruption.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from txfuzz.analysis.result_data import restored
from txfuzz.campaign.directory.run_directory import IterationDirectory, iteration_path, write_json
from txfuzz.campaign.directory.run_records import RunKind
from txfuzz.campaign.directory.runs import resumed_otherwise
from txfuzz.campaign.directory.values import ArtefactError, read_back
from txfuzz.campaign.setup.settings import DEFAULT_WORKLOAD, CampaignSettings
from txfuzz.campaign.sources.contract import HistoryRequest, HistorySource, ProvidedHistory
from txfuzz.errors import UsageError
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.reader import read_history
from txfuzz.report.iteration import PLUGINS, SMALL_SCOPE

_KEYS = 1 << 62  # more physical keys than a campaign can use


@dataclass(frozen=True)
class StoredCampaign:
    """The part of campaign.json that is read back."""

    state: str = ""
    arguments: Mapping[str, Any] | None = None
    iterations: tuple[Mapping[str, Any], ...] = ()
    workers: int = 1


def resumed_settings(
    directory: Path,
    *,
    iterations: int | None = None,
    database_url: str | None = None,
    runner_cmd: str | None = None,
) -> CampaignSettings:
    """The settings to resume the campaign in this directory.

    iterations: replaces the campaign's number, usually by a larger one. database_url: needed if the
    campaign had one, since URLs are never stored. runner_cmd: needed if the campaign's contained a
    password, for the same reason. Raises UsageError if there is no campaign, if it has ended, and if a
    needed URL or command is missing.
    """
    try:
        record = read_back(directory / "campaign.json", StoredCampaign)
    except FileNotFoundError:
        why = (
            resumed_otherwise(directory, RunKind.CAMPAIGN)
            or f"{directory}: no campaign to resume (no campaign.json)"
        )
        raise UsageError(why) from None
    arguments = dict(record.arguments or {})
    if not arguments:
        raise UsageError(f"{directory}: the campaign was made by another version and cannot be resumed")
    if arguments.get("database_url") and database_url is None:
        raise UsageError(
            f"{directory}: the campaign was started with --database-url, which is not stored; give it again"
        )
    if "runner_cmd" in arguments.get("withheld", ()):
        if runner_cmd is None:
            raise UsageError(
                f"{directory}: the campaign was started with a --runner-cmd that contained a password, which "
                f"is not stored; give it again: --runner-cmd {shlex.quote(str(arguments['runner_cmd']))}"
            )
        arguments = {**arguments, "runner_cmd": runner_cmd}
    elif runner_cmd is not None:
        raise UsageError("--resume takes --runner-cmd from the campaign; omit it")
    known = {each.name for each in fields(CampaignSettings)} - {"database_url", "output", "resume"}
    stored = {name: value for name, value in arguments.items() if name in known}
    try:
        settings = restored(CampaignSettings, stored)
    except (ValueError, UsageError) as error:
        raise ArtefactError(f"{directory / 'campaign.json'}: {error}") from None
    settings = replace(settings, database_url=database_url, output=directory, resume=True)
    kept = tuple(directory / PLUGINS / each.name for each in settings.plugin_files)
    settings = replace(settings, plugin_files=kept, iterations=iterations or settings.most_iterations)
    done = max(len(record.iterations), iterations_in(directory))
    if done > settings.most_iterations:
        raise UsageError(
            f"{directory}: the campaign has {done} iterations; --iterations {settings.most_iterations} would "
            "leave some out"
        )
    if record.state == "ended" and done >= settings.most_iterations:
        raise UsageError(
            f"{directory}: the campaign has ended after {done} iterations; use a larger --iterations to "
            "make it longer"
        )
    return settings


def earlier_workers(settings: CampaignSettings) -> int:
    """How many workers ran the campaign that is continued or analysed again; 1 if there is none."""
    if settings.output is None or not (settings.resume or settings.only_analyzes):
        return 1
    try:
        return max(1, read_back(settings.output / "campaign.json", StoredCampaign).workers)
    except (FileNotFoundError, ArtefactError):
        return 1


def histories_in(directory: Path) -> int:
    """The number of iterations that have been run there, and whose histories are there."""
    return _first_without(has_history, directory)


def iterations_in(directory: Path) -> int:
    """The number of iterations that have been run there, or by a worker that has kept the history."""
    return _first_without(was_run, directory)


def _first_without(there: Callable[[IterationDirectory], bool], directory: Path) -> int:
    number = 0
    while there(IterationDirectory(iteration_path(directory, number))):
        number += 1
    return number


def first_workload(settings: CampaignSettings) -> Path | None:
    """The workload that the campaign in the run directory began with, if it replaces that of the settings:
    when a campaign is resumed, or analysed again without naming a workload. That of the first iteration, in
    a directory that does not keep it, may have been changed by the strategy before it was run."""
    unnamed = settings.skip_run and settings.workload == DEFAULT_WORKLOAD
    if settings.output is None or not (settings.resume or unnamed):
        return None
    first = (iteration_path(settings.output, number) / "workload.yaml" for number in (SMALL_SCOPE, 0))
    paths = (original_workload_path(settings.output), *first)
    return next((path for path in paths if path.exists()), None)


def original_workload_path(directory: Path) -> Path:
    """What was asked for, before any strategy or search changed it."""
    return directory / "workload.yaml"


def has_history(files: IterationDirectory) -> bool:
    """Does this iteration have a history that is not empty?"""
    try:
        return files.history.stat().st_size > 0
    except OSError:
        return False


def was_run(files: IterationDirectory) -> bool:
    """Has this iteration a history, or what the feedback has to know of it?"""
    return has_history(files) or files.feedback.exists()


@dataclass(frozen=True)
class ResumedHistories:
    """Keeps the histories of iterations that were run before; `later` makes the others.

    skip_keys: called with the highest physical key used before, if `later` chooses keys.
    """

    later: HistorySource
    skip_keys: Callable[[int], None] | None = None

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        files = request.files
        if not has_history(files):
            return self.later.provide(request)
        execution = read_execution(files)  # None if the campaign was killed during the run
        if self.skip_keys is not None:
            self.skip_keys(execution.last_key if execution else highest_key(files.history))
        warning = "" if execution else f"{files.path} was cut short: analysing what its history has"
        return ProvidedHistory(execution, earlier=True, keeps_graphs=True, warning=warning)


def highest_key(history: Path) -> int:
    """The highest physical key in a history."""
    return max((key for key in read_history(history).keys if isinstance(key, int)), default=0)


def write_execution(files: IterationDirectory, summary: ExecutionSummary) -> None:
    data = asdict(replace(summary, failure=None))
    del data["failure"]
    write_json(files.execution, data)


def read_execution(files: IterationDirectory) -> ExecutionSummary | None:
    try:
        found = read_back(files.execution, ExecutionSummary)
    except FileNotFoundError:
        return None
    if not 0 <= found.last_key < _KEYS:
        raise ArtefactError(f"{files.execution}: last_key is {found.last_key}, expected a physical key")
    return replace(found, interrupted=False)
