"""The loop: workload → execution → history → analysis → feedback → next workload."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

from txfuzz.analysis.dependencies.connectivity import prepare
from txfuzz.analysis.result import AnalysisResult, Verdict, as_data
from txfuzz.campaign.directory.campaign_json import campaign_data
from txfuzz.campaign.directory.run_directory import (
    IterationDirectory,
    RunDirectory,
    draw_graphs,
    iteration_path,
    write_json,
    write_text,
)
from txfuzz.campaign.judgement import judged, pursued
from txfuzz.campaign.observers import Nobody, Watcher
from txfuzz.campaign.replays import write_replay
from txfuzz.campaign.results import PROGRESS_COLUMNS, CampaignResult, IterationOutcome, progress_row, stats
from txfuzz.campaign.serial_check import checked_in_series
from txfuzz.campaign.setup.defaults import settled
from txfuzz.campaign.setup.fault_notes import fault_notes
from txfuzz.campaign.setup.preconditions import attributed, check_kind, check_made_by, refuse_replay, remarks
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble, database_url
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.clients import Clients, Given, Runner, Turn
from txfuzz.campaign.sources.existing_histories import Existing, as_it_was_run, judges_again, of_the_run
from txfuzz.campaign.sources.external_command import External
from txfuzz.campaign.sources.resumed import Recorded, first_workload, histories_in, recorded, write_execution
from txfuzz.campaign.stop_conditions import Ending, passed, stop_reason
from txfuzz.common.secrets import command_without_secrets
from txfuzz.database.api import Database
from txfuzz.database.isolation_levels import open_database
from txfuzz.errors import OutputError, TxfuzzError, UsageError
from txfuzz.execution.fault_injector import cautions, injector_for
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.feedback.adjustments import propose_all
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.loop_state import Course
from txfuzz.history.model import History
from txfuzz.history.reader import read_history
from txfuzz.history.tail import HistoryTail
from txfuzz.plugin.errors import named, naming_plugins
from txfuzz.plugin.loader import load_plugins
from txfuzz.report.text.notes import notes_text
from txfuzz.workload.model import Workload
from txfuzz.workload.seeds import stream
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.source_places import RefusedStep, naming_url, with_place
from txfuzz.workload.yaml.writer import workload_text


@naming_plugins()
def run_campaign(
    settings: CampaignSettings | None = None,
    *,
    interrupted: threading.Event | None = None,
    watcher: Watcher | None = None,
    **fields: Any,
) -> CampaignResult:
    """Run a campaign and leave its artefacts in the run directory.

    settings, or its fields as keywords: run_campaign(workload="write_skew", iterations=2).
    interrupted: set it to end early; what was recorded is analysed. watcher: is told of progress.
    Raises a TxfuzzError for what cannot be done; what was recorded by then is kept.
    """
    settings = replace(settings or CampaignSettings(), **fields)
    return _Campaign(settings, interrupted or threading.Event(), watcher or Nobody()).run()


class _Campaign:
    def __init__(self, settings: CampaignSettings, interrupted: threading.Event, watcher: Watcher) -> None:
        settings = settled(settings)
        if settings.run_replay and judges_again(settings):
            raise UsageError("--run-replay needs a database or a --runner-cmd: not with --skip-run alone")
        self.again = judges_again(settings)
        self.settings = settings = as_it_was_run(settings) if self.again else settings
        self.interrupted = interrupted
        self.watcher = watcher
        self.registry = load_plugins(
            strict=settings.strict_plugins, files=settings.plugin_files, seconds=settings.plugin_seconds
        )
        for sentence in (*map(str, self.registry.problems), *self.registry.clashes()):
            watcher.warned(sentence)
        path = first_workload(settings) or workload_path(settings.workload, settings.workload_dir)
        self.path = path
        self.url = None
        workload = read_workload(path, InstalledVocabulary(self.registry, path))
        if not self.again:
            refuse_replay(workload, path)
        named_there = workload.campaign.runner_cmd if workload.campaign else None
        if settings.runner_cmd is not None and settings.runner_cmd == named_there:
            shown = command_without_secrets(settings.runner_cmd)
            watcher.warned(f"histories are made by the command that the workload names: {shown}")
        if settings.history is not None and not settings.resume:  # while there is no directory yet
            check_made_by(read_history(settings.history), workload)
        self.assembled = assemble(
            replace(workload, campaign=None),  # settled by now; what an iteration asks is no campaign
            self.registry,
            isolation=settings.isolation,
            expect=settings.expect,
            seed=settings.seed,
            analyzer_options=settings.analyzer_options,
            plugin_seconds=settings.plugin_seconds,
        )
        if not self.again and (settings.history is None or settings.execute):
            with naming_url(path, workload, settings.database_url):
                self.url = database_url(settings.database_url, workload)
        self.outcomes: list[IterationOutcome] = []
        self.course = Course()
        self.database: dict[str, str] = {}
        self.live: Database | None = None
        self.external: External | None = None
        self.doubted = False  # is there a history that this workload cannot have made?
        self.failure: TxfuzzError | None = None
        self.cautions: tuple[str, ...] = ()
        self.start = time.monotonic()
        self.until, self.time_up = None, ""
        if settings.max_seconds is not None:
            self.until, self.time_up = self.start + settings.max_seconds, passed(settings.max_seconds)
        self.stopped: str | None = None

    def run(self) -> CampaignResult:
        with ExitStack() as stack:
            runner = self.runner(stack)
            self.directory = stack.enter_context(self.open_directory())
            self.watcher.started(
                self.directory.path, self.assembled.workload, self.assembled.promised, self.database
            )
            self.directory.keep_plugins(self.registry.files)
            self.write_record("running")
            try:
                self.iterate(runner)
            except BaseException as error:
                error = self.failure or error  # what came first is the cause of the rest
                error = named(error) or error
                with suppress(OutputError):
                    self.write_record(
                        "interrupted" if isinstance(error, KeyboardInterrupt) else f"failed: {error}"
                    )
                if isinstance(error, TxfuzzError) and self.outcomes:
                    self.stopped = str(error)
                    result = self.result()
                    self.watcher.ended(result)
                    if self.external is not None and result.verdict is Verdict.INVALID:
                        return result  # what a command made before it failed is no less true
                raise error from error.__cause__
            result = self.result()
            self.write_record("interrupted" if result.interrupted else "ended")
        self.watcher.ended(result)
        return result

    def runner(self, stack: ExitStack) -> Runner:
        """Who makes the histories. A database is opened only for our own clients."""
        if self.again or self.interrupted.is_set():
            return Existing()
        given = None if self.continues() else self.settings.history
        later: Runner = Existing()
        if self.settings.history is None or self.settings.execute:
            later = self.who_runs(stack)
        return later if given is None else Given(given, later)

    def who_runs(self, stack: ExitStack) -> Runner:
        if self.settings.runner_cmd is None:
            return self.clients(stack)
        self.external = External(self.settings.runner_cmd, self.url, self.watcher.warned)
        return self.external

    def continues(self) -> bool:
        """Is the first history there already, in its place?"""
        place = self.settings.output
        return self.settings.resume and place is not None and histories_in(place) > 0

    def clients(self, stack: ExitStack) -> Runner:
        prepare()  # now, and not while a database waits for the next iteration
        clients = self.assembled.workload.scheduling.clients
        with naming_url(self.path, self.assembled.workload, self.settings.database_url):
            opened = open_database(self.assembled.adapter, self.url, clients)
            self.live = database = stack.enter_context(opened)
        injector_for(self.assembled.faults, database)  # refuses, while there is no directory yet
        self.cautions = cautions(self.assembled.faults, database)
        for sentence in (*database.warnings(), *self.cautions, *self.assembled.disclaimers):
            self.watcher.warned(sentence)
        self.database = dict(database.describe())
        return Clients(database, self.assembled.isolation, self.assembled.faults)

    def open_directory(self) -> RunDirectory:
        output = self.settings.output
        prepared = output is not None and self.settings.skip_run and (self.again or not histories_in(output))
        if prepared or self.settings.resume:
            return RunDirectory.reopen(output)
        directory, moved = RunDirectory.create(self.settings.output, self.assembled.workload.name)
        if moved is not None:
            self.watcher.warned(f"{directory.path} held an earlier campaign, which is now {moved}")
        return directory

    def iterate(self, runner: Runner) -> None:
        workload = self.assembled.workload
        for number in range(self.settings.turns):
            if self.interrupted.is_set() or self.enough(number):
                return
            place = self.directory.iteration(number)
            again = self.settings.resume and recorded(place)
            outcome, workload = self.iteration(number, workload, place, Recorded(runner) if again else runner)
            self.outcomes.append(outcome)
            self.write_record("running")
            self.watcher.iteration_ended(outcome)
            if self.failure is not None:
                raise self.failure

    def enough(self, number: int) -> bool:
        """Is this iteration not to be run? One that was run before is always judged again."""
        place = IterationDirectory(iteration_path(self.directory.path, number))
        if not self.outcomes or ((self.again or self.settings.resume) and recorded(place)):
            return False
        self.stopped = stop_reason(self.settings, self.outcomes, time.monotonic() - self.start)
        return self.stopped is not None

    def iteration(
        self, number: int, workload: Workload, place: IterationDirectory, runner: Runner
    ) -> tuple[IterationOutcome, Workload]:
        """One turn of the loop, and the workload of the next one."""
        stages: dict[str, float] = {}
        workload = self.written(place, workload)
        self.watcher.iteration_started(number, workload)
        following = HistoryTail(place.history)
        with self.stage(stages, "run"):
            turn = Turn(
                workload,
                place,
                self.interrupted,
                self.watcher.running,
                following.read_some,
                self.until,
                self.time_up,
            )
            execution = runner.run(turn)
        self.note_run(execution, place, runner, stages)
        with self.stage(stages, "read"):
            history, told = self.attributed(following.history(), workload, ours=execution is not None)
        with self.stage(stages, "analysis"):
            result = judged(self.assembled, history, given=self.settings.gives(number))
            self.assembled = checked_in_series(self.assembled, result, workload, self.live, self.watcher)
            write_json(place.analysis, result.to_json())
            before = () if self.settings.open_loop or self.settings.skip_run else self.outcomes
            nearest = pursued(self.assembled, before, history, result, workload)
        with self.stage(stages, "pictures"):
            notes = self.drawn(history, result, place, runner)
        with self.stage(stages, "replay"):
            replays = write_replay(
                place,
                history,
                result,
                workload,
                self.assembled,
                player=(self.live or self.external) if self.settings.run_replay else None,
                again=isinstance(runner, Recorded | Existing),
                interrupted=Ending(self.interrupted, self.until),
            )
        with self.stage(stages, "feedback"):
            next_workload, decisions, complaints = self.feedback(result, workload, number, replays.failed)
        notes = (
            *told, *fault_notes(self.assembled, execution, history), *notes, *replays.notes, *complaints
        )  # fmt: skip
        outcome = IterationOutcome(
            number, workload, result, execution, decisions, stages, notes, replays.showed, nearest
        )
        self.write_decided(place, outcome, next_workload)
        return outcome, next_workload

    def attributed(
        self, history: History, workload: Workload, *, ours: bool
    ) -> tuple[History, tuple[str, ...]]:
        """The history in terms of the workload, and what is to be said of that. ours: made by our own
        clients, who have written down what was asked."""
        check_kind(history, workload)
        if ours:
            return history, ()
        made_by = (workload, self.assembled.workload) if self.settings.skip_run else (workload,)
        found, doubted = attributed(history, made_by)
        if doubted is None:
            return found.history, tuple(remarks(found))
        self.doubted = True
        sentence = f"{doubted}, so that it says nothing about what {self.assembled.isolation} promises"
        self.watcher.warned(sentence)
        return found.history, (sentence, *remarks(found))

    def write_decided(
        self, place: IterationDirectory, outcome: IterationOutcome, following: Workload
    ) -> None:
        """What comes next, and why. Written last: with it an iteration is complete."""
        workload = outcome.workload
        if self.doubted:
            workload = replace(workload, database=replace(workload.database, isolation=None))
        notes = notes_text(
            outcome.number,
            workload,
            outcome.result,
            outcome.decisions,
            promised=None if self.doubted else self.assembled.answers_for,
            replayed=outcome.replayed if outcome.by_replay else None,
            remarks=outcome.notes,
            pursued=outcome.pursued,
            open_loop=self.settings.open_loop,
        )
        write_text(place.notes, notes)
        write_text(place.next_workload, workload_text(following))
        write_json(place.decisions, [as_data(decision) for decision in outcome.decisions])

    def drawn(
        self, history: History, result: AnalysisResult, place: IterationDirectory, runner: Runner
    ) -> tuple[str, ...]:
        """Draw the graphs: not again, and not while somebody waits for the end."""
        if isinstance(runner, Recorded) and place.minimal_graph.exists():
            return ()
        if self.interrupted.is_set():
            return (f"graphs not drawn: interrupted (`txfuzz analyze {place.history}` draws them)",)
        adaptive = self.settings.history is not None
        return draw_graphs(history, result, place.path, self.settings.max_graph_nodes, excerpt=adaptive)

    def note_run(
        self,
        execution: ExecutionSummary | None,
        place: IterationDirectory,
        runner: Runner,
        stages: dict[str, float],
    ) -> None:
        if execution is None:
            if isinstance(runner, Recorded):
                self.watcher.warned(f"{place.path} was cut short: its history is analysed as far as it goes")
        elif isinstance(runner, Recorded | Existing):
            stages["run"] = execution.seconds
        else:
            failure = execution.failure
            self.failure = with_place(failure, self.path) if isinstance(failure, RefusedStep) else failure
            write_execution(place, execution)

    def written(self, place: IterationDirectory, workload: Workload) -> Workload:
        """The workload of the iteration, which stands in its place; that of an earlier run is kept."""
        if (self.settings.skip_run or self.settings.resume) and place.workload.exists():
            return read_workload(place.workload, InstalledVocabulary(self.registry, place.workload))
        write_text(place.workload, workload_text(workload))
        return workload

    def feedback(
        self, result: AnalysisResult, workload: Workload, number: int, failed_replays: Mapping[int, int]
    ) -> tuple[Workload, tuple[Adjustment, ...], tuple[str, ...]]:
        """The next workload. Its seed is derived, so that each iteration asks something else."""
        root = self.assembled.workload.seed
        following = replace(workload, seed=stream(root, "iteration", number + 1).getrandbits(31))
        if self.settings.open_loop:
            return following, (), ()
        return propose_all(
            self.assembled.heuristics,
            self.course.learnt(result, workload, number, failed_replays),
            following,
            stream(root, "feedback", number),
            fixed=("init_schema",) if self.settings.keep_schema_init else (),
        )

    @contextmanager
    def stage(self, seconds: dict[str, float], name: str) -> Iterator[None]:
        """One stage of an iteration: shown while it lasts, and timed."""
        self.watcher.stage(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds[name] = time.perf_counter() - start

    def result(self) -> CampaignResult:
        return CampaignResult(
            self.directory.path,
            self.assembled.expect,
            None if self.doubted else self.assembled.isolation,
            self.assembled.promised,
            None if self.doubted else self.assembled.answers_for,
            tuple(self.outcomes),
            self.interrupted.is_set(),
            self.cautions,
            self.stopped,
        )

    def write_record(self, state: str) -> None:
        if self.again and state != "ended":
            return
        data = campaign_data(
            state, self.result(), self.settings, self.assembled, self.registry, self.database
        )
        self.directory.write_campaign(data | (of_the_run(self.directory.path) if self.again else {}))
        self.directory.write_stats(stats(self.outcomes))
        self.directory.write_progress(PROGRESS_COLUMNS, map(progress_row, self.outcomes))
