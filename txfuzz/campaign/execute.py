"""`txfuzz execute`: run one workload once, without the feedback loop."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from txfuzz.campaign.directory.run_directory import write_bytes
from txfuzz.campaign.setup.adapter_choice import chosen_database
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble, database_url
from txfuzz.database.isolation_levels import open_database
from txfuzz.errors import OutputError, UsageError
from txfuzz.execution.fault_injector import cautions
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.replayer import Replayer, follow_schedule
from txfuzz.replay.result import ReplayResult
from txfuzz.replay.schedule.focus_key import focus_key_warnings
from txfuzz.replay.schedule.replay_workload import pause_warnings
from txfuzz.replay.stepper.recorder import recorded_edn
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.runtime_errors import RefusedStep, naming_url, with_place


def record(
    name: str | Path,
    history: Path,
    *,
    init: bool = False,
    url: str | None = None,
    adapter: str | None = None,
    isolation: str | None = None,
    seed: int | None = None,
    strict_plugins: bool = False,
    plugin_files: Sequence[Path] = (),
    attempts: int = 1,
    interrupted: threading.Event | None = None,
) -> tuple[ExecutionSummary | ReplayResult, tuple[str, ...]]:
    """Run a workload and write its history. Returns a summary, and warnings for the user.

    name: a workload's name or file. A workload whose `replay` is enabled is replayed `attempts` times;
    any other is run once. adapter, url: in place of the workload's.
    """
    registry = load_plugins(strict=strict_plugins, files=plugin_files)
    path = workload_path(name, None)
    choice = chosen_database(registry, adapter, url)
    loaded = read_workload(path, InstalledVocabulary(registry, path), choice)
    replayed = loaded.replay is not None and loaded.replay.enabled
    if attempts != 1 and not replayed:
        raise UsageError(
            f"{path}: has no enabled `replay` stanza, so there is nothing to attempt {attempts} times"
        )
    assembled = assemble(loaded, registry, isolation=isolation, seed=seed)
    workload, level = assembled.workload, assembled.isolation
    fresh = init or workload.init_schema
    if not history.parent.is_dir():
        raise OutputError(f"{history}: cannot be written: {history.parent} is not a directory")
    with naming_url(path, loaded, url):
        opened = open_database(assembled.adapter, database_url(url, loaded), loaded.scheduling.clients)
    with opened as database:
        warnings = (
            *map(str, registry.problems),
            *registry.clashes(),
            *database.warnings(),
            *cautions(assembled.faults, database),
            *assembled.disclaimers,
        )
        if replayed:
            asides = (*pause_warnings(loaded), *focus_key_warnings(loaded))
            with Replayer(database, workload.kind, level, fresh=fresh, stop=interrupted) as player:
                result, operations = follow_schedule(player, workload, assembled.expect, attempts=attempts)
            write_bytes(history, recorded_edn(operations))
            return result, (*warnings, *(f"{path}: {each}" for each in asides))
        summary = execute(
            workload,
            database,
            history,
            isolation=level,
            fresh=fresh,
            faults=assembled.faults,
            interrupted=interrupted,
        )
    if isinstance(summary.failure, RefusedStep):
        summary = replace(summary, failure=with_place(summary.failure, path))
    return summary, warnings
