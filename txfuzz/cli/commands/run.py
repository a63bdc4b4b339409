"""`txfuzz run`: the feedback loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from txfuzz.campaign.setup.settings import DEFAULT_ITERATIONS, DEFAULT_WORKLOAD, CampaignSettings
from txfuzz.cli import options
from txfuzz.errors import UsageError

_BESIDE_RESUME = (
    "resume", "iterations", "database_url", "runner_cmd", "strict_plugins", "verbose", "quiet", "plain",
)  # fmt: skip


@click.command()
@click.option("--config", type=options.FILE, metavar="FILE", help="A workload file.")
@click.option("--workload", metavar="NAME", help=f"A workload by its name. [default: {DEFAULT_WORKLOAD}]")
@click.option("--workload-dir", type=options.FILE, metavar="DIR", help="Where workloads of your own are.")
@click.option(
    "--iterations", type=click.IntRange(min=1), metavar="N",
    help=f"Turns of the loop. [default: the workload's `campaign`, else {DEFAULT_ITERATIONS}]",
)  # fmt: skip
@click.option(
    "--output-dir", "output", type=options.FILE, metavar="DIR",
    help="The run directory. [default: a new one under runs/]",
)  # fmt: skip
@options.database_url()
@options.isolation
@options.expect
@options.seed
@click.option(
    "--runner-cmd", metavar="CMD",
    help="Make histories by this command of the shell. It finds $WORKLOAD_CONFIG, $HISTORY_OUT and "
    "$ITERATION in its environment; unless it names $HISTORY_OUT, it gets --config FILE --out FILE, too.",
)  # fmt: skip
@click.option(
    "--skip-run",
    is_flag=True,
    help="Start no database: analyse the histories in the run directory. With --runner-cmd: that the command "
    "puts there.",
)
@click.option(
    "--resume", type=options.FILE, metavar="DIR",
    help="Go on with the campaign in this run directory, killed or interrupted. Of the other options only "
    "--iterations, --database-url, --strict-plugins, -v and -q may stand beside it; and --runner-cmd, where "
    "that held a password.",
)  # fmt: skip
@click.option(
    "--run-replay/--no-run-replay", default=None,
    help="After each iteration, replay what was found or nearly happened.",
)  # fmt: skip
@click.option("--keep-schema-init", is_flag=True, help="Start every iteration from empty tables.")
@click.option("--open-loop", is_flag=True, help="The same run without feedback.")
@click.option(
    "--max-near-cycles", type=click.IntRange(min=0), metavar="N",
    help="How many near-cycles to keep. [default: 12]",
)  # fmt: skip
@options.max_graph_nodes
@click.option(
    "--stop-on-finding/--no-stop-on-finding", default=None,
    help="End with the first iteration that finds something.",
)  # fmt: skip
@click.option(
    "--max-seconds", type=options.Seconds(min=0), metavar="S",
    help="End after so many seconds: a run that is under way then is cut short, and analysed.",
)  # fmt: skip
@click.option(
    "--max-transactions", type=click.IntRange(min=1), metavar="N",
    help="Begin no further iteration after so many transactions.",
)  # fmt: skip
@click.option(
    "--plateau", type=click.IntRange(min=1), metavar="N",
    help="End after so many iterations in a row that show nothing new.",
)  # fmt: skip
@options.plugin_files
@options.plugin_seconds
@options.strict_plugins
@options.screen
@click.pass_context
def run(
    ctx: click.Context,
    /,
    config: Path | None,
    workload: str | None,
    resume: Path | None,
    verbose: bool,
    quiet: bool,
    plain: bool,
    **fields: Any,
) -> int:
    """Fuzz a database in a loop: run, analyse, adapt, repeat.

    Without arguments: the default campaign on an embedded server.
    """
    from txfuzz.campaign.setup.campaign_setup import with_workload_defaults
    from txfuzz.cli.campaign_screen import run_on_screen

    if config is not None and workload is not None:
        raise UsageError("--config and --workload both name a workload; give one of them")
    if resume is not None:
        settings = _resumed(ctx, resume)
    else:
        named = workload if config is None else config
        settings = CampaignSettings(workload=DEFAULT_WORKLOAD if named is None else named, **fields)
        if settings.iterations is None:
            settings = _all_there(settings)
        settings = with_workload_defaults(settings)
    return run_on_screen(settings, plain=plain, verbose=verbose, quiet=quiet).exit_code


def _given(ctx: click.Context) -> dict[str, Any]:
    """What the command line says."""
    return {
        parameter.name: ctx.params[parameter.name]
        for parameter in ctx.command.params
        if parameter.name and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }


def _all_there(settings: CampaignSettings) -> CampaignSettings:
    """With --skip-run as many iterations as have a history, where the command line says nothing."""
    from txfuzz.campaign.sources.resumed import histories_in

    if settings.output is None or not settings.only_analyzes:
        return settings
    return replace(settings, iterations=max(1, histories_in(settings.output)))


def _resumed(ctx: click.Context, directory: Path) -> CampaignSettings:
    """The settings of an earlier campaign, and of the command line what may change them."""
    from txfuzz.campaign.sources.resumed import resumed_settings

    given = _given(ctx)
    for parameter in ctx.command.params:
        if parameter.name in given and parameter.name not in _BESIDE_RESUME:
            raise UsageError(f"--resume takes {parameter.opts[0]} from the campaign; leave it out")
    return replace(
        resumed_settings(
            directory,
            iterations=given.get("iterations"),
            database_url=given.get("database_url"),
            runner_cmd=given.get("runner_cmd"),
        ),
        strict_plugins=bool(given.get("strict_plugins")),
    )
