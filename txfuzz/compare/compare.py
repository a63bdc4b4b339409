"""`txfuzz compare`: runs every strategy on every target from the same seeds, and compares what they took."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.campaign.directory.run_directory import RUNS as RUN_DIRECTORIES
from txfuzz.campaign.directory.run_directory import RunDirectory, new_path, write_json, write_text
from txfuzz.campaign.setup.resolve import resolved_url
from txfuzz.campaign.workers.carried import carried
from txfuzz.campaign.workers.engines import ONE, Workers
from txfuzz.campaign.workers.independent import Independent, Part
from txfuzz.compare.bench import Bench
from txfuzz.compare.comparison import Comparison, comparison_of
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.job import CompareJob, Run
from txfuzz.compare.record import KEPT, ComparisonRecord, ComparisonSettings
from txfuzz.compare.strategies import settings_of
from txfuzz.compare.targets import Target, targets_named
from txfuzz.compare.text import comparison_text
from txfuzz.errors import UsageError
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
    workers: Workers = ONE,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_lost: Callable[[str], None] = lambda sentence: None,
) -> tuple[Comparison, Path]:
    """The comparison, and the directory with its runs, table and pictures.

    settings: None to go on with the comparison in `resume`, with more seeds if `seeds` says so. output: None
    for a new directory under `runs/`. interrupted: set it to end early; runs that are done count.
    workers: that run them, each with a server of its own; on_lost: is told of those that did not end well or
    are no use, in a sentence.
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
        if workers.dask is not None and record.settings.keep:
            raise UsageError("--keep leaves campaigns where they are run: leave it out with --dask")
        missing = [(task, setting) for task, setting in plan if task.key not in record.efforts]
        tasks = [task for task, _ in plan]
        done = len(plan) - len(missing)

        def take_in(task: Task, effort: Effort) -> None:
            nonlocal done
            done += 1
            record.add(task, effort)
            on_progress(Progress(task, effort, done, len(plan)))

        if workers.several:
            _run_by(workers, missing, record, bench, plugin_files, take_in, on_lost)
        else:
            _run_here(missing, bench, take_in)
    comparison = comparison_of(tasks, record.efforts, record.settings.against, most=record.settings.most)
    _write(record.directory, comparison)
    return comparison, record.directory


def _run_here(runs: Sequence[Run], bench: Bench, take_in: Callable[[Task, Effort], None]) -> None:
    for task, setting in runs:
        effort = setting.run(task, bench)
        if effort is None:
            break
        take_in(task, effort)
        if bench.interrupted.is_set():
            break


def _run_by(
    workers: Workers,
    runs: Sequence[Run],
    record: ComparisonRecord,
    bench: Bench,
    plugin_files: Sequence[Path],
    take_in: Callable[[Task, Effort], None],
    on_lost: Callable[[str], None],
) -> None:
    def ended(part: Part[Run], efforts: tuple[Effort, ...]) -> None:
        for effort in efforts:  # none where it was interrupted
            take_in(part.what[0], effort)

    files = carried([target.path for target in record.targets])
    targets = {target.name: file for target, file in zip(record.targets, files, strict=True)}
    slices = Independent(runs, on_ended=ended, on_lost=on_lost, interrupted=bench.interrupted.is_set)
    job = CompareJob(targets, resolved_url(bench.url), carried(plugin_files))
    workers.engine(on_lost).run(job, slices)


def _check(bench: Bench, settings: ComparisonSettings, targets: Sequence[Target]) -> None:
    """Whatever can be refused is refused before the first run."""
    installed = [entry.name for entry in bench.registry.all("strategy")]
    for strategy in settings.strategies:
        settings_of(strategy, installed)
    for target in targets:
        bench.assembled(Task(target, "", "", None, 1, 1))


def _plan(record: ComparisonRecord, bench: Bench) -> list[Run]:
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
