"""The status screen of a campaign in a terminal; everything else is printed as on the plain screen."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from txfuzz.campaign.events import (
    CampaignEnded,
    CampaignFailed,
    CampaignStarted,
    Event,
    IterationEnded,
    IterationStarted,
    RunProgress,
    SmallScopeEnded,
    SmallScopeStarted,
    StageStarted,
    WorkersProgress,
)
from txfuzz.campaign.loop import run_campaign
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.workers.engines import ONE, Workers
from txfuzz.cli.interruption import interruptible
from txfuzz.cli.plain_screen import PlainScreen
from txfuzz.common.sanitize import printable
from txfuzz.common.sentences import counted
from txfuzz.execution.summary import Tally
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import SMALL_SCOPE, Iteration
from txfuzz.report.text.status import Status, status_panel
from txfuzz.workload.model import Workload

if TYPE_CHECKING:
    from rich.console import RenderableType

_REDRAWS = 4  # per second


def run_on_screen(
    settings: CampaignSettings, workers: Workers = ONE, *, plain: bool, verbose: bool, quiet: bool
) -> CampaignResult:
    """Run the campaign with a status screen in a terminal, otherwise or with `plain` with plain lines.

    quiet: print only the result. The first signal ends the campaign in an orderly way.
    """
    with interruptible() as interrupted:
        if plain or quiet or not sys.stderr.isatty():
            screen = PlainScreen(verbose=verbose, quiet=quiet)
        else:
            screen = LiveScreen(settings.most_iterations, verbose=verbose)
        try:
            return run_campaign(
                settings,
                interrupted=interrupted,
                subscriber=screen,
                workers=workers.number,
                dask=workers.dask,
            )
        finally:
            screen.close()


class LiveScreen(PlainScreen):
    """A subscriber that keeps one panel up to date on stderr."""

    def __init__(self, iterations: int, *, verbose: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(verbose=verbose)
        # Not the sanitizing stream: the panel moves the cursor. Texts are sanitized one by one
        self._console = Console(file=getattr(sys.stderr, "stream", sys.stderr))
        self._status = Status("", iterations=iterations)
        self._start = time.monotonic()
        self._before: Counter[str] = Counter()  # outcomes of the iterations that have ended
        self._aborts: Counter[str] = Counter()
        self._asked = 0
        self._running_since = 0.0
        self._durations: list[float] = []
        self._workers = 0  # several, once they run iterations
        self._iteration_start = self._start
        self._panel = Live(
            console=self._console, refresh_per_second=_REDRAWS, transient=True, get_renderable=self._render
        )

    def __call__(self, event: Event) -> None:
        if isinstance(event, CampaignEnded | CampaignFailed):
            self.close()
        super().__call__(event)
        match event:
            case CampaignStarted(campaign, workload):
                from txfuzz.analysis.checker.consistency import model_text

                model = model_text(workload.expect or campaign.promised)
                server, isolation = campaign.facts.server, workload.database.isolation
                title = f"{workload.name} · {server} · {isolation} against {model}"
                self._status = replace(self._status, title=title)
                self._panel.start()
            case SmallScopeStarted(workload):
                self._begin(SMALL_SCOPE, workload)
            case SmallScopeEnded(iteration):
                self._add(iteration)
            case IterationStarted(number, workload):
                self._begin(number, workload)
            case StageStarted(stage):
                if stage == "run":
                    self._running_since = time.monotonic()
                self._status = replace(self._status, stage=stage)
            case RunProgress(asked, tally):
                self._count(asked, tally)
            case WorkersProgress():
                self._side_by_side(event)
            case IterationEnded(iteration):
                self._add(iteration)

    def close(self) -> None:
        """Give the terminal back, even when the campaign fails."""
        self._panel.stop()

    def _side_by_side(self, progress: WorkersProgress) -> None:
        """What several workers do together."""
        if not self._workers:
            self._iteration_start = self._running_since = time.monotonic()
        self._workers = progress.workers
        tally = Tally()
        tally.outcomes.update(progress.outcomes)
        tally.aborts.update(progress.aborts)
        self._count(progress.asked, tally)
        under_way = counted(len(progress.iterations), "iteration")
        stage = f"{under_way} under way, by {counted(self._workers, 'worker')}"
        first = min(progress.iterations, default=self._status.iteration)
        since = max(time.monotonic() - self._running_since, 1e-9)
        self._status = replace(
            self._status, iteration=first, stage=stage, rate=self._status.committed / since
        )

    def _begin(self, number: int, workload: Workload) -> None:
        if not self._workers:
            self._iteration_start = time.monotonic()
        self._status = replace(
            self._status,
            iteration=None if number == SMALL_SCOPE else number,
            clients=workload.scheduling.clients,
            keys=workload.logical_keys(),
            mix={weight.txn: weight.weight for weight in workload.mix},
        )

    def _count(self, asked: int, tally: Tally) -> None:
        seconds = max(time.monotonic() - self._running_since, 1e-9)
        done = self._before + tally.outcomes
        self._status = replace(
            self._status,
            asked=self._asked + asked,
            committed=done["ok"],
            unknown=done["info"],
            aborts=dict((self._aborts + tally.aborts).most_common()),
            rate=tally.outcomes["ok"] / seconds,
        )

    def _add(self, iteration: Iteration) -> None:
        result, execution = iteration.result, iteration.execution
        if execution is not None:
            self._before.update(ok=execution.ok, fail=execution.fail, info=execution.info)
            self._aborts.update(execution.aborts)
            self._asked += execution.asked
        now = time.monotonic()
        if iteration.number != SMALL_SCOPE:
            self._durations.append(now - self._iteration_start)
        self._iteration_start = now
        found = dict.fromkeys(iteration.deciding_result.anomaly_types, iteration.name)
        last = self._status.last
        for each in iteration.decisions[:1]:
            last = f"{each.heuristic}: {each.target}, because {each.reason}"
        self._status = replace(
            self._status, found={**found, **self._status.found}, last=last, learnt=iteration.learnt
        )
        if iteration.number != SMALL_SCOPE:  # whose schedules say nothing about a crowd
            self._status = replace(
                self._status,
                edges=result.edges_per_txn,
                concurrent=result.concurrent_edges_per_txn,
                near=(*self._status.near, result.near_cycles_counted),
            )

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._console.print(printable(line), markup=False, highlight=False)

    def _render(self) -> RenderableType:
        elapsed = time.monotonic() - self._start
        left = None
        if self._durations:
            ahead = self._status.iterations - len(self._durations)
            since = time.monotonic() - self._iteration_start
            left = max(0.0, ahead * sum(self._durations) / len(self._durations) - since)
        return status_panel(replace(self._status, elapsed=elapsed, left=left))
