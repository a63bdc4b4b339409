"""Going on with a campaign that was killed, interrupted, or should have been longer.

What stands in the run directory decides: an iteration with a history is not run again, but
analysed (the history of the one that was cut short, too, as far as it goes), and the loop goes on
behind the last one as if nothing had happened. Everything that a seed decides is as it would have been.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from txfuzz.analysis.result_data import restored
from txfuzz.campaign.directory.run_directory import PLUGINS, IterationDirectory, iteration_path, write_json
from txfuzz.campaign.directory.values import ArtefactError, read_back
from txfuzz.campaign.setup.settings import DEFAULT_WORKLOAD, CampaignSettings
from txfuzz.campaign.sources.contract import HistoryRequest, HistorySource, ProvidedHistory
from txfuzz.errors import UsageError
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.reader import read_history

_KEYS = 1 << 62  # more of them than a campaign can take


@dataclass(frozen=True)
class StoredCampaign:
    """What is read back of campaign.json."""

    state: str = ""
    arguments: Mapping[str, Any] | None = None
    iterations: tuple[Mapping[str, Any], ...] = ()


def resumed_settings(
    directory: Path,
    *,
    iterations: int | None = None,
    database_url: str | None = None,
    runner_cmd: str | None = None,
) -> CampaignSettings:
    """The settings of the campaign in this directory, to go on with it.

    iterations: another number than the campaign was started with, usually a larger one.
    database_url: where the database is; URLs are never stored. runner_cmd: the command, where it held
    a password, which is not stored either. Raises UsageError where there is no campaign, where it has
    ended, and where it needs a URL or a command that is not given.
    """
    try:
        record = read_back(directory / "campaign.json", StoredCampaign)
    except FileNotFoundError:
        raise UsageError(f"{directory}: there is no campaign to resume (no campaign.json)") from None
    arguments = dict(record.arguments or {})
    if not arguments:
        raise UsageError(f"{directory}: the campaign there is of another version and cannot be resumed")
    if arguments.get("database_url") and database_url is None:
        raise UsageError(
            f"{directory}: the campaign was started with --database-url, which is stored nowhere; "
            "give it again"
        )
    if "runner_cmd" in arguments.get("withheld", ()):
        if runner_cmd is None:
            raise UsageError(
                f"{directory}: the campaign was started with a --runner-cmd that held a password, which is "
                f"stored nowhere; give it again: --runner-cmd {shlex.quote(str(arguments['runner_cmd']))}"
            )
        arguments = {**arguments, "runner_cmd": runner_cmd}
    elif runner_cmd is not None:
        raise UsageError("--resume takes --runner-cmd from the campaign; leave it out")
    known = {each.name for each in fields(CampaignSettings)} - {"database_url", "output", "resume"}
    stored = {name: value for name, value in arguments.items() if name in known}
    try:
        settings = restored(CampaignSettings, stored)
    except (ValueError, UsageError) as error:
        raise ArtefactError(f"{directory / 'campaign.json'}: {error}") from None
    settings = replace(settings, database_url=database_url, output=directory, resume=True)
    kept = tuple(directory / PLUGINS / each.name for each in settings.plugin_files)
    settings = replace(settings, plugin_files=kept, iterations=iterations or settings.most_iterations)
    done = max(len(record.iterations), histories_in(directory))
    if done > settings.most_iterations:
        raise UsageError(
            f"{directory}: {done} iterations of that campaign are there; --iterations "
            f"{settings.most_iterations} would leave some out"
        )
    if record.state == "ended" and done >= settings.most_iterations:
        raise UsageError(
            f"{directory}: that campaign has ended after {done} iterations; --iterations with a larger "
            "number makes it longer"
        )
    return settings


def histories_in(directory: Path) -> int:
    """How many iterations have been run there."""
    number = 0
    while has_history(IterationDirectory(iteration_path(directory, number))):
        number += 1
    return number


def first_workload(settings: CampaignSettings) -> Path | None:
    """The workload of the first iteration that is there already, in which everything is settled.

    It goes before what the settings name where a campaign is resumed; where histories are only judged
    again, a workload that is named goes before it.
    """
    unnamed = settings.skip_run and settings.workload == DEFAULT_WORKLOAD
    if settings.output is None or not (settings.resume or unnamed):
        return None
    path = settings.output / "iter_00" / "workload.yaml"
    return path if path.exists() else None


def has_history(files: IterationDirectory) -> bool:
    """Has this iteration a history with anything in it?"""
    try:
        return files.history.stat().st_size > 0
    except OSError:
        return False


@dataclass(frozen=True)
class ResumedHistories:
    """Iterations that were run before have their histories; `later` makes those that have none.

    skip_keys: told which physical keys the earlier ones have used, where `later` chooses keys.
    """

    later: HistorySource
    skip_keys: Callable[[int], None] | None = None

    def provide(self, request: HistoryRequest) -> ProvidedHistory:
        files = request.files
        if not has_history(files):
            return self.later.provide(request)
        execution = read_execution(files)  # None where the fuzzer did not live to say so
        if self.skip_keys is not None:
            self.skip_keys(execution.last_key if execution else _highest_key(files.history))
        warning = (
            "" if execution else f"{files.path} was cut short: its history is analysed as far as it goes"
        )
        return ProvidedHistory(execution, earlier=True, keeps_graphs=True, warning=warning)


def _highest_key(history: Path) -> int:
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
