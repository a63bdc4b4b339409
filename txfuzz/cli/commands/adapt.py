"""`txfuzz adapt`: the feedback loop, starting from any history."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.cli import options, parameters
from txfuzz.errors import ExitCode, UsageError

_NEED_EXECUTE = ("iterations", "run_replay", "runner_cmd")


@click.command()
@options.workload("--prev-workload", required=True)
@click.option(
    "--history", type=parameters.FILE, required=True, metavar="FILE", help="A history in Elle's format."
)
@click.option(
    "--output-dir", "--output-root", "output_root", type=parameters.FILE, default=Path("runs"),
    show_default=True, metavar="DIR",
    help="Directory for iter_00, iter_01, …; if it holds a campaign, a new directory inside it.",
)  # fmt: skip
@click.option("--execute", is_flag=True, help="Also run the next workloads.")
@click.option(
    "--iterations", type=click.IntRange(min=1), metavar="N",
    help="With --execute: how many workloads to run. [default: from the workload's `campaign`, else 1]",
)  # fmt: skip
@options.database_url()
@options.adapter()
@options.isolation
@options.expect
@options.seed
@click.option(
    "--runner-cmd", metavar="CMD",
    help="With --execute: make histories with this shell command, as `txfuzz run` does.",
)  # fmt: skip
@click.option(
    "--run-replay/--no-run-replay", default=None,
    help="With --execute: replay what was found or nearly happened.",
)  # fmt: skip
@options.max_graph_nodes
@options.plugin_files
@options.plugin_seconds
@options.strict_plugins
@options.screen
@click.pass_context
def adapt(
    ctx: click.Context,
    /,
    history: Path,
    workload: str | Path,
    output_root: Path,
    execute: bool,
    iterations: int | None,
    verbose: bool,
    quiet: bool,
    plain: bool,
    **fields: object,
) -> int:
    """Analyse a history and the workload FILE|NAME that produced it, and write the workload to run next.

    The history may come from any runner. Both are archived with the analysis, the graphs, the
    replay, and notes.md, which explains every change. Without --execute, nothing is run. The exit
    code is the verdict on the histories.
    """
    from txfuzz.cli.progress.screen import Screen, unless
    from txfuzz.report.text.status import beginning

    _check(ctx)
    with unless(plain or quiet, Screen(beginning)) as screen:
        from txfuzz.campaign.directory.run_directory import archive_path
        from txfuzz.cli.progress.campaign import run_on_screen
        from txfuzz.workload.campaign import Campaign
        from txfuzz.workload.shipped import workload_path
        from txfuzz.workload.yaml.campaign import campaign_in

        stanza = campaign_in(workload_path(workload, None)) or Campaign()
        runs = next((number for number in (iterations, stanza.iterations) if number is not None), 1)
        settings = CampaignSettings(
            workload=workload,
            history=history,
            execute=execute,
            iterations=1 + runs if execute else 1,
            output=archive_path(output_root),
            **fields,  # type: ignore[arg-type]
        )
        result = run_on_screen(settings, screen, verbose=verbose, quiet=quiet)
    last = result.directory / f"iter_{len(result.iterations) - 1:02d}"
    click.echo(f"notes: {last / 'notes.md'}")
    click.echo(f"next workload: {last / 'next_workload.yaml'}")
    return ExitCode(result.exit_code)


def _check(ctx: click.Context) -> None:
    """UsageError for options that have no effect without --execute."""
    for parameter in ctx.command.params:
        given = ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name in _NEED_EXECUTE and not ctx.params["execute"]:
            raise UsageError(f"{parameter.opts[0]} needs --execute")
