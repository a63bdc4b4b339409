"""A campaign while it runs: what it has come to, who is told, and the feedback, iteration by iteration."""

from __future__ import annotations

import time
from dataclasses import replace

from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.directory.campaign_files import CampaignFiles
from txfuzz.campaign.directory.run_directory import IterationDirectory, iteration_path
from txfuzz.campaign.directory.timeline import Timeline
from txfuzz.campaign.events import (
    CampaignEnded,
    CampaignFailed,
    Event,
    IterationEnded,
    RunProgress,
    SmallScopeEnded,
    Subscriber,
    Warned,
)
from txfuzz.campaign.explore.directed import settled
from txfuzz.campaign.explore.small_scope import SmallScopeIteration, write_small_scope
from txfuzz.campaign.iterations.run import RanIteration
from txfuzz.campaign.iterations.steps import Aim, propose_next, reached, seeded, write_decisions
from txfuzz.campaign.serial_check import check_in_series
from txfuzz.campaign.setup.campaign_setup import CampaignSetup
from txfuzz.campaign.setup.plugin_failures import plugin_failures
from txfuzz.campaign.sources.contract import ProvidedHistory
from txfuzz.campaign.sources.resumed import has_history, was_run
from txfuzz.campaign.stop_conditions import stop_reason
from txfuzz.errors import TxfuzzError
from txfuzz.execution.summary import Tally
from txfuzz.feedback.contract import LoopState
from txfuzz.feedback.learning.coverage_map import CoverageMap
from txfuzz.feedback.strategies import Decided
from txfuzz.history.reader import read_history
from txfuzz.plugin.errors import named
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import Iteration
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.runtime_errors import RefusedStep, with_place


class Succession:
    """Which workload each iteration has. What the feedback makes of one is run by a later one, as many
    iterations later as there are workers, so that which of these is faster decides nothing.

    workers: at a time. earlier: how many there were when the first `begun` iterations were run.
    """

    def __init__(self, first: Workload, seed: int, workers: int = 1, *, earlier: int = 1, begun: int = 0):
        self._first, self._seed = first, seed
        self._workers, self._earlier, self._begun = workers, earlier, begun
        self._made: dict[int, Workload] = {}

    def ahead(self, number: int) -> int:
        """How many iterations after this one what follows from it is run."""
        return self._earlier if number + self._earlier < self._begun else self._workers

    def follows(self, number: int) -> int | None:
        """The iteration from which this one follows; None for the first ones."""
        source = number - (self._earlier if number < self._begun else self._workers)
        return source if source >= 0 else None

    def add(self, number: int, workload: Workload) -> None:
        """This is what the feedback has made of an iteration."""
        self._made[number] = workload

    def workload(self, number: int) -> Workload:
        """Of an iteration that can begin."""
        source = self.follows(number)
        if source is None:
            return seeded(self._first, self._seed, number) if number else self._first
        made = self._made[source]
        return made if self.ahead(source) == number - source else seeded(made, self._seed, number)


class RunningCampaign:
    """The state of a campaign, and its subscribers. workers: how many iterations run at a time. settles: see
    iterations.run.Watch, which it is for the iterations that are run in this process."""

    settles = True

    def __init__(self, setup: CampaignSetup, subscriber: Subscriber, workers: int = 1) -> None:
        self.setup, self.workers = setup, workers
        self.iterations: list[Iteration] = []
        self.succession = Succession(setup.assembled.workload, setup.assembled.workload.seed)
        self._covered = CoverageMap()  # by all of them
        self._state = LoopState(setup.assembled.workload)
        self._small_scope: Iteration | None = None
        self._facts = replace(setup.facts(), workers=workers)
        self._assembled = setup.assembled
        self._doubtful = False  # is there a history that this workload cannot have made?
        self._failure: TxfuzzError | None = None  # of a run whose history is still to be analysed
        self._stopped: str | None = None
        files = CampaignFiles(setup.directory, only_analyzes=setup.settings.only_analyzes)
        timeline = Timeline(setup.directory, only_analyzes=setup.settings.only_analyzes)
        self._subscribers = (files, timeline, subscriber)

    def publish(self, event: Event) -> None:
        for subscriber in self._subscribers:
            subscriber(event)

    def begin(self, decided: Decided, earlier: int = 1) -> None:
        """Note what the strategy decided before the first iteration. earlier: see Succession."""
        self._facts = replace(self._facts, opening=decided.made)
        for complaint in decided.warnings:
            self.publish(Warned(complaint))
        begun = 0
        while self.was_run(begun):
            begun += 1
        seed = self.setup.assembled.workload.seed
        self.succession = Succession(decided.workload, seed, self.workers, earlier=earlier, begun=begun)

    def progress(self, asked: int, tally: Tally) -> None:
        self.publish(RunProgress(asked, tally))

    def was_run(self, number: int) -> bool:
        """Has an earlier campaign run this iteration?"""
        settings = self.setup.settings
        files = IterationDirectory(iteration_path(self.setup.directory.path, number))
        if settings.only_analyzes:
            return has_history(files)
        return settings.resume and was_run(files)

    def aim(self, number: int) -> Aim | None:
        """The iteration from which this one follows."""
        source = self.succession.follows(number)
        return None if source is None else Aim.of(self.iterations[source])

    def is_over(self, number: int) -> bool:
        """Does the campaign end before this iteration? One that was run before is always analysed."""
        setup = self.setup
        if setup.deadline.interrupted.is_set():
            return True
        if not self.was_run(number):
            first, iterations = self._small_scope, self.iterations
            self._stopped = stop_reason(setup.settings, first, iterations, setup.deadline.elapsed)
        return self._stopped is not None

    def ran(self, provided: ProvidedHistory) -> None:
        if provided.execution is not None and not provided.earlier:
            self._failure = placed_failure(self.setup, provided.execution.failure)

    def doubted(self, sentence: str) -> None:
        self._doubtful = True
        self.publish(Warned(sentence))

    def draws(self, result: AnalysisResult) -> bool:
        return True

    def judged(self, result: AnalysisResult, workload: Workload) -> None:
        self._assembled = check_in_series(
            self._assembled, result, workload, self.setup.maker.database, self.publish
        )

    def add_small_scope(self, found: SmallScopeIteration) -> None:
        """Complete the search before the first iteration."""
        iteration = found.iteration
        self.judged(iteration.result, iteration.workload)
        self._small_scope = iteration
        campaign = self.result("running")
        write_small_scope(found, campaign.answers_for)
        self.publish(SmallScopeEnded(iteration, campaign))

    def complete(self, number: int, files: IterationDirectory, workload: Workload, ran: RanIteration) -> None:
        """Let the feedback decide what follows from an iteration, and complete its artefacts. To be called
        in the order of numbers. Raises the error that ended its run, if any."""
        start = time.perf_counter()
        self._doubtful = self._doubtful or ran.doubt is not None
        self._excuse(ran)
        result, directions = ran.result, ran.directions
        if not ran.settled:
            result, directions = settled(self.setup, result, directions)
            if result is not ran.result and files.minimal_graph.exists() and has_history(files):
                redraw(files, result)
        ahead = self.succession.ahead(number)
        decided = propose_next(
            self.setup, self._state, result, workload, number, ran.failed, ran.coverage,
            directions[0] if directions else None, ran.directed, ahead=ahead,
        )  # fmt: skip
        self.succession.add(number, decided.workload)
        thinking = ran.seconds.get("feedback", 0.0) + time.perf_counter() - start
        iteration = Iteration.ran(
            number,
            files.path,
            workload,
            result,
            ran.execution,
            decisions=decided.made,
            seconds={**ran.seconds, "feedback": thinking},
            notes=(*ran.notes, *decided.warnings),
            learnt=decided.learnt,
            replayed=ran.replayed,
            pursued=ran.pursued,
            directed=ran.directed,
            reached=reached(self.setup, self._covered, ran.coverage),
            course=ran.course,
        )
        self._add(iteration, files, decided.workload)

    def _excuse(self, ran: RanIteration) -> None:
        """A database that may lose what it has acknowledged is not blamed once a fault has made it do so."""
        injected = () if ran.execution is None else ran.execution.faults
        found = [self.setup.maker.excuses.get(each.name, "") for each in injected]
        excuses = dict.fromkeys((*self._assembled.excuses, *filter(None, found)))
        self._assembled = replace(self._assembled, excuses=tuple(excuses))

    def _add(self, iteration: Iteration, files: IterationDirectory, next_workload: Workload) -> None:
        campaign = self.result("running")
        write_decisions(
            files,
            iteration,
            next_workload,
            blind=self.setup.assembled.strategy.blind,
            answers_for=campaign.answers_for,
            doubtful=self._doubtful,
        )
        self.iterations.append(iteration)
        self.publish(IterationEnded(iteration, self.result("running")))
        if self._failure is not None:
            raise self._failure

    def result(self, state: str) -> CampaignResult:
        facts = replace(
            self._facts,
            state=state,
            answers_for=self._assembled.answers_for,
            excuses=self._assembled.excuses,
        )
        if self._doubtful:
            facts = replace(facts, isolation=None, answers_for=None)
        return CampaignResult(
            self.setup.directory.path,
            facts,
            tuple(self.iterations),
            self.setup.deadline.interrupted.is_set(),
            self._stopped,
            small_scope=self._small_scope,
            failures=tuple(each.told for each in plugin_failures(self.setup.assembled)),
        )

    def ended(self) -> CampaignResult:
        result = self.result("interrupted" if self.setup.deadline.interrupted.is_set() else "ended")
        self.publish(CampaignEnded(result))
        return result

    def failed(self, error: BaseException) -> CampaignResult:
        """Raises the error, unless an external command had already made histories that show something:
        their findings are still valid."""
        error = self._failure or error  # the first one caused the rest
        error = named(error) or error
        if isinstance(error, TxfuzzError) and (self.iterations or self._small_scope):
            self._stopped = str(error)
        result = self.result("interrupted" if isinstance(error, KeyboardInterrupt) else f"failed: {error}")
        self.publish(CampaignFailed(error, result))
        if self.setup.maker.command is not None and self._stopped and result.first_finding is not None:
            return result
        raise error from error.__cause__


def placed_failure(setup: CampaignSetup, failure: TxfuzzError | None) -> TxfuzzError | None:
    """The error that ended a run, with the line of the workload that it is about."""
    if isinstance(failure, RefusedStep):
        return with_place(failure, setup.workload_file)
    return failure


def redraw(files: IterationDirectory, result: AnalysisResult) -> None:
    """The small picture, which shows the first near-cycle, once that has become another one."""
    from txfuzz.report.pictures.png import draw_minimal_graph

    draw_minimal_graph(read_history(files.history), result, files.minimal_graph)
