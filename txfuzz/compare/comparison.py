"""The result of a comparison: per target, what each strategy took and how it differs from the control."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from txfuzz.campaign.setup.plugin_failures import PluginFailure, always_failed
from txfuzz.common.sentences import counted
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.statistics import effect_size, mann_whitney, median


@dataclass(frozen=True)
class ComparedStrategy:
    """One strategy on one target.

    efforts: transactions until the first finding, one per seed in their order; None where there was none.
    setting: the best of several; `settings` is how many there were. p, a12: two-sided Mann–Whitney and Â12
    against the control (`txfuzz.compare.statistics`); None for the control itself.
    """

    name: str
    efforts: tuple[int | None, ...]
    setting: str = ""
    settings: int = 1
    p: float | None = None
    a12: float | None = None

    @property
    def median(self) -> float | None:
        """None if it is beyond the limit."""
        return median(self.efforts)

    @property
    def found(self) -> int:
        """The number of seeds with a finding."""
        return sum(each is not None for each in self.efforts)


@dataclass(frozen=True)
class ComparedTarget:
    name: str
    strategies: tuple[ComparedStrategy, ...]


@dataclass(frozen=True)
class FailedPlugin:
    """One way in which a plugin failed in the runs of a strategy.

    strategy: as it is compared. runs: in which it failed so, of so many. calls: the sum over these.
    searches: whether it is that strategy itself, and did nothing but fail in all of its runs.
    """

    strategy: str
    sentence: str
    runs: int
    of: int
    failed: int
    calls: int
    searches: bool = False

    @property
    def told(self) -> str:
        """As a sentence without a full stop."""
        return (
            f"{self.strategy}: in {self.runs:,} of {counted(self.of, 'run')}, {self.failed:,} of "
            f"{counted(self.calls, 'call')}, {self.sentence}"
        )


@dataclass(frozen=True)
class Comparison:
    """most: attempted transactions after which a run is given up. against: the control. interrupted: runs are
    missing. failures: of plugins; figures of a strategy that did nothing but fail are not its own."""

    targets: tuple[ComparedTarget, ...]
    most: int
    against: str
    interrupted: bool = False
    failures: tuple[FailedPlugin, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "targets": [
                {
                    "name": target.name,
                    "strategies": {
                        each.name: {
                            "median": each.median,
                            "found": each.found,
                            "of": len(each.efforts),
                            "p": each.p,
                            "a12": each.a12,
                        }
                        for each in target.strategies
                    },
                }
                for target in self.targets
            ],
            "failures": [asdict(each) for each in self.failures],
        }


def comparison_of(
    tasks: Sequence[Task], efforts: Mapping[tuple[str, str, str, int], Effort], against: str, *, most: int
) -> Comparison:
    """The comparison of these runs. efforts: by the task's key; those of runs that are missing are left out.

    against: the strategy that others are compared with, or the first one if that was not run.
    """
    runs: dict[str, dict[str, dict[str, list[int | None]]]] = {}
    for task in tasks:
        settings = runs.setdefault(task.target.name, {}).setdefault(task.strategy, {})
        of_setting = settings.setdefault(task.setting, [])
        if task.key in efforts:
            of_setting.append(efforts[task.key].transactions)
    targets = []
    for name, strategies in runs.items():
        best = {each: _best(each, settings) for each, settings in strategies.items()}
        control = best.get(against) or next(iter(best.values()))
        targets.append(ComparedTarget(name, tuple(_against(each, control) for each in best.values())))
    missing = any(task.key not in efforts for task in tasks)
    return Comparison(tuple(targets), most, against, missing, _failures(tasks, efforts))


def _failures(
    tasks: Sequence[Task], efforts: Mapping[tuple[str, str, str, int], Effort]
) -> tuple[FailedPlugin, ...]:
    """Each sentence once for each strategy, over all targets, settings and seeds."""
    runs: dict[str, list[tuple[Task, Effort]]] = {}
    for task in tasks:
        if task.key in efforts:
            runs.setdefault(task.strategy, []).append((task, efforts[task.key]))
    found: list[FailedPlugin] = []
    for strategy, done in runs.items():
        useless = all(
            task.plugin is not None and always_failed(effort.failures, "strategy", task.plugin.name)
            for task, effort in done
        )
        told: dict[str, list[PluginFailure]] = {}
        for _, effort in done:
            for each in effort.failures:
                told.setdefault(each.sentence, []).append(each)
        found += (
            FailedPlugin(
                strategy, sentence, len(its), len(done), sum(each.failed for each in its),
                sum(each.asked for each in its), useless and its[0].kind == "strategy",
            )
            for sentence, its in told.items()
        )  # fmt: skip
    return tuple(found)


def _best(strategy: str, settings: Mapping[str, Sequence[int | None]]) -> ComparedStrategy:
    """With the setting of the lowest median; of equals the one that found most often, then soonest."""

    def rank(setting: str) -> tuple[float, int, float]:
        efforts = settings[setting]
        found = [each for each in efforts if each is not None]
        middle = median(efforts)
        return (math.inf if middle is None else middle, -len(found), sum(found) / max(len(found), 1))

    complete = max(map(len, settings.values()))
    best = min((each for each in settings if len(settings[each]) == complete), key=rank)
    return ComparedStrategy(strategy, tuple(settings[best]), best, len(settings))


def _against(each: ComparedStrategy, control: ComparedStrategy) -> ComparedStrategy:
    if each is control or not each.efforts or not control.efforts:
        return each
    return ComparedStrategy(
        each.name,
        each.efforts,
        each.setting,
        each.settings,
        round(mann_whitney(each.efforts, control.efforts), 6),
        round(effect_size(each.efforts, control.efforts), 4),
    )
