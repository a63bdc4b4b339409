"""`txfuzz explore`: run the interleavings of a workload's transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.campaign.directory.run_records import EXPLORATION
from txfuzz.campaign.explore.slices import ExploreJob, explore_by
from txfuzz.campaign.setup.adapter_choice import chosen_database
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble, database_url
from txfuzz.campaign.workers.carried import carried
from txfuzz.campaign.workers.engines import ONE, Workers
from txfuzz.database.isolation_levels import level_named, open_database
from txfuzz.errors import UsageError, did_you_mean
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.explore import Exploration, ExploreProgress, exploration, explore
from txfuzz.workload.database.levels import with_levels
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.runtime_errors import naming_url
from txfuzz.workload.yaml.writer import workload_text

DEFAULT_EXPECT = "serializable"


def explore_workload(
    name: str | Path,
    transactions: Sequence[str],
    *,
    isolation: Sequence[str] = (),
    expect: str | None = None,
    seed: int | None = None,
    most: int = 2000,
    rows: str | None = None,
    url: str | None = None,
    adapter: str | None = None,
    output: Path | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    workers: Workers = ONE,
    on_lost: Callable[[str], None] = lambda sentence: None,
    on_progress: Callable[[ExploreProgress], None] = lambda progress: None,
) -> Exploration:
    """name: a workload's name or file. isolation: the levels, by default all of the adapter. most: limit of
    schedules per level. rows: "fresh" or "inserted", by default as in the workload. output: a directory
    for explore.json and a replay of each anomaly at each level. on_lost: is told of workers that did not end
    well or are no use, in a sentence."""
    registry = load_plugins(files=plugin_files)
    path = workload_path(name, None)
    choice = chosen_database(registry, adapter, url)
    workload = read_workload(path, InstalledVocabulary(registry, path), choice)
    assembled = assemble(workload, registry, expect=DEFAULT_EXPECT if expect is None else expect, seed=seed)
    known = [each.name for each in workload.transactions]
    for transaction in transactions:
        if transaction not in known:
            raise UsageError(f"no transaction {transaction!r} in {name}: {did_you_mean(transaction, known)}")
    if len(transactions) < 2:
        raise UsageError("--transactions needs at least two, as in a,b (or a,a)")
    capabilities = assembled.adapter.capabilities()
    levels = [level_named(capabilities, each) for each in isolation] or list(capabilities.isolation)
    promises = {level: capabilities.isolation[level] for level in levels}
    leveled = with_levels(assembled.workload, capabilities, own=False)
    if workers.several:
        planned = exploration(leveled, transactions, most=most, rows=rows)
        job = ExploreJob(planned, assembled.expect, database_url(url, workload), carried(plugin_files))
        found = explore_by(workers, job, promises, interrupted or threading.Event(), on_lost, on_progress)
    else:
        with naming_url(path, workload, url):
            opened = open_database(assembled.adapter, database_url(url, workload))
        with opened as database:
            found = explore(
                leveled, transactions, database, promises, assembled.expect,
                most=most, rows=rows, stop=interrupted, on_progress=on_progress,
            )  # fmt: skip
    if output is not None:
        _write(output, found)
    return found


def _write(output: Path, found: Exploration) -> None:
    with writing(output):
        output.mkdir(parents=True, exist_ok=True)
    write_json(output / EXPLORATION, found.to_json())
    for level in found.levels:
        for anomaly, workload in level.examples.items():
            place = output / f"{level.isolation.replace(' ', '-')}_{anomaly}.yaml"
            write_text(place, workload_text(workload, workload.about))
