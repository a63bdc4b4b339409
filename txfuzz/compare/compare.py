"""`txfuzz compare`: runs every strategy on every target from the same seeds, and compares what they took."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.campaign.directory.run_directory import RUNS as RUN_DIRECTORIES
from txfuzz.campaign.directory.run_directory import RunDirectory, new_path, write_json, write_text
from txfuzz.compare.bench import Bench
from txfuzz.compare.comparison import Comparison, comparison_of
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.record import KEPT, ComparisonRecord, ComparisonSettings
from txfuzz.compare.strategies import Setting, settings_of
from txfuzz.compare.targets import Target, targets_named
from txfuzz.compare.text import comparison_text
from txfuzz.plugin.errors import naming_plugins
from txfuzz.report.pictures.survival import draw_survival


@dataclass(frozen=True)
class Progress:
    """A run that is done. done, of: runs."""

    task: Task
    effort: Effort
    done: int
    of: int


@naming_plugins()
def compare(
    settings: ComparisonSettings | None,
    *,
    output: Path | None = None,
    resume: Path | None = None,
    seeds: int | None = None,
    url: str | None = None,
    plugin_files: Sequence[Path] = (),
    interrupted: threading.Event | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> tuple[Comparison, Path]:
    """The comparison, and the directory with its runs, table and pictures.

    settings: None to go on with the comparison in `resume`, with more seeds if `seeds` says so. output: None
    for a new directory under `runs/`. interrupted: set it to end early; runs that are done count.
    Raises a TxfuzzError if something cannot be run; runs that are done are kept.
    """
    with ExitStack() as resources:
        bench = resources.enter_context(Bench(url, plugin_files, interrupted))
        if settings is None:
            assert resume is not None
            record = ComparisonRecord.resume(resume, seeds=seeds)
        else:
            targets = targets_named(settings.targets)
            _check(bench, settings, targets)
            directory = output or new_path(RUN_DIRECTORIES, "compare")
            named = replace(settings, targets=tuple(each.name for each in targets))
            record = ComparisonRecord.begin(directory, named, targets)
        resources.enter_context(RunDirectory.reopen(record.directory))  # locks it
        plan = _plan(record, bench)
        missing = [(task, setting) for task, setting in plan if task.key not in record.efforts]
        tasks = [task for task, _ in plan]
        for number, (task, setting) in enumerate(missing, len(plan) - len(missing) + 1):
            effort = setting.run(task, bench)
            if effort is None:
                break
            record.add(task, effort)
            on_progress(Progress(task, effort, number, len(plan)))
            if bench.interrupted.is_set():
                break
    comparison = comparison_of(tasks, record.efforts, record.settings.against, most=record.settings.most)
    _write(record.directory, comparison)
    return comparison, record.directory


def _check(bench: Bench, settings: ComparisonSettings, targets: Sequence[Target]) -> None:
    """Whatever can be refused is refused before the first run."""
    installed = [entry.name for entry in bench.registry.all("strategy")]
    for strategy in settings.strategies:
        settings_of(strategy, installed)
    for target in targets:
        bench.assembled(Task(target, "", "", None, 1, 1))


def _plan(record: ComparisonRecord, bench: Bench) -> list[tuple[Task, Setting]]:
    """All runs. Seed by seed, so that strategies meet the machine in the same state, and what is there after
    an interruption can be compared."""
    asked = record.settings
    installed = [entry.name for entry in bench.registry.all("strategy")]
    plan = []
    for target in record.targets:
        for seed in range(1, asked.seeds + 1):
            for strategy in asked.strategies:
                for number, setting in enumerate(settings_of(strategy, installed)):
                    place = Path(KEPT, target.name, f"{strategy}-{number}", f"seed_{seed:02d}")
                    keep = record.directory / place if asked.keep else None
                    task = Task(target, strategy, setting.name, setting.plugin, seed, asked.most, keep)
                    plan.append((task, setting))
    return plan


def _write(directory: Path, comparison: Comparison) -> None:
    """The table, the figures and a picture of each target."""
    write_text(directory / "comparison.md", comparison_text(comparison))
    write_json(directory / "comparison.json", comparison.to_json())
    for target in comparison.targets:
        efforts = {each.name: each.efforts for each in target.strategies if each.efforts}
        if efforts:
            draw_survival(target.name, efforts, comparison.most, directory / f"{target.name}.svg")
