"""The loop: workload → execution → history → analysis → feedback → next workload."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.directory.campaign_files import CampaignFiles
from txfuzz.campaign.directory.run_directory import IterationDirectory, iteration_path, write_json
from txfuzz.campaign.directory.timeline import Timeline
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
    Subscriber,
    Warned,
    ignore,
)
from txfuzz.campaign.explore.directed import directed_outcomes, pursued_first
from txfuzz.campaign.explore.small_scope import SmallScopeIteration, search_small_scope, write_small_scope
from txfuzz.campaign.iteration_steps import (
    StageClock,
    analyze_iteration,
    attribute_history,
    covered_by,
    draw_iteration,
    fault_notes,
    keep_workload,
    propose_first,
    propose_next,
    pursue_near_cycle,
    reached,
    write_decisions,
)
from txfuzz.campaign.replays import write_replay
from txfuzz.campaign.serial_check import check_in_series
from txfuzz.campaign.setup.campaign_setup import CampaignSetup, set_up
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.contract import HistoryRequest, ProvidedHistory
from txfuzz.campaign.sources.resumed import has_history, write_execution
from txfuzz.campaign.stop_conditions import stop_reason
from txfuzz.errors import TxfuzzError
from txfuzz.execution.summary import Tally
from txfuzz.feedback.contract import LoopState
from txfuzz.feedback.learning.coverage_map import CoverageMap
from txfuzz.feedback.strategies import Decided
from txfuzz.history.course import course_of
from txfuzz.history.tail import HistoryTail
from txfuzz.plugin.errors import named, naming_plugins
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import Iteration
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.runtime_errors import RefusedStep, with_place


@naming_plugins()
def run_campaign(
    settings: CampaignSettings | None = None,
    *,
    interrupted: threading.Event | None = None,
    subscriber: Subscriber = ignore,
    **fields: Any,
) -> CampaignResult:
    """Run a campaign and leave its artefacts in the run directory.

    settings, or its fields as keywords: run_campaign(workload="write_skew", iterations=2).
    interrupted: set it to stop early; what was recorded is analysed. subscriber: called with each event of
    txfuzz.campaign.events, in the thread of the caller.
    Raises a TxfuzzError if the campaign cannot be run or continued; what was recorded by then is kept.
    """
    settings = replace(settings or CampaignSettings(), **fields)
    with ExitStack() as resources:
        setup = set_up(settings, interrupted or threading.Event(), subscriber, resources)
        return run_prepared(setup, subscriber)


def run_prepared(setup: CampaignSetup, subscriber: Subscriber = ignore) -> CampaignResult:
    """Run a campaign of which everything is there. Raises as `run_campaign` does."""
    campaign = _RunningCampaign(setup, subscriber)
    campaign.publish(CampaignStarted(campaign.result("running"), setup.assembled.workload))
    try:
        _loop(campaign)
    except BaseException as error:
        return campaign.failed(error)
    return campaign.ended()


def _loop(campaign: _RunningCampaign) -> None:
    """workload → execution → history → analysis → feedback → next workload."""
    setup = campaign.setup
    original = setup.assembled.workload
    state, next_workload = LoopState(original), original
    small_scope = search_small_scope(setup, campaign.publish)
    if small_scope is not None:
        next_workload = small_scope.next_workload
        campaign.add_small_scope(small_scope)
    next_workload = campaign.opened(propose_first(setup, next_workload))
    for number in range(setup.settings.most_iterations):
        if campaign.is_over(number):
            return
        clock = StageClock(campaign.publish)
        files = setup.directory.iteration(number)
        workload = keep_workload(setup, files, next_workload)
        campaign.publish(IterationStarted(number, workload))

        tail = HistoryTail(files.history)
        with clock("run"):
            if setup.maker.database is not None:
                campaign.publish(Preparing("connecting the clients and creating the tables"))
            request = HistoryRequest(workload, files, setup.deadline, campaign.progress, tail.read_some)
            provided = setup.maker.source.provide(request)
        campaign.note_run(provided, files, clock)
        with clock("read"):
            ours = provided.execution is not None
            history, remarks, doubt = attribute_history(setup, tail.history(), workload, by_our_clients=ours)
            campaign.note_doubt(doubt)

        with clock("analysis"):
            result = analyze_iteration(setup, history, number)
            campaign.publish(HistoryAnalysed(number, result, provided.execution))
            campaign.check_in_series(result, workload)
            write_json(files.analysis, result.to_json())
            pursued = pursue_near_cycle(setup, campaign.iterations, history, result, workload)
            directed = directed_outcomes(setup, history, workload, provided.execution)
            result = pursued_first(setup, result)
        with clock("pictures"):
            undrawn = draw_iteration(setup, history, result, files, keeps_graphs=provided.keeps_graphs)
        with clock("replay"):
            replays = write_replay(setup, files, history, result, workload, earlier=provided.earlier)

        with clock("feedback"):
            covered = covered_by(setup, history)
            next_workload, decisions, complaints, learnt = propose_next(
                setup, state, result, workload, number, replays.failed, history, directed, covered
            )
        faults = fault_notes(setup.assembled, provided.execution, history)
        iteration = Iteration.ran(
            number,
            files.path,
            workload,
            result,
            provided.execution,
            decisions=decisions,
            seconds=clock.seconds,
            notes=(*([doubt] if doubt else []), *remarks, *faults, *undrawn, *replays.notes, *complaints),
            learnt=learnt,
            replayed=replays.result,
            pursued=pursued,
            directed=directed,
            reached=reached(setup, campaign.covered, covered),
            course=course_of(history),
        )
        campaign.add(iteration, files, next_workload)


class _RunningCampaign:
    """The state of a campaign, and its subscribers."""

    def __init__(self, setup: CampaignSetup, subscriber: Subscriber) -> None:
        self.setup = setup
        self.iterations: list[Iteration] = []
        self.covered = CoverageMap()  # by all of them
        self._small_scope: Iteration | None = None
        self._facts = setup.facts()
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

    def opened(self, decided: Decided) -> Workload:
        """Note what the strategy decided before the first iteration; returns the workload of that."""
        self._facts = replace(self._facts, opening=decided.made)
        for complaint in decided.warnings:
            self.publish(Warned(complaint))
        return decided.workload

    def progress(self, asked: int, tally: Tally) -> None:
        self.publish(RunProgress(asked, tally))

    def is_over(self, number: int) -> bool:
        """Does the campaign end before this iteration? One that was run before is always analysed."""
        setup = self.setup
        if setup.deadline.interrupted.is_set():
            return True
        files = IterationDirectory(iteration_path(setup.directory.path, number))
        earlier = (setup.settings.only_analyzes or setup.settings.resume) and has_history(files)
        if not earlier:
            first, iterations = self._small_scope, self.iterations
            self._stopped = stop_reason(setup.settings, first, iterations, setup.deadline.elapsed)
        return self._stopped is not None

    def note_run(self, provided: ProvidedHistory, files: IterationDirectory, clock: StageClock) -> None:
        execution = provided.execution
        if provided.warning:
            self.publish(Warned(provided.warning))
        if execution is None:
            return
        if provided.earlier:
            clock.seconds["run"] = execution.seconds
            return
        failure = execution.failure
        if isinstance(failure, RefusedStep):
            failure = with_place(failure, self.setup.workload_file)
        self._failure = failure
        write_execution(files, execution)

    def note_doubt(self, doubt: str | None) -> None:
        """doubt: why a history says nothing about what the isolation level promises; None if it does."""
        if doubt is not None:
            self._doubtful = True
            self.publish(Warned(doubt))

    def check_in_series(self, result: AnalysisResult, workload: Workload) -> None:
        self._assembled = check_in_series(
            self._assembled, result, workload, self.setup.maker.database, self.publish
        )

    def add_small_scope(self, found: SmallScopeIteration) -> None:
        """Complete the search before the first iteration."""
        iteration = found.iteration
        self.check_in_series(iteration.result, iteration.workload)
        self._small_scope = iteration
        campaign = self.result("running")
        write_small_scope(found, campaign.answers_for)
        self.publish(SmallScopeEnded(iteration, campaign))

    def add(self, iteration: Iteration, files: IterationDirectory, next_workload: Workload) -> None:
        """Complete the iteration. Raises the error that ended its run, if any."""
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
        facts = replace(self._facts, state=state, answers_for=self._assembled.answers_for)
        if self._doubtful:
            facts = replace(facts, isolation=None, answers_for=None)
        return CampaignResult(
            self.setup.directory.path,
            facts,
            tuple(self.iterations),
            self.setup.deadline.interrupted.is_set(),
            self._stopped,
            small_scope=self._small_scope,
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
