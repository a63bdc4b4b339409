"""Plain lines about a campaign: its progress (stderr) and its result (stdout)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.events import (
    CampaignEnded,
    CampaignFailed,
    CampaignStarted,
    Event,
    HistoryAnalysed,
    IterationEnded,
    IterationStarted,
    SmallScopeEnded,
    SmallScopeStarted,
    Warned,
)
from txfuzz.cli.terminal import OF_VERDICT, Style, laid_out, say, say_step, wrapped
from txfuzz.common.sanitize import one_line
from txfuzz.common.sentences import counted, listed, weighted
from txfuzz.errors import TxfuzzError
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.iteration import Iteration
from txfuzz.workload.model import Workload

if TYPE_CHECKING:
    from txfuzz.execution.summary import ExecutionSummary


class PlainScreen:
    """A subscriber that prints plain lines. verbose: decisions with reasons; quiet: only the result."""

    def __init__(self, *, verbose: bool = False, quiet: bool = False) -> None:
        self._verbose = verbose
        self._quiet = quiet
        self._noted: set[str] = set()
        self._warned: set[str] = set()

    def __call__(self, event: Event) -> None:
        match event:
            case Warned(sentence):
                self._warned.add(sentence)
                self._warn(f"txfuzz: {one_line(sentence)}")
            case CampaignStarted(campaign, workload):
                self._show_start(campaign, workload)
            case SmallScopeStarted():
                self._say("\nsmall scope: the workload's transactions two and three at a time")
            case HistoryAnalysed():
                self._show_analysis(event)
            case SmallScopeEnded(iteration):
                self._show_iteration(iteration)
            case IterationStarted(number, workload):
                keys = counted(len(workload.logical_keys()), "key")
                clients = counted(workload.scheduling.clients, "client")
                self._say(f"\niteration {number}: {clients} on {keys}, {_mix(workload)}")
            case IterationEnded(iteration):
                self._show_iteration(iteration)
            case CampaignEnded(campaign):
                self._show_result(campaign)
            case CampaignFailed(TxfuzzError(), campaign) if campaign.analysed:
                self._show_result(campaign)

    def analysing(self, step: str, share: float) -> None:
        """A step of an analysis has come so far: of no interest in plain lines."""

    def _show_start(self, campaign: CampaignResult, workload: Workload) -> None:
        from txfuzz.analysis.checker.consistency import model_text

        database = campaign.facts.database
        product = f" · {campaign.facts.server}" if database else ""
        server = f" ({database['server']})" if "server" in database else ""
        self._say(f"{workload.name}{product}{server}")
        expect = model_text(workload.expect or campaign.promised)
        self._say(
            f"{campaign.levels or workload.database.isolation} (promises {model_text(campaign.promised)}) "
            f"checked against {expect} "
            f"· seed {workload.seed} · {campaign.directory}"
        )
        if (workers := campaign.facts.workers) > 1:
            self._say(
                f"{workers} workers, each with a database of its own: what follows from an iteration is run "
                f"{workers} iterations later"
            )
        for decision in campaign.facts.opening:
            self._say(f"to begin with: {_decision(decision, self._verbose)}")

    def _show_analysis(self, analysed: HistoryAnalysed) -> None:
        """As soon as it is known, before pictures are drawn and schedules replayed."""
        result, execution, searched = analysed.result, analysed.execution, analysed.searched
        if searched is None:
            if execution is not None:
                self._say(f"  {_ran(execution)}")
            self._say(f"  {_meant(result)}")
            return
        if searched.schedules:
            from txfuzz.report.text.small_scope import small_scope_text

            took = "" if execution is None else f" in {execution.seconds:.1f} s"
            self._say(f"  {small_scope_text(searched)}{took}")
        self._say(f"  {_found(result)}")

    def _show_iteration(self, iteration: Iteration) -> None:
        if iteration.by_replay:
            self._say(f"  {iteration.found}")
        if iteration.pursued is not None:
            from txfuzz.report.text.near_cycle_notes import pursued_text

            self._say(f"  {pursued_text(iteration.pursued)}")
        for decision in iteration.decisions:
            self._say(f"  next: {_decision(decision, self._verbose)}")
        for note in (*iteration.notes, *iteration.learnt):
            about = note.split()[0]
            if note not in self._warned and (self._verbose or about not in self._noted):
                self._say(f"  {note}")
            if about.endswith(".png"):  # reported once per campaign
                self._noted.add(about)

    def _show_result(self, campaign: CampaignResult) -> None:
        """The finding, then the verdict, then what to do next."""
        self._say("")
        with laid_out():
            show_result(campaign)

    def _say(self, line: str) -> None:
        if not self._quiet:
            for part in wrapped(line, sys.stderr):
                click.echo(part, err=True)

    def _warn(self, line: str) -> None:
        """In one piece in a log, where whoever searches it finds all of it."""
        for part in wrapped(line, sys.stderr) if sys.stderr.isatty() else [line]:
            click.echo(part, err=True)


def show_result(campaign: CampaignResult) -> None:
    """Print the result of a campaign on stdout: the verdict comes last, and then what to do next."""
    from txfuzz.report.campaign_result import broken_promise
    from txfuzz.report.text.analysis import leading_anomaly_text
    from txfuzz.report.text.lines import paragraph
    from txfuzz.report.text.next_steps import next_steps, step_lines
    from txfuzz.report.verdict import in_order, verdict_sentence

    told = campaign.told_first
    style = Style.BROKEN if broken_promise(campaign) else OF_VERDICT[campaign.verdict]
    if told is None:
        say("\n".join(paragraph(_nothing_found(campaign))), style)
    else:
        result, where = told.deciding_result, told.label
        head, _, explained = leading_anomaly_text(result, campaign.answers_for).partition("\n  ")
        if head:
            say(head, Style.TITLE)
            say(f"  {explained}")
        found = campaign.found
        for name in in_order(found):
            say(f"{name} in iteration{'s'[: len(found[name]) > 1]} {listed(map(str, found[name]))}")
        sentence = verdict_sentence(result, campaign.levels, campaign.answers_for)
        say(f"\n{where[0].upper()}{where[1:]}:")
        say("\n".join(paragraph(sentence)), style)
        for caution in campaign.cautions:
            say("\n".join(paragraph(f"But note {caution}.")))
    for failure in campaign.failures:
        say("\n".join(paragraph(f"{failure[0].upper()}{failure[1:]}.")))
    if campaign.stopped:
        say(f"ended after {counted(len(campaign.iterations), 'iteration')}: {campaign.stopped}")
    steps = next_steps(campaign)
    if steps and told is not None:
        say("\nnext:")
        for command, what in step_lines(steps):
            say_step(command, what)
    say(f"artefacts: {campaign.directory}")


def _nothing_found(campaign: CampaignResult) -> str:
    from txfuzz.report.campaign_result import nothing_found_text, unknown_reason

    if campaign.verdict is Verdict.UNKNOWN:
        return f"unknown: {unknown_reason(campaign)}"
    return nothing_found_text(campaign)


def _mix(workload: Workload) -> str:
    total = sum(weight.weight for weight in workload.mix)
    weights = {each.txn: each.weight for each in workload.mix}
    return ", ".join(weighted(weights, lambda name, weight: f"{name} {weight / total:.0%}"))


def _ran(execution: ExecutionSummary) -> str:
    aborts = ", ".join(f"{code} ×{count:,}" for code, count in execution.aborts.items())
    line = (
        f"{execution.ok:,} committed in {execution.seconds:.1f} s ({execution.per_second:,.0f}/s), "
        f"{execution.fail:,} aborted"
    )
    if execution.info:  # included in the codes that follow
        line += f", {execution.info:,} unknown"
    line += f" ({aborts})" if aborts else ""
    if execution.faults:
        from txfuzz.execution.summary import injection_counts as by_name

        line += "; faults: " + ", ".join(f"{name} ×{n:,}" for name, n in by_name(execution.faults).items())
    line += f"; {counted(execution.final_reads, 'final read')}" if execution.final_reads else ""
    return line + (f"; ended early: {execution.stopped}" if execution.stopped else "")


def _meant(result: AnalysisResult) -> str:
    return (
        f"{result.edges_per_txn:.2f} edges per transaction "
        f"({result.concurrent_edges_per_txn:.2f} concurrent), "
        f"{counted(result.near_cycles_counted, 'near-cycle')}: {_found(result)}"
    )


def _found(result: AnalysisResult) -> str:
    if result.verdict is Verdict.UNKNOWN:
        return f"unknown: {result.reason}"
    return ", ".join(result.anomaly_types) or "nothing found"


def _decision(decision: Adjustment, with_reason: bool) -> str:
    before, after = (_short(value, decision.target) for value in (decision.before, decision.after))
    what = f"{decision.target} "
    line = f"{decision.heuristic}: {'' if before.startswith(what) else what}{before} → {after}"
    return f"{line}, because {decision.reason}" if with_reason else line


def _short(value: object, target: str) -> str:
    from txfuzz.feedback.targets.table import TARGETS

    known = TARGETS.get(target)
    if known is not None and known.words is not None:
        return known.words(value)
    if isinstance(value, list | tuple):
        return f"{len(value):,} keys" if len(value) > 8 else "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, Mapping):
        return ", ".join(weighted(value, lambda name, weight: f"{name} {weight:.2g}"))
    return str(value)
