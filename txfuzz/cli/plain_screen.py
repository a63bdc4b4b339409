"""What a campaign says while it runs (stderr) and in the end (stdout)."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from txfuzz.analysis.result import Verdict
from txfuzz.campaign.results import CampaignResult, IterationOutcome
from txfuzz.common.sanitize import one_line
from txfuzz.execution.summary import Tally
from txfuzz.feedback.contract import Adjustment
from txfuzz.report.iteration_history import found as found_by
from txfuzz.report.text.lines import counted
from txfuzz.workload.model import Workload

if TYPE_CHECKING:
    from txfuzz.execution.summary import ExecutionSummary


@contextmanager
def screen(iterations: int, *, plain: bool, verbose: bool, quiet: bool) -> Iterator[Screen]:
    """The status screen in a terminal, else and with `plain` lines, with `quiet` the result only."""
    if plain or quiet or not sys.stderr.isatty():
        watcher = Screen(verbose=verbose, quiet=quiet)
    else:
        from txfuzz.cli.live_screen import LiveScreen

        watcher = LiveScreen(iterations, verbose=verbose)
    try:
        yield watcher
    finally:
        watcher.close()


class Screen:
    """A watcher that writes plain lines. verbose: decisions with their reasons; quiet: the result only."""

    def __init__(self, *, verbose: bool = False, quiet: bool = False) -> None:
        self._verbose = verbose
        self._quiet = quiet
        self._noted: set[str] = set()
        self._warned: set[str] = set()

    def started(
        self, directory: Path, workload: Workload, promised: str, database: Mapping[str, str]
    ) -> None:
        from txfuzz.analysis.checker.consistency import model_text

        where = ""
        if database:
            product = " ".join(filter(None, (database.get("product"), database.get("version"))))
            where = f" · {product}" + (f" ({database['server']})" if "server" in database else "")
        self._say(f"{workload.name}{where}")
        self._say(
            f"{workload.database.isolation} (promises {model_text(promised)}) held against "
            f"{model_text(workload.expect or promised)} · seed {workload.seed} · {directory}"
        )

    def warned(self, sentence: str) -> None:
        self._warned.add(sentence)
        click.echo(f"txfuzz: {one_line(sentence)}", err=True)

    def iteration_started(self, number: int, workload: Workload) -> None:
        keys = counted(len(workload.logical_keys()), "key")
        clients = counted(workload.scheduling.clients, "client")
        self._say(f"\niteration {number}: {clients} on {keys}, {_mix(workload)}")

    def stage(self, name: str) -> None:
        pass

    def running(self, asked: int, tally: Tally) -> None:
        pass

    def iteration_ended(self, outcome: IterationOutcome) -> None:
        if outcome.execution is not None:
            self._say(f"  {_ran(outcome.execution)}")
        self._say(f"  {_meant(outcome)}")
        if outcome.pursued is not None:
            from txfuzz.report.text.near_cycle_notes import pursued_text

            self._say(f"  {pursued_text(outcome.pursued)}")
        for decision in outcome.decisions:
            self._say(f"  next: {_decision(decision, self._verbose)}")
        for note in outcome.notes:
            about = note.split()[0]
            if note not in self._warned and (self._verbose or about not in self._noted):
                self._say(f"  {note}")
            if about.endswith(".png"):  # once is enough
                self._noted.add(about)

    def ended(self, result: CampaignResult) -> None:
        from txfuzz.report.text.analysis import smallest_anomaly_text, verdict_sentence
        from txfuzz.report.text.lines import paragraph

        outcome = result.first_finding
        self._say("")
        if outcome is None:
            click.echo(self._nothing(result))
        else:
            for name, iterations in result.found.items():
                click.echo(f"{name} in iteration{'s'[: len(iterations) > 1]} {_listed(iterations)}")
            sentence = verdict_sentence(outcome.telling, result.isolation, result.answers_for)
            where = outcome.place
            click.echo(f"\n{where[0].upper()}{where[1:]}:")
            click.echo("\n".join(paragraph(sentence)))
            for caution in result.cautions:
                click.echo("\n".join(paragraph(f"But mind {caution}.")))
            click.echo(f"\n{smallest_anomaly_text(outcome.telling)}")
            history = outcome.telling.file
            click.echo(f"more: txfuzz analyze {shlex.quote(history)} --expect {result.expect}")
        if result.stopped:
            click.echo(f"ended after {counted(len(result.iterations), 'iteration')}: {result.stopped}")
        click.echo(f"artefacts: {result.directory}")

    def close(self) -> None:
        """The campaign is over, however it ended."""

    def _nothing(self, result: CampaignResult) -> str:
        from txfuzz.analysis.checker.consistency import model_text
        from txfuzz.report.verdict import no_verdict, nothing_found

        if result.verdict is Verdict.UNKNOWN:
            unknown = Verdict.UNKNOWN
            reasons = [
                each.result.reason if each.result.verdict is unknown else None for each in result.iterations
            ]
            return f"unknown: {no_verdict(reasons) or 'nothing was analysed'}"
        committed = sum(each.result.committed for each in result.iterations)
        model = model_text(result.iterations[0].result.expect)
        return nothing_found(committed, len(result.iterations), result.isolation, model)

    def _say(self, line: str) -> None:
        if not self._quiet:
            click.echo(line, err=True)


def _listed(numbers: list[int]) -> str:
    words = [str(number) for number in numbers]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _mix(workload: Workload) -> str:
    total = sum(weight.weight for weight in workload.mix)
    shares = (f"{weight.txn} {weight.weight / total:.0%}" for weight in workload.mix)
    return ", ".join(shares)


def _ran(execution: ExecutionSummary) -> str:
    aborts = ", ".join(f"{code} ×{count:,}" for code, count in execution.aborts.items())
    line = (
        f"{execution.ok:,} committed in {execution.seconds:.1f} s ({execution.per_second:,.0f}/s), "
        f"{execution.fail:,} aborted"
    )
    if execution.info:  # the codes count those, too
        line += f", {execution.info:,} unknown"
    line += f" ({aborts})" if aborts else ""
    if execution.faults:
        from txfuzz.execution.summary import injection_counts as by_name

        line += "; faults: " + ", ".join(f"{name} ×{n:,}" for name, n in by_name(execution.faults).items())
    line += f"; {counted(execution.final_reads, 'final read')}" if execution.final_reads else ""
    return line + (f"; ended early: {execution.stopped}" if execution.stopped else "")


def _meant(outcome: IterationOutcome) -> str:
    result = outcome.result
    found = found_by(result, outcome.replayed) or "nothing found"
    if result.verdict is Verdict.UNKNOWN:
        found = f"unknown: {result.reason}"
    return (
        f"{result.edges_per_txn:.2f} edges a transaction ({result.concurrent_edges_per_txn:.2f} concurrent), "
        f"{counted(result.near_cycles_counted, 'near-cycle')}: {found}"
    )


def _decision(decision: Adjustment, with_reason: bool) -> str:
    line = f"{decision.heuristic}: {decision.target} {_short(decision.before)} → {_short(decision.after)}"
    return f"{line}, because {decision.reason}" if with_reason else line


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"{len(value):,} keys" if len(value) > 8 else "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {weight:.2g}" for name, weight in value.items())
    return str(value)
