"""The directory of a comparison: its settings, its targets, and a line for each run that is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from txfuzz.campaign.directory.run_directory import write_json, writing
from txfuzz.campaign.directory.run_records import COMPARISON, RunKind
from txfuzz.campaign.directory.runs import resumed_otherwise
from txfuzz.campaign.directory.values import read_back
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.record_lines import records_in
from txfuzz.compare.strategies import CONTROL
from txfuzz.compare.targets import Target
from txfuzz.errors import UsageError

SETTINGS, RUNS, TARGETS, KEPT = COMPARISON, "runs.jsonl", "targets", "campaigns"
Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class ComparisonSettings:
    """What is compared. targets: their names. seeds: 1 up to this. most: attempted transactions after which a
    run is given up. against: the control. keep: whether the campaigns stay in the directory."""

    targets: tuple[str, ...]
    strategies: tuple[str, ...]
    seeds: int
    most: int
    against: str = CONTROL
    keep: bool = False


@dataclass(frozen=True)
class RecordedRun:
    """One line of runs.jsonl: a task's key and its effort."""

    target: str
    strategy: str
    setting: str
    seed: int
    effort: Effort


class ComparisonRecord:
    """Adds each run as soon as it is done, so that being killed loses only the one under way."""

    def __init__(self, directory: Path, settings: ComparisonSettings, efforts: dict[Key, Effort]) -> None:
        self.directory = directory
        self.settings = settings
        self.efforts = efforts

    @classmethod
    def begin(
        cls, directory: Path, settings: ComparisonSettings, targets: Sequence[Target]
    ) -> ComparisonRecord:
        """A new one, with copies of the targets. UsageError if there is one already."""
        if (directory / SETTINGS).exists():
            raise UsageError(f"{directory} holds a comparison already: continue it with --resume {directory}")
        place = directory / TARGETS
        with writing(place):
            place.mkdir(parents=True, exist_ok=True)
            for target in targets:
                shutil.copyfile(target.path, place / f"{target.name}.yaml")
        write_json(directory / SETTINGS, asdict(settings))
        return cls(directory, settings, {})

    @classmethod
    def resume(cls, directory: Path, *, seeds: int | None = None) -> ComparisonRecord:
        """The one in this directory. seeds: more than it had. UsageError if there is none."""
        try:
            settings = read_back(directory / SETTINGS, ComparisonSettings)
        except FileNotFoundError:
            why = (
                resumed_otherwise(directory, RunKind.COMPARISON)
                or f"{directory}: no comparison to resume (no {SETTINGS})"
            )
            raise UsageError(why) from None
        if seeds is not None and seeds != settings.seeds:
            if seeds < settings.seeds:
                raise UsageError(
                    f"{directory}: the comparison has {settings.seeds} seeds; --seeds {seeds} would leave "
                    "some out"
                )
            settings = replace(settings, seeds=seeds)
            write_json(directory / SETTINGS, asdict(settings))
        return cls(directory, settings, _efforts(directory / RUNS))

    @property
    def targets(self) -> tuple[Target, ...]:
        """The copies, so that a comparison goes on with what it began with."""
        place = self.directory / TARGETS
        return tuple(Target(name, place / f"{name}.yaml") for name in self.settings.targets)

    def add(self, task: Task, effort: Effort) -> None:
        self.efforts[task.key] = effort
        run = RecordedRun(*task.key, effort)
        path = self.directory / RUNS
        with writing(path), open(path, "a", encoding="utf-8") as file:
            file.write(f"{json.dumps(asdict(run))}\n")


def _efforts(path: Path) -> dict[Key, Effort]:
    """The runs that are done."""
    runs = records_in(path, RecordedRun, "a run")
    return {(run.target, run.strategy, run.setting, run.seed): run.effort for run in runs}
