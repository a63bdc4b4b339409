"""The steps of one iteration, one function each. txfuzz/campaign/iterations/run.py calls them in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history, vacuous_reason
from txfuzz.analysis.anomalies.durability import durability
from txfuzz.analysis.contract import is_checker
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.coverage import coverage
from txfuzz.analysis.explain.verdict import explain_durability
from txfuzz.analysis.near_cycles.pursuit import Pursuit, pursuit
from txfuzz.analysis.result import AnalysisResult, Verdict, as_data
from txfuzz.campaign.directory.corpus import corpus_of, write_corpus
from txfuzz.campaign.directory.run_directory import IterationDirectory, draw_graphs, write_json, write_text
from txfuzz.campaign.events import Stage, StageStarted, Subscriber
from txfuzz.campaign.setup.campaign_setup import CampaignSetup
from txfuzz.campaign.setup.preconditions import attribute_to_first, check_kind, remarks
from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary
from txfuzz.campaign.setup.settings import command_to_go_on
from txfuzz.common.sentences import listed
from txfuzz.errors import PluginError
from txfuzz.execution.summary import ExecutionSummary, injection_counts
from txfuzz.feedback.contract import Coverage, FeedbackResult, LoopState, Situation
from txfuzz.feedback.directed.direction import DirectedOutcome, Direction
from txfuzz.feedback.learning.coverage_map import CoverageMap
from txfuzz.feedback.strategies import Decided, decide, uses_coverage
from txfuzz.history.model import History
from txfuzz.plugin.errors import named
from txfuzz.report.iteration import PLUGINS, Iteration, Reached
from txfuzz.report.text.notes import notes_text
from txfuzz.workload.model import Workload
from txfuzz.workload.seeds import stream
from txfuzz.workload.yaml.reader import read_workload
from txfuzz.workload.yaml.writer import workload_text

_COVERED = 20_000  # transactions of a history whose coverage is looked at for the record alone


@dataclass(frozen=True)
class Aim:
    """The iteration whose feedback made a workload. result: at least its nearest near-cycle."""

    iteration: int
    result: AnalysisResult

    @classmethod
    def of(cls, iteration: Iteration) -> Aim:
        """With nothing but that of its result."""
        result = iteration.result
        near = result.near_cycles[:1]
        return cls(
            iteration.number,
            AnalysisResult(result.file, result.verdict, result.expect, result.reason, near_cycles=near),
        )


class StageClock:
    """Publishes the beginning of each stage and times it. seconds: by stage, in order."""

    def __init__(self, publish: Subscriber) -> None:
        self.seconds: dict[str, float] = {}
        self._publish = publish

    @contextmanager
    def __call__(self, stage: Stage) -> Iterator[None]:
        self._publish(StageStarted(stage))
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = time.perf_counter() - start


def keep_workload(setup: CampaignSetup, files: IterationDirectory, workload: Workload) -> Workload:
    """Write the iteration's workload. If an earlier campaign left one there, that is used instead."""
    kept = kept_workload(setup, files)
    if kept is None:
        write_text(files.workload, workload_text(workload))
    return kept or workload


def kept_workload(setup: CampaignSetup, files: IterationDirectory) -> Workload | None:
    """The workload that an earlier campaign left there."""
    settings = setup.settings
    if (settings.skip_run or settings.resume) and files.workload.exists():
        return read_workload(files.workload, InstalledVocabulary(setup.registry, files.workload))
    return None


def attribute_history(
    setup: CampaignSetup, history: History, workload: Workload, *, by_our_clients: bool
) -> tuple[History, tuple[str, ...], str | None]:
    """The history in terms of the workload, remarks on it, and why it may say nothing about the database.

    by_our_clients: the history already names the transactions of the workload.
    """
    check_kind(history, workload)
    if by_our_clients:
        return history, (), None
    made_by = (workload, setup.assembled.workload) if setup.settings.skip_run else (workload,)
    found, doubt = attribute_to_first(history, made_by)
    if doubt is not None:
        doubt = f"{doubt}, so it says nothing about what {setup.assembled.isolation} promises"
    return found.history, tuple(remarks(found)), doubt


def analyze_iteration(setup: CampaignSetup, history: History, number: int) -> AnalysisResult:
    """Analyse a history with the campaign's analyzers. The verdict on one of our own in which nothing could
    go wrong is unknown."""
    result = analyze_history(history, setup.assembled.expect, analyzers=setup.assembled.analyzers)
    reason = None if setup.settings.is_given(number) else vacuous_reason(history, result)
    if reason is None:
        return result
    return replace(result, verdict=Verdict.UNKNOWN, reason=reason, vacuous=True)


@contextmanager
def saying_how_to_go_on(setup: CampaignSetup, history: Path | None) -> Iterator[None]:
    """Errors of plugins say what to do once the plugin is mended. history: what it failed to judge; None if
    that is not kept."""
    try:
        yield
    except PluginError as error:
        told = named(error) or error
        directory = setup.directory.path
        settings = setup.settings
        mended = [  # a campaign goes on with its copies; without one, the same files are given again
            str(path if settings.only_analyzes else directory / PLUGINS / path.name)
            for path in settings.plugin_files
            if str(path) in str(told)
        ]
        what = f"{listed(mended) if mended else 'the plugin'} {'are' if len(mended) > 1 else 'is'} mended"
        again = f"`{command_to_go_on(settings, directory)}`"
        way = f"once {what}, {again} runs the iteration again"
        if settings.only_analyzes:
            way = f"once {what}, {again} analyses the histories again"
        elif history is not None:
            way = f"the history is kept in {history}: once {what}, {again} judges it and goes on"
        raise PluginError(f"{told}; {way}") from told.__cause__


def pursue_near_cycle(
    setup: CampaignSetup,
    aim: Aim | None,
    history: History,
    result: AnalysisResult,
    workload: Workload,
) -> Pursuit | None:
    """What became of the nearest near-cycle of an earlier iteration; None if feedback did not pursue one."""
    if aim is None or setup.assembled.strategy.blind or setup.settings.skip_run:
        return None
    options = next((each.version_options for each in setup.assembled.analyzers if is_checker(each)), None)
    return pursuit(aim.iteration, aim.result, history, result, workload, options)


def draw_iteration(
    setup: CampaignSetup,
    history: History,
    result: AnalysisResult,
    files: IterationDirectory,
    *,
    keeps_graphs: bool,
) -> tuple[str, ...]:
    """Draw the graphs, unless they are unwanted or exist or the campaign was interrupted. A note for each one
    missing."""
    if setup.settings.lean:
        return ()
    if keeps_graphs and files.minimal_graph.exists():
        return ()
    if setup.deadline.interrupted.is_set():
        return (f"graphs not drawn: interrupted (`txfuzz analyze {files.history}` draws them)",)
    excerpt = setup.settings.history is not None
    return draw_graphs(history, result, files.path, setup.settings.max_graph_nodes, excerpt=excerpt)


def covered_by(setup: CampaignSetup, history: History) -> Coverage | None:
    """What the history covers; None if neither the strategy uses it nor anybody would wait for it."""
    strategy, settings = setup.assembled.strategy, setup.settings
    wanted = setup.maker.database is not None and not settings.lean and len(history) <= _COVERED
    if not uses_coverage(strategy) and not wanted:
        return None
    return coverage(dependencies(history))


def reached(setup: CampaignSetup, known: CoverageMap, covered: Coverage | None) -> Reached | None:
    """known: what earlier iterations have covered; becomes what all of them have."""
    if covered is None:
        return None
    new = len(known.note(covered))
    kept = corpus_of(setup.assembled.strategy)
    if kept is None:
        return Reached(len(known), new)
    corpus, credit = kept
    gained = sorted(credit.yields.items(), key=lambda each: -each[1].rate)
    return Reached(len(known), new, len(corpus), {name: each.rate for name, each in gained if each.gained})


def seeded(workload: Workload, seed: int, number: int) -> Workload:
    """The workload as this iteration runs it. seed: the campaign's, from which the workload's is derived, so
    that each iteration runs other transactions."""
    return replace(workload, seed=stream(seed, "iteration", number).getrandbits(31))


def propose_next(
    setup: CampaignSetup,
    state: LoopState,
    result: AnalysisResult,
    workload: Workload,
    number: int,
    failed_replays: Mapping[int, int],
    covered: Coverage | None = None,
    direction: Direction | None = None,
    directed: tuple[DirectedOutcome, ...] = (),
    *,
    ahead: int = 1,
) -> Decided:
    """The workload that follows from this iteration, the changes made to it, and complaints about the
    strategy. ahead: how many iterations later it runs."""
    assembled = setup.assembled
    seed = assembled.workload.seed
    next_workload = seeded(workload, seed, number + ahead)
    if not uses_coverage(assembled.strategy):
        covered = None
    feedback = state.feedback_result(
        result, workload, number, failed_replays, covered, direction, directed, ahead=ahead
    )
    situation = replace(_situation(setup, next_workload, feedback), ahead=ahead)
    decided = decide(assembled.strategy, situation, stream(seed, "feedback", number))
    write_corpus(assembled.strategy, setup.directory.path)
    return decided


def propose_first(setup: CampaignSetup, workload: Workload) -> Decided:
    """The same for the first iteration, which would run this workload otherwise."""
    assembled = setup.assembled
    chance = stream(assembled.workload.seed, "feedback", "opening")
    return decide(assembled.strategy, _situation(setup, workload), chance)


def _situation(setup: CampaignSetup, workload: Workload, feedback: FeedbackResult | None = None) -> Situation:
    fixed = ("init_schema",) if setup.settings.keep_schema_init else ()
    assembled = setup.assembled
    return Situation(workload, feedback, assembled.heuristics, fixed, assembled.mutators)


def fault_notes(
    assembled: Assembled, execution: ExecutionSummary | None, history: History
) -> tuple[str, ...]:
    """Notes on the durability of commits, and on faults that were never injected; none without faults."""
    if not assembled.faults:
        return ()
    notes = explain_durability(durability(history))
    if execution is None:
        return notes
    struck = injection_counts(execution.faults)
    names = dict.fromkeys(each.fault.name for each in assembled.faults)
    idle = (name for name in names if name not in struck)
    return (*notes, *(f"{name} was never injected: the run ended first" for name in idle))


def write_decisions(
    files: IterationDirectory,
    iteration: Iteration,
    next_workload: Workload,
    *,
    blind: bool,
    answers_for: str | None,
    doubtful: bool,
) -> None:
    """The next workload, and why it is so. Written last, which completes the artefacts of an iteration.

    blind: the strategy does not look at feedback. doubtful: the isolation level of the history is unknown.
    """
    workload = iteration.workload
    if doubtful:
        workload = replace(workload, database=replace(workload.database, isolation=None))
    notes = notes_text(
        iteration.number,
        workload,
        iteration.result,
        iteration.decisions,
        promised=answers_for,
        replayed=iteration.replayed if iteration.by_replay else None,
        remarks=(*iteration.notes, *iteration.learnt),
        pursued=iteration.pursued,
        blind=blind,
    )
    write_text(files.notes, notes)
    write_text(files.next_workload, workload_text(next_workload))
    write_json(files.decisions, [as_data(decision) for decision in iteration.decisions])
