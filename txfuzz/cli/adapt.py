"""`txfuzz adapt`: the loop, from a history that anybody has made."""

from __future__ import annotations

from pathlib import Path

import click

from txfuzz.campaign.settings import CampaignSettings
from txfuzz.errors import ExitCode

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--history", type=_FILE, required=True, metavar="FILE", help="A history that Elle reads.")
@click.option(
    "--prev-workload", "workload", type=_FILE, required=True, metavar="FILE",
    help="The workload that made it: a file or a name.",
)  # fmt: skip
@click.option(
    "--output-root", type=_FILE, default=Path("runs"), show_default=True, metavar="DIR",
    help="Where the run directory is made.",
)  # fmt: skip
@click.option("--execute", is_flag=True, help="Run the next workloads, too.")
@click.option(
    "--iterations", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
    help="With --execute: how many workloads to run.",
)  # fmt: skip
@click.option(
    "--database-url", metavar="URL",
    help="A server of your own. [default: $DATABASE_URL, else an embedded server]",
)  # fmt: skip
@click.option("--isolation", metavar="LEVEL", help="The database's isolation level, in its own words.")
@click.option("--expect", metavar="MODEL", help="The consistency model to hold the histories against.")
@click.option("--seed", type=int, metavar="N", help="The root of everything chosen at random.")
@click.option("--run-replay", is_flag=True, help="With --execute: replay what was found or nearly happened.")
@click.option(
    "--max-graph-nodes", type=click.IntRange(min=0), default=200, show_default=True, metavar="N",
    help="Draw no dependency graph of more transactions than this.",
)  # fmt: skip
@click.option("--strict-plugins", is_flag=True, help="Stop at a plugin that is broken or clashes.")
@click.option("-v", "--verbose", is_flag=True, help="Show every decision with its reason.")
@click.option("-q", "--quiet", is_flag=True, help="Show the result only.")
@click.option("--plain", is_flag=True, help="Plain lines in a terminal, too, instead of a status screen.")
def adapt(
    history: Path,
    workload: Path,
    output_root: Path,
    execute: bool,
    iterations: int,
    verbose: bool,
    quiet: bool,
    plain: bool,
    **fields: object,
) -> int:
    """Take a history and the workload that made it, and write the workload to run next.

    The history may come from any runner. Both are archived with the analysis, the graphs, the
    replay, and notes.md, which explains every change. Without --execute it stops there; the exit
    code is the verdict on the histories.
    """
    from txfuzz.campaign.directory import new_path
    from txfuzz.campaign.loop import run_campaign
    from txfuzz.cli.interruption import interruptible
    from txfuzz.cli.screen import screen

    settings = CampaignSettings(
        workload=workload,
        history=history,
        execute=execute,
        iterations=1 + iterations if execute else 1,
        output=new_path(output_root, "adapt"),
        **fields,  # type: ignore[arg-type]
    )
    with (
        interruptible() as interrupted,
        screen(settings.iterations, plain=plain, verbose=verbose, quiet=quiet) as watcher,
    ):
        result = run_campaign(settings, interrupted=interrupted, watcher=watcher)
    last = result.directory / f"iter_{len(result.iterations) - 1:02d}"
    click.echo(f"notes: {last / 'notes.md'}")
    click.echo(f"next workload: {last / 'next_workload.yaml'}")
    return ExitCode(result.exit_code)
