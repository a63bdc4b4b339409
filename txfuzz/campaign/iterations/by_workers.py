"""The iterations of a campaign as slices of work, for several workers, and their coordinator.

Workers run iterations; the coordinator alone has the run directory, the strategy and its corpus. It takes in
what iterations came to in the order of their numbers, and gives out an iteration once that from which it
follows has been taken in (Succession): so nothing that is decided depends on which worker is faster, and
nothing piles up.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import replace

from txfuzz.campaign.directory.run_directory import (
    IterationDirectory,
    iteration_path,
    write_bytes,
    write_json,
)
from txfuzz.campaign.events import HistoryAnalysed, IterationStarted, Preparing, Warned, WorkersProgress
from txfuzz.campaign.iterations.job import AskedIteration, IterationNews, RunJob
from txfuzz.campaign.iterations.record import keep_iteration
from txfuzz.campaign.iterations.running import RunningCampaign
from txfuzz.campaign.iterations.steps import keep_workload, kept_workload, saying_how_to_go_on
from txfuzz.campaign.setup.campaign_setup import database_url_of
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.workers.carried import carried
from txfuzz.campaign.workers.contract import Engine
from txfuzz.campaign.workers.independent import Independent, Part
from txfuzz.common.sentences import counted, listed
from txfuzz.errors import UsageError
from txfuzz.workload.model import Workload


def check_workers(settings: CampaignSettings) -> None:
    """UsageError for a campaign that several workers cannot run. settings: with the workload's defaults."""
    if settings.runner_cmd is not None:
        why = "histories that an external command makes are made one after another"
    elif settings.skip_run:
        why = "--skip-run runs nothing, and one process analyses what is there"
    elif settings.history is not None:
        why = "a campaign that begins with a given history has one worker"
    else:
        return
    raise UsageError(f"{why}: leave out --workers and --dask")


def run_by_workers(campaign: RunningCampaign, first: int, engine: Engine, *, keeps_all: bool = True) -> None:
    """Run the iterations from this one on. Raises as Engine.run() does; what was complete by then is kept.

    keeps_all: whether histories without a finding are kept, too.
    """
    setup = campaign.setup
    [workload] = carried([setup.workload_file])
    settings = setup.settings
    job = RunJob(settings, workload, database_url_of(setup), carried(settings.plugin_files), keeps_all)
    slices = IterationSlices(campaign, first, campaign.workers)
    campaign.publish(Preparing(f"starting {counted(campaign.workers, 'worker')}"))
    try:
        with saying_how_to_go_on(setup, None):
            engine.run(job, slices)
    finally:
        slices.close()
    if len(campaign.iterations) < settings.most_iterations:
        campaign.is_over(len(campaign.iterations))  # notes why, if the time was up


class IterationSlices(Independent[AskedIteration, IterationNews]):
    """Slices (see workers.contract) from the iteration `first` on. workers: most that run at a time."""

    def __init__(self, campaign: RunningCampaign, first: int, workers: int) -> None:
        setup = campaign.setup
        super().__init__(
            (),
            on_ended=self._on_ended,
            on_told=self._on_told,
            on_lost=lambda sentence: campaign.publish(Warned(sentence)),
            interrupted=setup.deadline.interrupted.is_set,
        )
        self._campaign, self._next, self._workers = campaign, first, workers
        self._workloads: dict[int, Workload] = {}  # of those that are under way
        self._news: dict[int, IterationNews] = {}
        self._complete: dict[int, IterationNews] = {}  # that wait for those before them
        self._over = False

    # -- as Slices --------------------------------------------------------------------------------

    def take(self) -> Part[AskedIteration] | None:
        again = super().take()
        number, setup = self._next, self._campaign.setup
        if again is not None:
            return replace(again, what=replace(again.what, seconds=setup.deadline.left))
        if number >= min(setup.settings.most_iterations, self._taken_in + self._workers) or self._is_over():
            return None
        workload = self._campaign.succession.workload(number)
        place = iteration_path(setup.directory.path, number)
        workload = kept_workload(setup, IterationDirectory(place)) or workload
        self._workloads[number] = workload
        self._next += 1
        self._say_progress()
        asked = AskedIteration(workload, self._campaign.aim(number), place, setup.deadline.left)
        return Part(number, asked)

    def lost(self, asked: Part[AskedIteration], why: str) -> None:
        self._news.pop(asked.number, None)
        super().lost(asked, why)

    def enough(self) -> bool:
        """Time is no reason: what is under way ends by itself then, and counts."""
        return super().enough() or (self._over and not self._campaign.setup.deadline.is_set())

    # -- what comes back ----------------------------------------------------------------------------

    @property
    def _taken_in(self) -> int:
        return len(self._campaign.iterations)

    def _is_over(self) -> bool:
        setup = self._campaign.setup
        late = self._next > 0 and setup.deadline.is_set()
        if not self._over and self._taken_in < setup.settings.most_iterations:
            self._over = late or self._campaign.is_over(self._taken_in)
        return self._over

    def _on_told(self, part: Part[AskedIteration], news: IterationNews) -> None:
        self._news[part.number] = news
        self._say_progress()

    def _on_ended(self, part: Part[AskedIteration], news: IterationNews) -> None:
        ran = news.ran
        assert ran is not None
        cut = ran.execution is not None and ran.execution.interrupted
        if cut and not self._campaign.setup.deadline.interrupted.is_set():
            return  # the campaign was over before
        self._complete[part.number] = news
        while self._taken_in in self._complete:
            self._take_in(self._taken_in)
            self._is_over()

    def _take_in(self, number: int) -> None:
        campaign, news = self._campaign, self._complete.pop(number)
        ran, setup = news.ran, campaign.setup
        assert ran is not None
        self._news.pop(number, None)
        files = setup.directory.iteration(number)
        workload = keep_workload(setup, files, self._workloads.pop(number))
        for name in sorted(news.files, key=lambda name: name == files.history.name):
            write_bytes(files.path / name, zlib.decompress(news.files[name]))
        campaign.publish(IterationStarted(number, workload))
        if ran.doubt is not None:
            campaign.doubted(ran.doubt)
        campaign.publish(HistoryAnalysed(number, ran.result, ran.execution))
        campaign.judged(ran.result, workload)
        write_json(files.analysis, ran.result.to_json())
        if ran.replayed is not None:
            write_json(files.path / "replay_analysis.json", ran.replayed.to_json())
        if files.history.name not in news.files:
            keep_iteration(files, ran)
        campaign.complete(number, files, workload, ran)
        self._say_progress()

    def _say_progress(self) -> None:
        """Of all that are under way, together."""
        outcomes, aborts = Counter[str](), Counter[str]()
        for news in self._news.values():
            outcomes.update(news.outcomes)
            aborts.update(news.aborts)
        asked = sum(news.asked for news in self._news.values())
        running = tuple(sorted(self._workloads))
        self._campaign.publish(WorkersProgress(self._workers, running, asked, outcomes, aborts))

    def close(self) -> None:
        """Say what is not kept."""
        left = sorted(self._workloads)
        if not left:
            return
        were = "was" if len(left) == 1 else "were"
        what = f"{counted(len(left), 'iteration')} ({listed(map(str, left), 'and')})"
        self._campaign.publish(
            Warned(f"{what} {were} under way or came after one that was, and {were} not kept")
        )
