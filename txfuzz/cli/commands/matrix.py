"""`txfuzz matrix`: databases × versions × levels × anomalies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from txfuzz.cli import options, parameters
from txfuzz.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from txfuzz.compare.matrix.matrix import MatrixProgress, MatrixReport

_SET_BY_RESUME = (
    "file", "adapters", "versions", "levels", "questions", "url", "seed", "output", "find",
)  # fmt: skip


@click.command()
@click.argument("file", required=False, type=parameters.FILE)
@click.option(
    "--adapter", "adapters", multiple=True, metavar="NAME", type=parameters.ADAPTER,
    help="Only this database of the matrix. Repeatable. [default: all that can be started]",
)  # fmt: skip
@click.option(
    "--server-version", "versions", multiple=True, metavar="VERSION",
    help="Only this version, such as 15, where versions can be chosen. Repeatable. [default: all]",
)  # fmt: skip
@click.option(
    "--isolation", "levels", multiple=True, metavar="LEVEL", type=parameters.LEVEL,
    help="Only this isolation level. Repeatable. [default: all]",
)  # fmt: skip
@click.option(
    "--ask", "questions", multiple=True, metavar="NAME",
    help="Only the questions of this column (G-single), or one of them (g-single). Repeatable. "
    "[default: all]",
)  # fmt: skip
@click.option(
    "--bisect", "find", metavar="NAME",
    help="Find out between which two versions the answer to this question changes.",
)  # fmt: skip
@click.option(
    "--against", type=parameters.FILE, metavar="FILE",
    help="Say what changed since the matrix of this matrix.json, or directory.",
)  # fmt: skip
@click.option(
    "--only-new", is_flag=True,
    help="With --against: exit code 1 only for promises that were not broken there.",
)  # fmt: skip
@click.option(
    "--budget", "seconds", type=parameters.Time(min=0, min_open=True), metavar="TIME",
    help="Begin no cell after this, such as 10m. [default: 2m without FILE, else no limit]",
)  # fmt: skip
@options.seed
@click.option(
    "--output-dir", "output", type=parameters.FILE, metavar="DIR",
    help="Where matrix.html, matrix.md and matrix.json go. [default: a new one under runs/]",
)  # fmt: skip
@click.option(
    "--resume", type=parameters.FILE, metavar="DIR",
    help="Go on with the matrix in this directory, as it was set.",
)  # fmt: skip
@click.option(
    "--database-url", "url", metavar="URL",
    help="Ask this server in place of the databases of the matrix.",
)  # fmt: skip
@options.workers()
@options.plugin_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
@click.pass_context
def matrix(
    ctx: click.Context,
    /,
    file: Path | None,
    find: str | None,
    against: Path | None,
    only_new: bool,
    seconds: float | None,
    output: Path | None,
    resume: Path | None,
    workers: int | None,
    dask: str | None,
    plugin_files: tuple[Path, ...],
    as_json: bool,
    **chosen: Any,
) -> int:
    """Draw a table: which anomalies each database lets pass, in each version, at each isolation level.

    FILE is a matrix in YAML. Without it the scenarios of Hermitage are asked of every database that can be
    started here. Exit code 1 if a level broke its own promise, 3 if nothing could be judged.
    """
    from txfuzz.campaign.workers.engines import Workers
    from txfuzz.cli.interruption import interruptible
    from txfuzz.compare.matrix.matrix import Chosen
    from txfuzz.compare.matrix.matrix import matrix as run_matrix

    if only_new and against is None:
        raise UsageError("--only-new compares with an earlier matrix: name it by --against")
    if resume is not None:
        for name in _SET_BY_RESUME:
            if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise UsageError(
                    "--resume goes on with a matrix as it was set: beside it there can be only --budget, "
                    "--against, --only-new, --workers, --dask, --plugin-file and --json"
                )
    with interruptible() as interrupted:
        report = run_matrix(
            file,
            Chosen(**chosen),
            output=output,
            resume=resume,
            against=against,
            find=find,
            seconds=seconds,
            plugin_files=plugin_files,
            workers=Workers(workers, dask),
            interrupted=interrupted,
            on_progress=_say,
            on_lost=options.say_lost,
        )
    _show(report, as_json)
    return _code(report, only_new)


def _show(report: MatrixReport, as_json: bool) -> None:
    from txfuzz.common.json_text import json_text
    from txfuzz.common.sentences import counted
    from txfuzz.compare.matrix.difference import difference_text
    from txfuzz.compare.matrix.record import HTML, report_data
    from txfuzz.compare.matrix.text import matrix_markdown

    if as_json:
        click.echo(json_text(report_data(report.table, report.left, report.changes, report.bisection)))
    else:
        click.echo(matrix_markdown(report.table), nl=False)
        if report.bisection is not None:
            click.echo(f"\n{report.bisection.text}")
        if report.changes is not None:
            click.echo(f"\n{difference_text(report.changes)}", nl=False)
    if report.left and report.bisection is None:
        what = counted(report.left, "cell was", "cells were")
        click.echo(f"\n{what} not reached: --resume {report.directory} goes on", err=True)
    click.echo(f"\nreport: {report.directory / HTML}", err=True)


def _code(report: MatrixReport, only_new: bool) -> int:
    from txfuzz.compare.matrix.cell import Outcome
    from txfuzz.compare.matrix.matrix import summary_outcome

    if report.interrupted:
        return ExitCode.INTERRUPTED
    outcome = summary_outcome(report)
    if only_new and outcome is Outcome.BROKEN:
        news = any(each.breaks for each in report.changes or ())
        return ExitCode.VIOLATED if news else ExitCode.NOTHING_FOUND
    if outcome is Outcome.BROKEN:
        return ExitCode.VIOLATED
    return ExitCode.UNKNOWN if outcome is None else ExitCode.NOTHING_FOUND


def _say(progress: MatrixProgress) -> None:
    """A line on stderr for each cell."""
    from txfuzz.compare.matrix.table import mark_of, remark_of

    cell = progress.cell
    where = f"{cell.server or cell.database}, {cell.level}, {cell.question}"
    text = f"{mark_of(cell)} {where}: {remark_of(cell)} [{cell.seconds:.1f} s]"
    click.echo(f"{progress.done}/{progress.of} {text}", err=True)
