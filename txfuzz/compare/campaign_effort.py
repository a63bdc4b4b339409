"""How many transactions a campaign attempts until its first finding."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from txfuzz.analysis.contract import Analyzer
from txfuzz.analysis.elle import ElleAnalyzer
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.directory.run_directory import RunDirectory, iteration_path
from txfuzz.campaign.events import (
    CampaignStarted,
    Event,
    IterationEnded,
    IterationStarted,
    RunProgress,
    SmallScopeEnded,
    SmallScopeStarted,
)
from txfuzz.campaign.loop import run_prepared
from txfuzz.campaign.setup.campaign_setup import CampaignSetup, HistoryMaker
from txfuzz.campaign.setup.plugin_failures import plugin_failures
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.clients import ClientSource
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.common.scratch import scratch_directory
from txfuzz.compare.effort import Effort, Task
from txfuzz.compare.first_finding import FirstFinding, first_finding
from txfuzz.report.iteration import SMALL_SCOPE, Iteration
from txfuzz.workload.campaign import SmallScope

if TYPE_CHECKING:
    from txfuzz.compare.bench import Bench

ENDLESS = 1 << 40  # iterations: the limit is in transactions
_MOST_SCHEDULES = 2_000  # of a search; each takes milliseconds to plan
_LONGEST_SEARCH = 600.0  # seconds
_FIRST_LOOK = 250  # transactions of a run after which its history is looked at for the first time


def campaign_effort(task: Task, bench: Bench) -> Effort | None:
    """Run the task's campaign until its first finding or the task's limit; None if it was interrupted.

    Raises a TxfuzzError if the campaign cannot run.
    """
    return _effort(task, bench, CampaignSettings(iterations=ENDLESS))


def alone_effort(task: Task, bench: Bench) -> Effort | None:
    """The same without the search at small scope, so that the strategy has to find it."""
    return _effort(task, bench, CampaignSettings(iterations=ENDLESS, small_scope=SmallScope(schedules=0)))


def small_scope_effort(task: Task, bench: Bench) -> Effort | None:
    """The same of the search at small scope alone, which ends when it has no more schedules."""
    bounds = SmallScope(min(task.most // 2, _MOST_SCHEDULES), seconds=_LONGEST_SEARCH)
    return _effort(task, bench, CampaignSettings(iterations=0, small_scope=bounds))


def _effort(task: Task, bench: Bench, settings: CampaignSettings) -> Effort | None:
    assembled = bench.assembled(task)
    started = time.monotonic()
    stop = threading.Event()
    with bench.database(assembled) as database, _directory(task.keep) as path:
        settings = replace(
            settings,
            workload=task.target.path,
            output=path,
            seed=task.seed,
            stop_on_finding=True,
            lean=True,
        )
        source = ClientSource(database, assembled.isolation, assembled.faults)
        with RunDirectory.create(path, task.target.name)[0] as directory:
            watch = FindingWatch(
                path,
                assembled.analyzers,
                stop,
                most=task.most,
                interrupted=bench.interrupted,
                keeps_all=task.keep is not None,
            )
            maker = HistoryMaker(source, database, found=dict(database.describe()))
            setup = CampaignSetup(
                settings, bench.registry, task.target.path, assembled, maker, directory, Deadline(stop)
            )

            def see(event: Event) -> None:
                if not bench.goes_on():
                    bench.interrupted.set()
                watch(event)

            run_prepared(setup, see)
    if watch.found is None and bench.interrupted.is_set():
        return None
    seconds, failures = round(time.monotonic() - started, 3), plugin_failures(assembled)
    return replace(watch.effort(), seconds=seconds, failures=failures)


class FindingWatch:
    """A subscriber that looks for a campaign's first finding while it runs, and ends it with `stop` once it
    is there, or once `most` transactions were attempted.

    directory: of the campaign. interrupted: ends it as well. keeps_all: leave the artefacts of iterations in
    which nothing was found.
    """

    def __init__(
        self,
        directory: Path,
        analyzers: Sequence[Analyzer],
        stop: threading.Event,
        *,
        most: int,
        interrupted: threading.Event,
        keeps_all: bool = True,
    ) -> None:
        self.found: FirstFinding | None = None
        self._directory, self._stop, self._most = directory, stop, most
        self._analyzers = without_near_cycles(analyzers)
        self._interrupted, self._keeps_all = interrupted, keeps_all
        self._expect = "serializable"
        self._earlier = self._iterations = 0  # transactions and iterations before the current one
        self._number, self._look = 0, _FIRST_LOOK
        self._seen: FirstFinding | None = None  # in the current iteration, while it runs

    def __call__(self, event: Event) -> None:
        match event:
            case CampaignStarted(campaign):
                self._expect = campaign.expect or campaign.promised
            case SmallScopeStarted():
                self._number, self._look = SMALL_SCOPE, _FIRST_LOOK
            case IterationStarted(number):
                self._number, self._look = number, _FIRST_LOOK
            case RunProgress(asked):
                self._look_at(asked)
            case SmallScopeEnded(iteration) | IterationEnded(iteration):
                self._add(iteration)

    def effort(self) -> Effort:
        """What it took. A finding beyond the limit is none."""
        if self.found is None or self.found.attempted > self._most:
            return Effort(None, min(self._earlier, self._most), iterations=self._iterations)
        return Effort(self.found.attempted, self._earlier, self.found.anomalies, self._iterations)

    def _look_at(self, asked: int) -> None:
        """asked: transactions of the run so far. Each look is twice as late, so that looking stays cheap."""
        if self._interrupted.is_set() or self._earlier + asked >= self._most:
            self._stop.set()
        elif asked >= self._look and not self._stop.is_set():
            self._look = 2 * asked
            self._seen = self._finding()
            if self._seen is not None:
                self._stop.set()

    def _add(self, iteration: Iteration) -> None:
        self._iterations += 1
        asked = iteration.execution.asked if iteration.execution else iteration.result.transactions
        if self.found is None and (self._seen is not None or iteration.verdict is Verdict.INVALID):
            whole = FirstFinding(asked, iteration.deciding_result.anomaly_types)
            here = self._seen or self._finding() or whole  # what no beginning shows, the whole history does
            self.found = replace(here, attempted=self._earlier + here.attempted)
        self._earlier += asked
        if self._earlier >= self._most or self.found is not None or self._interrupted.is_set():
            self._stop.set()
        if not self._keeps_all and self.found is None:
            shutil.rmtree(iteration_path(self._directory, self._number), ignore_errors=True)

    def _finding(self) -> FirstFinding | None:
        history = iteration_path(self._directory, self._number) / "history.edn"
        return first_finding(history.read_bytes(), self._expect, self._analyzers)


def without_near_cycles(analyzers: Sequence[Analyzer]) -> tuple[Analyzer, ...]:
    """The same verdicts, sooner."""
    return tuple(
        replace(each, max_near_cycles=0) if isinstance(each, ElleAnalyzer) else each for each in analyzers
    )


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with scratch_directory("compare") as temporary:
        yield temporary / "run"
