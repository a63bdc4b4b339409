"""One iteration: run, read, analysis, pictures, replay, and what the feedback has to know of its history.

Nothing here depends on what other iterations come to, so any worker can do it. The feedback itself belongs to
the campaign (txfuzz.campaign.iterations.running).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from txfuzz.analysis.near_cycles.pursuit import Pursuit
from txfuzz.analysis.result import AnalysisResult
from txfuzz.campaign.directory.run_directory import IterationDirectory, write_json
from txfuzz.campaign.events import Event, HistoryAnalysed, Preparing, Warned
from txfuzz.campaign.explore.directed import directed_outcomes, directions_of, pursued_first
from txfuzz.campaign.iterations.steps import (
    Aim,
    StageClock,
    analyze_iteration,
    attribute_history,
    covered_by,
    draw_iteration,
    fault_notes,
    pursue_near_cycle,
    saying_how_to_go_on,
)
from txfuzz.campaign.replays import write_replay
from txfuzz.campaign.setup.campaign_setup import CampaignSetup
from txfuzz.campaign.sources.contract import HistoryRequest, ProvidedHistory
from txfuzz.campaign.sources.resumed import write_execution
from txfuzz.execution.summary import ExecutionSummary, Tally
from txfuzz.feedback.contract import Coverage
from txfuzz.feedback.directed.direction import DirectedOutcome, Direction
from txfuzz.history.course import Stretch, course_of
from txfuzz.history.tail import HistoryTail
from txfuzz.workload.model import Workload


@dataclass(frozen=True)
class RanIteration:
    """What an iteration has come to, before the feedback.

    seconds: by stage. doubt: why its history says nothing about what the isolation level promises; None if
    it does. notes: sentences for the reader. failed, replayed: of its replays. coverage: None if neither the
    strategy nor the record needs it. course: of the run. directions: how near-cycles can be directed, in the
    order of those of the result: of all of them, or if `settled` of the first, which the campaign's strategy
    has chosen already.
    """

    result: AnalysisResult
    execution: ExecutionSummary | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    doubt: str | None = None
    notes: tuple[str, ...] = ()
    failed: Mapping[int, int] = field(default_factory=dict)
    replayed: AnalysisResult | None = None
    pursued: Pursuit | None = None
    directed: tuple[DirectedOutcome, ...] = ()
    coverage: Coverage | None = None
    course: tuple[Stretch, ...] = ()
    directions: tuple[Direction | None, ...] = ()
    settled: bool = True


class Watch(Protocol):
    """Who looks on. settles: is the strategy here that of the campaign, which has seen what came before?"""

    settles: bool

    def publish(self, event: Event) -> None: ...

    def progress(self, asked: int, tally: Tally) -> None: ...

    def ran(self, provided: ProvidedHistory) -> None:
        """The history is there."""

    def doubted(self, sentence: str) -> None:
        """Why the history says nothing about what the isolation level promises."""

    def judged(self, result: AnalysisResult, workload: Workload) -> None: ...

    def draws(self, result: AnalysisResult) -> bool:
        """Are there to be pictures of it?"""


def run_iteration(
    setup: CampaignSetup,
    watch: Watch,
    number: int,
    workload: Workload,
    files: IterationDirectory,
    aim: Aim | None,
) -> RanIteration:
    """aim: the near-cycles that the feedback which made this workload had before it."""
    clock = StageClock(watch.publish)
    tail = HistoryTail(files.history)
    with clock("run"):
        if setup.maker.database is not None:
            watch.publish(Preparing("connecting the clients and creating the tables"))
        request = HistoryRequest(workload, files, setup.deadline, watch.progress, tail.read_some)
        provided = setup.maker.source.provide(request)
    execution = provided.execution
    if provided.warning:
        watch.publish(Warned(provided.warning))
    watch.ran(provided)
    if execution is not None and provided.earlier:
        clock.seconds["run"] = execution.seconds
    elif execution is not None:
        write_execution(files, execution)
    with clock("read"):
        ours = execution is not None
        history, remarks, doubt = attribute_history(setup, tail.history(), workload, by_our_clients=ours)
        if doubt is not None:
            watch.doubted(doubt)

    with clock("analysis"):
        with saying_how_to_go_on(setup, files.history) if watch.settles else nullcontext():
            result = analyze_iteration(setup, history, number)
        watch.publish(HistoryAnalysed(number, result, execution))
        watch.judged(result, workload)
        write_json(files.analysis, result.to_json())
        pursued = pursue_near_cycle(setup, aim, history, result, workload)
        directed = directed_outcomes(setup, history, workload, execution)
        if watch.settles:
            result = pursued_first(setup, result)
    with clock("pictures"):
        undrawn: tuple[str, ...] = ()
        if watch.draws(result):
            undrawn = draw_iteration(setup, history, result, files, keeps_graphs=provided.keeps_graphs)
    with clock("replay"):
        replays = write_replay(setup, files, history, result, workload, earlier=provided.earlier)
    with clock("feedback"):
        coverage = covered_by(setup, history)
        directions = directions_of(setup, result, history, workload, only_first=watch.settles)
    faults = fault_notes(setup.assembled, execution, history)
    return RanIteration(
        result,
        execution,
        clock.seconds,
        doubt,
        (*([doubt] if doubt else []), *remarks, *faults, *undrawn, *replays.notes),
        replays.failed,
        replays.result,
        pursued,
        directed,
        coverage,
        course_of(history),
        directions,
        watch.settles,
    )
