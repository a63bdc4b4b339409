"""`txfuzz run`: the feedback loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from txfuzz.campaign.setup.settings import (
    DEFAULT_ITERATIONS,
    DEFAULT_WORKLOAD,
    SHORT_ITERATIONS,
    CampaignSettings,
    command_to_go_on,
)
from txfuzz.cli import options, parameters
from txfuzz.common.sentences import counted
from txfuzz.errors import UsageError
from txfuzz.feedback.strategy_names import LEARNING
from txfuzz.workload.campaign import SmallScope

if TYPE_CHECKING:
    from txfuzz.report.campaign_result import CampaignResult

_LATEST = ":latest:"  # what --resume without a directory means
_BESIDE_RESUME = (
    "resume", "iterations", "database_url", "runner_cmd", "strict_plugins", "control", "verbose", "quiet",
    "plain", "workers", "dask",
)  # fmt: skip


@click.command()
@options.workload("--config", "--workload")
@options.database_url()
@options.adapter()
@options.isolation
@click.option(
    "--clients", type=click.IntRange(min=1), metavar="N",
    help="Clients that work at once. [default: the workload's]",
)  # fmt: skip
@click.option(
    "--transactions", type=click.IntRange(min=1), metavar="N",
    help="Transactions of each iteration. [default: the workload's]",
)  # fmt: skip
@click.option(
    "--duration", type=parameters.Time(min=0, min_open=True), metavar="TIME",
    help="How long each iteration goes on, such as 10s, instead of a number of transactions.",
)  # fmt: skip
@click.option(
    "--keys", type=click.IntRange(min=1), metavar="N",
    help="Keys that each choice of a transaction draws from: fewer make more conflicts. "
    "[default: the workload's]",
)  # fmt: skip
@click.option(
    "--iterations", type=click.IntRange(min=1), metavar="N",
    help=f"Number of iterations. [default: from the workload's `campaign`, else {DEFAULT_ITERATIONS}, "
    f"or {SHORT_ITERATIONS} with --strategy {LEARNING}]",
)  # fmt: skip
@click.option(
    "--budget", type=parameters.Budget("transactions"), metavar="TIME|N",
    help="Stop the campaign after a time such as 10m, which cuts a run in progress short, or start no "
    "further iteration after N transactions. [default: from the workload's `campaign`, else none]",
)  # fmt: skip
@click.option(
    "--output-dir", "output", type=parameters.FILE, metavar="DIR",
    help="The run directory. [default: a new one under runs/]",
)  # fmt: skip
@options.expect
@options.seed
@click.option("--workload-dir", type=parameters.FILE, metavar="DIR", help="Directory of your own workloads.")
@click.option(
    "--runner-cmd", metavar="CMD",
    help="Make histories with this shell command. Its environment has $WORKLOAD_CONFIG, $HISTORY_OUT and "
    "$ITERATION; unless it mentions $HISTORY_OUT, --config FILE --out FILE is appended.",
)  # fmt: skip
@click.option(
    "--skip-run", is_flag=True,
    help="Start no database: analyse the histories in the run directory, or with --runner-cmd those that "
    "the command puts there.",
)  # fmt: skip
@click.option(
    "--resume", type=parameters.FILE, is_flag=False, flag_value=_LATEST, metavar="[DIR]",
    help="Resume the campaign in this run directory after it was killed or interrupted; without DIR the "
    "latest in runs/. Accepts only "
    "--iterations, --database-url, --workers, --dask, --strict-plugins, --control, --plain, -v and -q "
    "besides, and --runner-cmd if that contained a password.",
)  # fmt: skip
@click.option(
    "--run-replay/--no-run-replay", default=None,
    help="After each iteration, replay what was found or nearly happened.",
)  # fmt: skip
@click.option("--keep-schema-init", is_flag=True, help="Start every iteration from empty tables.")
@click.option(
    "--open-loop", is_flag=True,
    help="Run without feedback and without the small-scope search: `--strategy open-loop`.",
)  # fmt: skip
@click.option(
    "--strategy", metavar="NAME",
    help="How to search; see `txfuzz plugins`. [default: from the workload, else classic]",
)  # fmt: skip
@click.option(
    "--lean", is_flag=True,
    help="Draw no graphs and leave no schedules to replay: as little as possible beside the runs.",
)  # fmt: skip
@click.option(
    "--no-small-scope", is_flag=True,
    help="Do not begin with a short search through schedules of two and three transactions.",
)  # fmt: skip
@click.option(
    "--max-near-cycles", type=click.IntRange(min=0), metavar="N",
    help="How many near-cycles to keep. [default: 12]",
)  # fmt: skip
@options.max_graph_nodes
@click.option(
    "--stop-on-finding/--no-stop-on-finding", default=None,
    help="Stop after the first iteration that finds something.",
)  # fmt: skip
@options.older("--max-seconds", "max_seconds", type=parameters.Seconds(min=0))
@options.older("--max-transactions", "max_transactions", type=click.IntRange(min=1))
@click.option(
    "--plateau", type=click.IntRange(min=1), metavar="N",
    help="Stop after N iterations in a row that show nothing new.",
)  # fmt: skip
@click.option(
    "--control", is_flag=True,
    help="If something is found, say how soon an open loop from the same seed finds something.",
)  # fmt: skip
@options.workers()
@options.plugin_files
@options.plugin_seconds
@options.strict_plugins
@options.screen
@click.pass_context
def run(
    ctx: click.Context,
    /,
    workload: str | Path | None,
    resume: Path | None,
    budget: parameters.TimeOrCount | None,
    control: bool,
    verbose: bool,
    quiet: bool,
    plain: bool,
    no_small_scope: bool,
    workers: int | None,
    dask: str | None,
    **fields: Any,
) -> int:
    """Fuzz a database in a loop: run, analyse, adapt, repeat.

    FILE|NAME is a workload: a file, or one that ships with txfuzz (`txfuzz workloads`). Without arguments,
    runs the default campaign on an embedded server.
    """
    from txfuzz.cli.progress.screen import Screen, unless
    from txfuzz.report.text.status import beginning

    # It stands before the slow imports
    with unless(plain or quiet, Screen(beginning)) as screen:
        from txfuzz.campaign.setup.campaign_setup import with_workload_defaults
        from txfuzz.campaign.workers.engines import Workers
        from txfuzz.cli.progress.campaign import run_on_screen
        from txfuzz.compare.control import check_controllable

        if budget is not None:
            fields |= _budget(budget, fields)
        if resume is not None:
            settings = _resumed(ctx, resume)
        else:
            fields["small_scope"] = SmallScope(schedules=0) if no_small_scope else None
            settings = CampaignSettings(workload=DEFAULT_WORKLOAD if workload is None else workload, **fields)
            if settings.iterations is None:
                settings = _all_there(settings)
            settings = with_workload_defaults(settings)
        if control:
            check_controllable(settings)
        result = run_on_screen(settings, screen, Workers(workers, dask), verbose=verbose, quiet=quiet)
    if result.interrupted:
        _say_interrupted(result, settings)
    if control and not result.interrupted:
        _say_control(result, settings)
    return result.exit_code


def _say_interrupted(result: CampaignResult, settings: CampaignSettings) -> None:
    done, most = len(result.iterations), settings.most_iterations
    if done < most:
        does = "analyses them again" if settings.only_analyzes else "goes on"
        how = f"{command_to_go_on(settings, result.directory)} {does}"
        click.echo(f"interrupted after {done:,} of {counted(most, 'iteration')}: {how}", err=True)


def _budget(budget: parameters.TimeOrCount, fields: dict[str, Any]) -> dict[str, Any]:
    for name in ("max_seconds", "max_transactions"):
        if fields[name] is not None:
            raise UsageError(
                f"--budget and --{name.replace('_', '-')} both limit the campaign; give one of them"
            )
    return {"max_seconds": budget.seconds, "max_transactions": budget.count}


def _say_control(result: CampaignResult, settings: CampaignSettings) -> None:
    from txfuzz.cli.interruption import interruptible
    from txfuzz.compare.control import control_of

    with interruptible() as interrupted:
        found = control_of(result, settings, interrupted)
    if found is not None:
        click.echo(found.sentence)


def _given(ctx: click.Context) -> dict[str, Any]:
    """What the command line says."""
    return {
        parameter.name: ctx.params[parameter.name]
        for parameter in ctx.command.params
        if parameter.name and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }


def _all_there(settings: CampaignSettings) -> CampaignSettings:
    """With --skip-run and no --iterations, as many iterations as have a history."""
    from txfuzz.campaign.sources.resumed import histories_in

    if settings.iterations is not None or settings.output is None or not settings.only_analyzes:
        return settings
    return replace(settings, iterations=max(1, histories_in(settings.output)))


def _resumed(ctx: click.Context, directory: Path) -> CampaignSettings:
    """The settings of the campaign, with the options that may change when it is resumed."""
    from txfuzz.campaign.sources.resumed import resumed_settings

    given = _given(ctx)
    for parameter in ctx.command.params:
        if parameter.name in given and parameter.name not in _BESIDE_RESUME:
            what = "the workload" if parameter.name == "workload" else parameter.opts[0]
            raise UsageError(f"--resume takes {what} from the campaign; omit it")
    if directory == Path(_LATEST):
        directory = options.latest_campaign()
    return replace(
        resumed_settings(
            directory,
            iterations=given.get("iterations"),
            database_url=given.get("database_url"),
            runner_cmd=given.get("runner_cmd"),
        ),
        strict_plugins=bool(given.get("strict_plugins")),
    )
