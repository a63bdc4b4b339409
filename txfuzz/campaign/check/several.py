"""The sets of transactions of a check as slices of work, for several workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from txfuzz.campaign.check.sets import CheckProgress, Progress, SetChecker, SetQuestion
from txfuzz.campaign.check.subject import Subject, open_scenario
from txfuzz.campaign.check.trial import Trial
from txfuzz.campaign.workers.carried import CarriedFile, placed
from txfuzz.campaign.workers.engines import Workers
from txfuzz.campaign.workers.independent import Independent, Part
from txfuzz.check.finding.result import SetResult
from txfuzz.check.program import Program, programs
from txfuzz.check.run import ProgramRunner
from txfuzz.database.isolation_levels import capabilities_of
from txfuzz.errors import DatabaseUnavailable
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.scenario import Scenario


@dataclass(frozen=True)
class CheckedSet:
    """A slice. number: of the set. seconds: for its schedules."""

    number: int
    seconds: float


@dataclass(frozen=True)
class SetNews:
    """What a set has come to so far. result: None until it is done. left_out: see ProgramRunner."""

    progress: CheckProgress | None = None
    result: SetResult | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckJob:
    """A Job of CheckedSet → SetNews (see workers.contract). path: of the scenario, for messages. The rest:
    see check_file()."""

    scenario: Scenario
    path: Path
    question: SetQuestion
    named: tuple[str, ...]
    expect: str
    seed: int
    url: str | None = field(default=None, repr=False)
    plugin_files: tuple[CarriedFile, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[CheckWorker]:
        with placed(self.plugin_files) as plugins:
            registry = load_plugins(files=plugins)
            with open_scenario(self.scenario, self.path, registry, self.url) as subject:
                trial = Trial(
                    subject,
                    capabilities_of(subject.adapter),
                    self.expect,
                    self.question.limits.schedule_seconds,
                )
                with trial.runner(subject.tables) as runner:
                    most = self.question.limits.combinations
                    sets = list(programs(subject.transactions, self.named, Random(self.seed), most))
                    yield CheckWorker(self, subject, trial, runner, sets)


@dataclass(frozen=True)
class CheckWorker:
    """A Worker. sets: all of them."""

    job: CheckJob
    subject: Subject
    trial: Trial
    runner: ProgramRunner
    sets: Sequence[tuple[str, Sequence[Program]]]

    def run(self, asked: Part[CheckedSet], tell: Callable[[SetNews], bool]) -> None:
        name, chosen = self.sets[asked.what.number]
        news, going = SetNews(), True

        def progress(so_far: CheckProgress) -> None:
            nonlocal news, going
            news = SetNews(so_far)
            going = tell(news)

        question = self.job.question
        checker = SetChecker(self.trial, self.runner, question, lambda: not (going and tell(news)), progress)
        results = checker.check([(name, chosen)], asked.what.seconds)
        if checker.lost:
            raise DatabaseUnavailable(checker.lost)
        tell(SetNews(news.progress, results[0] if results else None, self.runner.left_out))


class SetsByWorkers:
    """Does what SetChecker does, with several workers. lost, schedules: see there. left_out: of all."""

    def __init__(
        self,
        workers: Workers,
        interrupted: threading.Event,
        on_progress: Progress,
        on_lost: Callable[[str], None],
    ) -> None:
        self._workers, self._interrupted = workers, interrupted
        self._on_progress, self._on_lost = on_progress, on_lost
        self._told: dict[int, SetNews] = {}
        self.lost = ""
        self.left_out: tuple[str, ...] = ()

    @property
    def schedules(self) -> int:
        return sum(each.progress.schedules for each in self._told.values() if each.progress is not None)

    def check(self, job: CheckJob, sets: int) -> list[SetResult]:
        """sets: so many, which share the time for all schedules evenly; each worker has all of it."""
        engine = self._workers.engine(self._on_lost)
        seconds = job.question.limits.seconds * min(engine.size, sets) / max(sets, 1)
        slices = Independent(
            [CheckedSet(number, seconds) for number in range(sets)],
            on_ended=self._take_in,
            on_told=self._take_in,
            on_lost=self._on_lost,
            interrupted=self._interrupted.is_set,
        )
        try:
            engine.run(job, slices)
        except DatabaseUnavailable as error:
            if not any(each.result for each in self._told.values()):
                raise
            self.lost = str(error)
        done = [self._told[number] for number in sorted(self._told)]
        self.left_out = tuple(dict.fromkeys(name for each in done for name in each.left_out))
        return [each.result for each in done if each.result is not None]

    def _take_in(self, part: Part[CheckedSet], news: SetNews) -> None:
        self._told[part.number] = news
        if news.progress is not None:
            name, level = news.progress.transactions, news.progress.isolation
            self._on_progress(CheckProgress(name, level, self.schedules, news.progress.failing))
