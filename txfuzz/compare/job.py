"""The runs of a comparison as slices of work, which know nothing of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from txfuzz.campaign.setup.plugin_failures import PluginFailure
from txfuzz.campaign.setup.plugin_sandbox import RAISES_THE_LIMIT
from txfuzz.campaign.workers.carried import CarriedFile, placed
from txfuzz.campaign.workers.independent import Part
from txfuzz.compare.bench import Bench
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.strategies import Setting
from txfuzz.compare.targets import Target

Run = tuple[Task, Setting]


@dataclass(frozen=True)
class CompareJob:
    """A Job of runs → their effort (see workers.contract), in a tuple that is empty until it is known.

    url: of a server; None: an embedded one for each worker.
    """

    targets: Mapping[str, CarriedFile]
    url: str | None = field(default=None, repr=False)
    plugin_files: tuple[CarriedFile, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[CompareWorker]:
        names = list(self.targets)
        with placed(self.plugin_files) as plugins, placed([self.targets[name] for name in names]) as paths:
            stop = threading.Event()
            with Bench(self.url, plugins, stop) as bench:
                origins = {
                    str(here): str(there.path) for here, there in zip(plugins, self.plugin_files, strict=True)
                }
                yield CompareWorker(bench, dict(zip(names, paths, strict=True)), origins)


@dataclass(frozen=True)
class CompareWorker:
    """A Worker. origins: where plugin files are here → where they came from, which is what is told."""

    bench: Bench
    paths: Mapping[str, Path]
    origins: Mapping[str, str] = field(default_factory=dict)

    def run(self, asked: Part[Run], tell: Callable[[tuple[Effort, ...]], bool]) -> None:
        task, setting = asked.what
        path = self.paths[task.target.name]
        self.bench.goes_on = lambda: tell(())
        effort = setting.run(replace(task, target=Target(task.target.name, path)), self.bench)
        if effort is not None:
            tell((replace(effort, failures=tuple(map(self._as_told_here, effort.failures))),))

    def _as_told_here(self, failure: PluginFailure) -> PluginFailure:
        sentence = failure.sentence.replace(RAISES_THE_LIMIT, "")  # comparisons have no such option
        for here, there in self.origins.items():
            sentence = sentence.replace(here, there)
        return replace(failure, sentence=sentence)
