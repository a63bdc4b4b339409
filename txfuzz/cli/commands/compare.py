"""`txfuzz compare`: how soon strategies find something."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from txfuzz.cli import options, parameters
from txfuzz.errors import ExitCode, PluginError, UsageError

if TYPE_CHECKING:
    from txfuzz.compare.compare import Progress

_STRATEGIES = "guided,open,static-4,static-grid"
_SEEDS, _MOST = 20, 20_000


def _names(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))


@click.command()
@click.argument("targets", nargs=-1, type=parameters.WorkloadName(), metavar="[FILE|NAME]...")
@click.option(
    "--strategies", default=_STRATEGIES, show_default=True, callback=_names, metavar="A,B",
    help="What to compare: these, or the names of installed strategies.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1, 100), metavar="N",
    help=f"Runs of each, with the seeds 1 to N. [default: {_SEEDS}]",
)  # fmt: skip
@click.option(
    "--budget", "--max-transactions", "most", type=click.IntRange(min=1), default=_MOST, show_default=True,
    metavar="N", help="Give a run up after N attempted transactions.",
)  # fmt: skip
@click.option(
    "--against", metavar="NAME",
    help="The strategy that is the control. [default: open, or the first if open is not compared]",
)  # fmt: skip
@click.option(
    "--output-dir", "output", type=parameters.FILE, metavar="DIR",
    help="Where the runs, the table and the pictures go. [default: a new one under runs/]",
)  # fmt: skip
@click.option(
    "--resume", type=parameters.FILE, metavar="DIR",
    help="Go on with the comparison in this directory, as it was set; a larger --seeds adds runs.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Keep the run directory of every campaign.")
@options.workers()
@options.database_url("url")
@options.plugin_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    targets: tuple[str, ...],
    strategies: tuple[str, ...],
    seeds: int | None,
    most: int,
    against: str | None,
    output: Path | None,
    resume: Path | None,
    keep: bool,
    workers: int | None,
    dask: str | None,
    url: str | None,
    plugin_files: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Compare strategies: from the same seeds, how many transactions are attempted until something is found.

    FILE|NAME is a workload file, the name of a shipped workload, or the name of one of the shipped targets.
    """
    from dataclasses import replace

    from txfuzz.campaign.workers.engines import Workers
    from txfuzz.cli.interruption import interruptible
    from txfuzz.common.json_text import json_text
    from txfuzz.common.sanitize import one_line
    from txfuzz.common.sentences import listed
    from txfuzz.compare.compare import compare as run_comparison
    from txfuzz.compare.record import ComparisonSettings
    from txfuzz.compare.strategies import CONTROL, compared_name
    from txfuzz.compare.text import comparison_text

    settings = None
    if resume is not None:
        _check_resumes(ctx)
    else:
        if not targets:
            raise UsageError(f"name at least one target, such as {_some_targets()}")
        if not strategies:
            raise UsageError("--strategies names none")
        strategies = tuple(dict.fromkeys(map(compared_name, strategies)))
        control = compared_name(against or "") or (CONTROL if CONTROL in strategies else strategies[0])
        if control not in strategies:
            raise UsageError(f"--against names {control!r}, which is not compared: add it to --strategies")
        settings = ComparisonSettings(targets, strategies, seeds or _SEEDS, most, control, keep)
    with interruptible() as interrupted:
        comparison, directory = run_comparison(
            settings,
            output=output,
            resume=resume,
            seeds=seeds,
            url=url,
            plugin_files=plugin_files,
            interrupted=interrupted,
            workers=Workers(workers, dask),
            on_progress=_say,
            on_lost=options.say_lost,
        )
    # failures of plugins are said below, once
    table = comparison_text(replace(comparison, failures=()))
    click.echo(json_text(comparison.to_json()) if as_json else table, nl=as_json)
    for failure in comparison.failures:
        click.echo(f"txfuzz: {one_line(failure.told)}", err=True)
    click.echo(f"\nruns and pictures: {directory}", err=True)
    if comparison.interrupted:
        return ExitCode.INTERRUPTED
    useless = dict.fromkeys(each.strategy for each in comparison.failures if each.searches)
    if useless:
        raise PluginError(
            f"{listed(useless)} failed in every call, so that what the table says is not about "
            f"{'it' if len(useless) == 1 else 'them'}"
        )
    return ExitCode.NOTHING_FOUND


def _check_resumes(ctx: click.Context) -> None:
    for name in ("targets", "strategies", "most", "against", "output", "keep"):
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE and ctx.params[name]:
            raise UsageError(
                "--resume takes what is compared from the comparison: beside it there can be only --seeds, "
                "--workers, --dask, --database-url, --plugin-file and --json"
            )


def _some_targets() -> str:
    from txfuzz.common.sentences import listed
    from txfuzz.workload.shipped import shipped_targets

    return listed((name for name, _ in shipped_targets()), "or")


def _say(progress: Progress) -> None:
    """A line on stderr for each run."""
    task, effort = progress.task, progress.effort
    took = f"nothing in {effort.attempted:,}" if effort.transactions is None else f"{effort.transactions:,}"
    setting = f" ({task.setting})" if task.setting else ""
    where = f"{task.target.name}, seed {task.seed}, {task.strategy}{setting}"
    click.echo(f"{progress.done}/{progress.of} {where}: {took}", err=True)
