"""The small-scope search with which a campaign begins: what two or three transactions of the workload can do
to each other, before the crowd is let loose. Its history, analysis and finding are those of an iteration."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from txfuzz.analysis.result import AnalysisResult, Verdict, as_data
from txfuzz.campaign.directory.run_directory import (
    IterationDirectory,
    iteration_path,
    write_json,
    write_text,
    writing,
)
from txfuzz.campaign.directory.values import read_back
from txfuzz.campaign.events import (
    HistoryAnalysed,
    Preparing,
    RunProgress,
    SmallScopeStarted,
    Subscriber,
    Warned,
)
from txfuzz.campaign.iterations.steps import (
    StageClock,
    analyze_iteration,
    attribute_history,
    keep_workload,
    saying_how_to_go_on,
)
from txfuzz.campaign.replays import write_replay
from txfuzz.campaign.setup.campaign_setup import CampaignSetup
from txfuzz.campaign.sources.resumed import (
    has_history,
    highest_key,
    iterations_in,
    read_execution,
    write_execution,
)
from txfuzz.database.api import Database
from txfuzz.execution.run_limits import answered, closed_without_answer
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.feedback.adjustments import apply, current
from txfuzz.feedback.contract import Adjustment
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.replay.replayer import Replayer
from txfuzz.replay.small_scope.first_workload import first_adjustments
from txfuzz.replay.small_scope.plan import PlannedSchedule, plan
from txfuzz.replay.small_scope.result import SmallScopeResult
from txfuzz.replay.small_scope.search import Append, search
from txfuzz.replay.stepper.session_threads import Limits
from txfuzz.report.iteration import SMALL_SCOPE, Iteration
from txfuzz.report.text.small_scope import small_scope_notes, stop_note
from txfuzz.workload.model import Workload
from txfuzz.workload.seeds import stream
from txfuzz.workload.yaml.writer import workload_text

_INTERRUPTED = "it was interrupted"
_LIMITS = Limits(attempt_seconds=2.0)


@dataclass(frozen=True)
class SmallScopeIteration:
    """The search as an iteration, where its artefacts are, and the workload of the first iteration."""

    iteration: Iteration
    files: IterationDirectory
    next_workload: Workload


def search_small_scope(setup: CampaignSetup, publish: Subscriber) -> SmallScopeIteration | None:
    """Run the search, or analyse again the one that the campaign began with; None if there is none."""
    settings, workload = setup.settings, setup.assembled.workload
    place = IterationDirectory(iteration_path(setup.directory.path, SMALL_SCOPE))
    again = (settings.only_analyzes or settings.resume) and has_history(place)
    planned: list[PlannedSchedule] = []
    if not again:
        planned = _planned(setup, publish)
        if not planned:
            return None
    clock = StageClock(publish)
    files = setup.directory.iteration(SMALL_SCOPE)
    begun_with = workload
    workload = keep_workload(setup, files, workload)
    publish(SmallScopeStarted(workload, len(planned)))
    with clock("run"):
        found, execution = _earlier(setup, files) if again else _run(setup, workload, planned, files, publish)
    workload = _as_found(files, workload, found)
    if not has_history(files):  # the time was up, or the user ended it, before the first schedule
        publish(Warned(f"no small-scope search: {found.stopped or 'nothing was run'}"))
        shutil.rmtree(files.path, ignore_errors=True)
        return None
    with clock("read"):
        history = read_history(files.history)
        history, _, _ = attribute_history(setup, history, workload, by_our_clients=True)
    with clock("analysis"):
        with saying_how_to_go_on(setup, files.history):
            result = analyze_iteration(setup, history, SMALL_SCOPE)
        publish(HistoryAnalysed(SMALL_SCOPE, result, execution, found))
        write_json(files.analysis, result.to_json())
    with clock("pictures"):
        if result.verdict is Verdict.INVALID:
            _draw(setup, history, result, files)
    with clock("replay"):
        replays = write_replay(setup, files, history, result, workload, earlier=again)
    with clock("feedback"):
        decisions: tuple[Adjustment, ...] = ()
        next_workload = begun_with
        if setup.assembled.heuristics and not setup.assembled.strategy.blind:
            draws = stream(setup.assembled.workload.seed, "feedback", "small scope")
            decisions = first_adjustments(found, begun_with, draws)
            next_workload = apply(begun_with, decisions)
    iteration = Iteration.ran(
        SMALL_SCOPE, files.path, workload, result, execution,
        decisions=decisions, seconds=clock.seconds, notes=(*stop_note(found), *replays.notes),
        replayed=replays.result, searched=found,
    )  # fmt: skip
    numbers = replace(iteration.numbers, clients=None, keys=None, mix={})
    return SmallScopeIteration(replace(iteration, numbers=numbers), files, next_workload)


def write_small_scope(found: SmallScopeIteration, answers_for: str | None) -> None:
    """Complete the artefacts of the search."""
    iteration, files = found.iteration, found.files
    write_text(files.notes, small_scope_notes(iteration, answers_for))
    write_text(files.next_workload, workload_text(found.next_workload))
    write_json(files.decisions, [as_data(decision) for decision in iteration.decisions])


def _planned(setup: CampaignSetup, publish: Subscriber) -> list[PlannedSchedule]:
    """The schedules to run; none if the campaign has no search."""
    bounds, database = setup.settings.searched, setup.maker.database
    begun = setup.settings.resume and iterations_in(setup.directory.path) > 0
    if database is None or not bounds.schedules or begun or setup.deadline.is_set():
        return []
    if setup.assembled.strategy.blind:
        return []  # a control, whose crowd has to find everything by itself
    publish(Preparing("planning the schedules of the small-scope search"))
    until, cut = time.monotonic() + bounds.seconds, False

    def ends() -> bool:
        nonlocal cut
        cut = setup.deadline.is_set() or time.monotonic() >= until
        return cut

    planned = plan(setup.assembled.workload, bounds.schedules, transactions=bounds.transactions, ends=ends)
    if not planned and not cut:
        publish(Warned("no small-scope search: no two transactions of the workload can conflict"))
    elif cut and not setup.deadline.is_set():
        publish(
            Warned(
                f"the small-scope search was planned for {bounds.seconds:.3g} s and leaves out further pairs "
                "and triples of transactions"
            )
        )
    return planned


def _run(
    setup: CampaignSetup,
    workload: Workload,
    planned: list[PlannedSchedule],
    files: IterationDirectory,
    publish: Subscriber,
) -> tuple[SmallScopeResult, ExecutionSummary]:
    database = setup.maker.database
    assert database is not None
    publish(Preparing("creating the tables"))
    with _replayer(setup, database, workload) as replayer, _appending(files.history) as append:
        found, execution = search(
            replayer,
            workload,
            planned,
            setup.assembled.expect,
            seconds=setup.settings.searched.seconds,
            append=append,
            watch=lambda asked, tally: publish(RunProgress(asked, tally)),
            vary=partial(_vary, database, replayer),
            keep=lambda result: write_json(files.small_scope, as_data(result)),
            why=lambda: (
                "it was interrupted" if setup.deadline.interrupted.is_set() else setup.deadline.reason
            ),
        )
    if setup.maker.skip_keys is not None:
        setup.maker.skip_keys(execution.last_key)
    write_json(files.small_scope, as_data(found))
    write_execution(files, execution)
    return found, execution


def _as_found(files: IterationDirectory, workload: Workload, found: SmallScopeResult) -> Workload:
    """With the change that showed something, so that all that follows runs on the same tables."""
    shown = found.shown_by
    if shown is None or current(workload, shown.change.target) != shown.change.before:
        return workload
    workload = apply(workload, [shown.change])
    write_text(files.workload, workload_text(workload))
    return workload


@contextmanager
def _replayer(setup: CampaignSetup, database: Database, workload: Workload) -> Iterator[Replayer]:
    """NoAnswer, with the database closed, if it does not respond."""
    with closed_without_answer(database.close):
        replayer = answered(
            "creating the tables",
            lambda: Replayer(
                database, workload.kind, setup.assembled.isolation,
                fresh=workload.init_schema, options=workload.varied, limits=_LIMITS, stop=setup.deadline,
            ),
        )  # fmt: skip
    with replayer:
        yield replayer


def _vary(database: Database, replayer: Replayer, options: Mapping[str, Any]) -> None:
    """NoAnswer, with the database closed, if it does not respond."""
    with closed_without_answer(database.close):
        answered("creating the tables", lambda: replayer.vary(options))


@contextmanager
def _appending(path: Path) -> Iterator[Append]:
    """Appends to a file, each time at once."""
    with writing(path), open(path, "ab", buffering=0) as file:

        def append(lines: bytes) -> None:
            with writing(path):
                file.write(lines)

        yield append


def _earlier(setup: CampaignSetup, files: IterationDirectory) -> tuple[SmallScopeResult, ExecutionSummary]:
    """What an earlier campaign found; without its counts if that was killed during the search."""
    execution = read_execution(files) or ExecutionSummary(last_key=highest_key(files.history))
    if setup.maker.skip_keys is not None:
        setup.maker.skip_keys(execution.last_key)
    if files.small_scope.exists():
        return read_back(files.small_scope, SmallScopeResult), execution
    return SmallScopeResult(stopped="the campaign was killed"), execution


def _draw(setup: CampaignSetup, history: History, result: AnalysisResult, files: IterationDirectory) -> None:
    """Only the finding: the graph of all schedules is many small ones."""
    from txfuzz.report.pictures.png import draw_minimal_graph

    if not files.minimal_graph.exists() and not setup.deadline.interrupted.is_set():
        draw_minimal_graph(history, result, files.minimal_graph)
