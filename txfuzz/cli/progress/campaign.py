"""The status screen of a campaign in a terminal. Elsewhere, and with --plain, there are plain lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from txfuzz.analysis.checker.steps import SHARES
from txfuzz.analysis.explain.headlines import headline
from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.events import (
    CampaignEnded,
    CampaignFailed,
    CampaignStarted,
    Event,
    HistoryAnalysed,
    IterationEnded,
    IterationStarted,
    Preparing,
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
from txfuzz.cli.progress.plain import PlainScreen
from txfuzz.cli.progress.screen import Screen
from txfuzz.common.progress import Estimate, watched_by
from txfuzz.execution.summary import Tally
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import SMALL_SCOPE, Iteration
from txfuzz.report.text.decisions import decision_sentence
from txfuzz.report.text.status import Frame, New, Progress, Status, status_frame
from txfuzz.workload.model import Workload


def run_on_screen(
    settings: CampaignSettings, screen: Screen, workers: Workers = ONE, *, verbose: bool, quiet: bool
) -> CampaignResult:
    """Run the campaign with this screen, if it stands, otherwise with plain lines.

    quiet: print only the result. The first signal ends the campaign in an orderly way.
    """
    with interruptible() as interrupted:
        shown = PlainScreen(verbose=verbose, quiet=quiet)
        if screen.standing:
            shown = LiveScreen(settings.most_iterations, screen, verbose=verbose)
        try:
            with watched_by(shown.analysing):
                return run_campaign(
                    settings,
                    interrupted=interrupted,
                    subscriber=shown,
                    workers=workers.number,
                    dask=workers.dask,
                )
        finally:
            screen.close()


class LiveScreen(PlainScreen):
    """A subscriber that keeps the screen up to date. Where that is given up, plain lines follow."""

    def __init__(self, iterations: int, screen: Screen, *, verbose: bool = False) -> None:
        super().__init__(verbose=verbose)
        self._screen = screen
        self._status = Status(iterations=iterations)
        self._before: Counter[str] = Counter()  # outcomes of the iterations that have ended
        self._aborts: Counter[str] = Counter()
        self._asked = 0
        self._alone = 0  # committed before several workers began
        self._stage_began = self._iteration_began = screen.seconds
        self._stages: dict[str, float] = {}  # how long each took the last time
        self._durations: list[float] = []
        self._found: dict[str, tuple[str, int]] = {}  # type → sentence, and in how many iterations
        self._estimate: Estimate | None = None
        screen.frame = self._frame

    def __call__(self, event: Event) -> None:
        self._screen.shrunk()
        if isinstance(event, CampaignEnded | CampaignFailed):
            self._screen.close()
        super().__call__(event)
        match event:
            case Preparing(doing):
                self._status = replace(self._status, doing=doing)
            case CampaignStarted(campaign, workload):
                self._start(campaign, workload)
            case SmallScopeStarted(workload):
                self._begin(SMALL_SCOPE, workload)
            case IterationStarted(number, workload):
                self._begin(number, workload)
            case StageStarted(stage):
                self._begin_stage(stage)
            case RunProgress(asked, tally):
                self._run(asked, tally)
            case WorkersProgress():
                self._side_by_side(event)
            case HistoryAnalysed(number, result):
                where = "small scope" if number == SMALL_SCOPE else f"iter_{number:02d}"
                self._find(result, where)
            case SmallScopeEnded(iteration) | IterationEnded(iteration):
                self._add(iteration)

    def analysing(self, step: str, share: float) -> None:
        """A step of an analysis has come this far."""
        now = self._screen.seconds
        if self._estimate is None:
            self._estimate = Estimate(SHARES, now)
        self._estimate = self._estimate.at(now, step, share)

    def _start(self, campaign: CampaignResult, workload: Workload) -> None:
        from txfuzz.analysis.checker.consistency import model_text

        model = model_text(workload.expect or campaign.promised)
        server, isolation = campaign.facts.server, campaign.levels or workload.database.isolation
        self._status = replace(
            self._status,
            title=f"{workload.name} · {server} · {isolation} against {model}",
            doing="",
            decided=decision_sentence(campaign.facts.opening),
        )

    def _begin(self, number: int, workload: Workload) -> None:
        if self._status.workers == 1:
            self._iteration_began = self._screen.seconds
        self._status = replace(
            self._status,
            iteration=None if number == SMALL_SCOPE else number,
            small_scope=number == SMALL_SCOPE,
            doing="",
            clients=workload.scheduling.clients,
            keys=workload.logical_keys(),
            mix={weight.txn: weight.weight for weight in workload.mix},
        )

    def _begin_stage(self, stage: str) -> None:
        self._stage_began = self._screen.seconds
        self._estimate = None
        self._status = replace(self._status, stage=stage, doing="", usual=self._stages.get(stage))

    def _run(self, asked: int, tally: Tally) -> None:
        seconds = self._screen.seconds
        rate = tally.outcomes["ok"] / max(seconds - self._stage_began, 1e-9)
        self._count(asked, tally.outcomes, tally.aborts)
        self._status = replace(self._status, doing="", rate=rate)
        if sum(tally.outcomes.values()) == 1:  # until then, connecting and creating tables took the time
            self._stage_began = seconds

    def _side_by_side(self, progress: WorkersProgress) -> None:
        """What several workers do together."""
        seconds = self._screen.seconds
        if self._status.workers == 1:  # they begin
            self._stage_began = self._iteration_began = seconds
            self._alone = self._before["ok"]
        self._count(progress.asked, progress.outcomes, progress.aborts)
        self._status = replace(
            self._status,
            iteration=min(progress.iterations, default=self._status.iteration),
            small_scope=False,
            stage="",
            workers=progress.workers,
            side_by_side=len(progress.iterations),
            rate=(self._status.committed - self._alone) / max(seconds - self._stage_began, 1e-9),
        )

    def _count(self, asked: int, outcomes: Mapping[str, int], aborts: Mapping[str, int]) -> None:
        """asked, outcomes, aborts: of what is under way."""
        done = self._before + Counter(outcomes)
        self._status = replace(
            self._status,
            asked=self._asked + asked,
            committed=done["ok"],
            course=self._status.course.at(self._screen.seconds, done["ok"]),
            unknown=done["info"],
            aborts=dict((self._aborts + Counter(aborts)).most_common()),
        )

    def _find(self, result: AnalysisResult, where: str) -> None:
        for name in result.anomaly_types:
            if name in self._found:
                text, times = self._found[name]
                self._found[name] = (text, times + 1)
                continue
            first = next((each for each in result.anomalies if each.type == name), None)
            self._found[name] = (f"{where}: {name if first is None else headline(first)}", 1)
            self._status = replace(self._status, new=New(f"{name}, in {where}", self._screen.seconds))
        lines = (
            text if times == 1 else f"{text} (seen {times} times)" for text, times in self._found.values()
        )
        self._status = replace(self._status, found=tuple(lines))

    def _add(self, iteration: Iteration) -> None:
        result, execution, now = iteration.result, iteration.execution, self._screen.seconds
        if execution is not None:
            self._before.update(ok=execution.ok, fail=execution.fail, info=execution.info)
            self._aborts.update(execution.aborts)
            self._asked += execution.asked
        if iteration.by_replay:
            self._find(iteration.deciding_result, iteration.label)
        status = replace(
            self._status,
            stage="",
            doing="starting the next iteration",
            decided=decision_sentence(iteration.decisions) or self._status.decided,
        )
        if iteration.number != SMALL_SCOPE:  # whose schedules say nothing about a crowd
            self._durations.append(now - self._iteration_began)
            self._stages = dict(iteration.seconds)
            status = replace(
                status,
                refused=(*status.refused, iteration.numbers.aborted or 0.0),
                edges=(*status.edges, result.edges_per_txn),
                concurrent=result.concurrent_edges_per_txn,
                near=(*status.near, result.near_cycles_counted),
                directed=tuple(each.short for each in iteration.directed),
            )
        reached = iteration.reached
        if reached is not None:
            gained = {name: f"{rate:.3g}" for name, rate in reached.yields.items()}
            status = replace(
                status,
                covered=(*status.covered, reached.features),
                fresh=reached.new,
                corpus=reached.corpus,
                yields=gained,
            )
            if reached.new:
                what = f"{reached.new:,} features, in iter_{iteration.number:02d}"
                status = replace(status, new=New(what, now))
        self._iteration_began = now
        self._status = status

    def _say(self, line: str) -> None:
        if not self._screen.standing:
            super()._say(line)
        elif self._verbose:
            self._screen.say(line)

    def _warn(self, line: str) -> None:
        if self._screen.standing:
            self._screen.say(line)
        else:
            super()._warn(line)

    def _frame(self, seconds: float) -> Frame:
        left = None
        if self._durations:
            ahead = self._status.iterations - len(self._durations)
            mean = sum(self._durations) / len(self._durations)
            left = max(0.0, ahead * mean - (seconds - self._iteration_began))
        analysis, estimate = Progress(), self._estimate
        if estimate is not None and self._status.stage in ("read", "analysis"):
            analysis = Progress(estimate.step, estimate.share(seconds), estimate.left(seconds))
        return status_frame(
            replace(
                self._status,
                elapsed=seconds,
                left=left,
                stage_seconds=seconds - self._stage_began,
                analysis=analysis,
            )
        )
