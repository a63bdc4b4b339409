"""`txfuzz check`: what your own transactions can do to each other, at each isolation level."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from txfuzz.cli import options, parameters
from txfuzz.cli.terminal import Style, laid_out, say, say_step
from txfuzz.errors import ExitCode

if TYPE_CHECKING:
    from txfuzz.check.finding.result import CheckResult


@click.command()
@click.argument("file", type=parameters.FILE)
@click.option(
    "--transactions", metavar="A,B[,C]",
    help="Only this set of transactions; the same one may be listed twice. [default: every pair]",
)  # fmt: skip
@click.option(
    "--isolation", multiple=True, metavar="LEVEL|all", type=parameters.LEVEL,
    help="Isolation level that is run and counts. Repeatable. [default: all are run; the file's one counts, "
    "or all if it names none]",
)  # fmt: skip
@click.option(
    "--expect",
    metavar="MODEL",
    help="serializable or strict-serializable. [default: the file's, serializable]",
)
@click.option(
    "--schedules", "most", type=click.IntRange(min=1), default=2000, show_default=True, metavar="N",
    help="Run at most N schedules at each level of each combination of transactions and arguments, those "
    "with few switches first.",
)  # fmt: skip
@click.option(
    "--budget", "--seconds", "seconds", type=parameters.Time(min=0, min_open=True), default=60.0,
    show_default="1m", metavar="TIME",
    help="Time for all schedules together, such as 10m, half of it at least at the levels that count. "
    "Making smaller what fails, and trying what would mend it, comes on top.",
)  # fmt: skip
@click.option(
    "--combinations", type=click.IntRange(min=1), default=24, show_default=True, metavar="N",
    help="Of the values of parameters: at most so many for one set of transactions.",
)  # fmt: skip
@click.option(
    "--schedule-seconds", type=parameters.Seconds(min=0, min_open=True), default=5.0, show_default=True,
    metavar="S",
    help="Time for one schedule, after which it is broken off, and no other one of the same transactions "
    "with the same arguments is run.",
)  # fmt: skip
@click.option(
    "--crowd", type=parameters.Seconds(min=0, min_open=True), metavar="S",
    help="Afterwards many clients at once, S seconds at each level that counts; invariants are asked "
    "whenever no transaction is open.",
)  # fmt: skip
@click.option(
    "--clients", type=click.IntRange(min=1), default=8, show_default=True, metavar="N", help="Of the crowd."
)
@click.option("--no-advice", is_flag=True, help="Do not try what would mend it.")
@click.option(
    "--adapter",
    metavar="NAME",
    type=parameters.ADAPTER,
    help="The database, in place of the one that a scenario names. [default: the installed one]",
)
@options.seed
@click.option(
    "--output-dir", "output", type=parameters.FILE, metavar="DIR",
    help="Write check.json, check.html, and of each finding story.md, repro.sql and replay.yaml there.",
)  # fmt: skip
@options.workers()
@options.database_url("url")
@options.plugin_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the tables.")
def check(
    file: Path,
    transactions: str | None,
    most: int,
    seconds: float,
    combinations: int,
    schedule_seconds: float,
    crowd: float | None,
    clients: int,
    seed: int | None,
    no_advice: bool,
    output: Path | None,
    workers: int | None,
    dask: str | None,
    as_json: bool,
    **fields: Any,
) -> int:
    """Run your own transactions beside each other, in every order of their statements, on a real server.

    FILE is a scenario (YAML: tables, transactions, invariants; or the name of one that comes with txfuzz,
    such as p4), Python code (.py), or a replay.yaml that a check has written. Exit code 1 if some schedule
    gives what no serial order gives, or breaks an invariant, at a level that counts; 0 if none does; 3 if
    nothing could be judged.
    """
    from txfuzz.cli.interruption import interruptible
    from txfuzz.cli.progress.screen import Screen, doing, unless
    from txfuzz.common.json_text import json_text

    answers = sys.stdout  # what code prints that is checked goes elsewhere

    def show(found: CheckResult) -> None:
        screen.close()
        if as_json:
            click.echo(json_text(check_data(found)), file=answers)
            return
        with laid_out(answers):
            say(check_body(found), file=answers)
            say(verdict_text(found), _style(found), file=answers)

    names = [name.strip() for name in (transactions or "").split(",") if name.strip()]
    begun = doing("txfuzz check", "starting the database")
    with interruptible() as interrupted, unless(as_json, Screen(begun)) as screen:
        from txfuzz.campaign.check.check import check_file
        from txfuzz.campaign.check.crowd import CrowdSize
        from txfuzz.campaign.check.sets import CheckLimits
        from txfuzz.campaign.workers.engines import Workers
        from txfuzz.check.finding.result import ReplayedSchedule
        from txfuzz.cli.progress.check import CheckScreen
        from txfuzz.report.check.data import check_data, replayed_data
        from txfuzz.report.check.text import check_body, replayed_text, verdict_text
        from txfuzz.workload.shipped import scenario_file

        progress = CheckScreen(screen, seconds, quiet=as_json)
        found = check_file(
            scenario_file(file),
            transactions=names,
            limits=CheckLimits(most, seconds, schedule_seconds, combinations),
            crowd=CrowdSize(clients, crowd or 0.0),
            seed=seed or 0,
            advice=not no_advice,
            output=output,
            interrupted=interrupted,
            on_begin=progress.began,
            on_progress=progress,
            on_found=show,
            workers=Workers(workers, dask),
            on_lost=options.say_lost,
            **fields,
        )
    if isinstance(found, ReplayedSchedule):
        with laid_out():
            click.echo(json_text(replayed_data(found)) if as_json else replayed_text(found))
        if interrupted.is_set():
            return ExitCode.INTERRUPTED
        if found.failures or found.finding.shown:
            return ExitCode.VIOLATED
        return ExitCode.UNKNOWN if found.reason else ExitCode.NOTHING_FOUND
    if output is not None and not as_json:
        click.echo(f"\nreport: {output / 'check.html'}")
        if found.findings:
            click.echo(f"replays: {output / 'findings'}")
    elif found.findings and not as_json:
        say("\nnext:")
        say_step(
            f"  txfuzz check {shlex.quote(str(file))} --output-dir DIR",
            "  a page, and replays of what failed",
        )
    if found.interrupted:
        return ExitCode.INTERRUPTED
    if found.lost:
        return ExitCode.UNAVAILABLE
    if found.failing or found.broken_by_crowd:
        return ExitCode.VIOLATED
    return ExitCode.UNKNOWN if found.unjudged else ExitCode.NOTHING_FOUND


def _style(found: CheckResult) -> Style:
    if any(each.blames_database for each in found.findings):
        return Style.BROKEN
    if found.failing or found.broken_by_crowd:
        return Style.FOUND
    return Style.UNKNOWN if found.unjudged or found.interrupted or found.lost else Style.GOOD
