"""`txfuzz explore`: the interleavings of a few transactions, at each isolation level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from txfuzz.cli import options, parameters
from txfuzz.cli.terminal import laid_out
from txfuzz.common.json_text import json_text
from txfuzz.errors import ExitCode


@click.command()
@click.argument("workload", type=parameters.WorkloadName(), metavar=parameters.FILE_OR_NAME)
@click.option(
    "--transactions", required=True, metavar="A,B[,C]",
    help="Transactions of the workload; the same one may be listed twice.",
)  # fmt: skip
@click.option(
    "--isolation", multiple=True, metavar="LEVEL", type=parameters.LEVEL,
    help="Isolation level. Repeatable. [default: all levels]",
)  # fmt: skip
@click.option("--expect", metavar="MODEL", help="Consistency model to check against. [default: serializable]")
@click.option(
    "--schedules", "most", type=click.IntRange(min=1), default=2000, show_default=True, metavar="N",
    help="Run at most N schedules per level; if there are more, a random sample.",
)  # fmt: skip
@click.option(
    "--rows", type=click.Choice(["fresh", "inserted"]),
    help="Create rows on the first write, or insert them beforehand. [default: from the workload's `keys`]",
)  # fmt: skip
@click.option("--seed", type=int, metavar="N", help="Seed of the sample.")
@click.option(
    "--output-dir", "output", type=parameters.FILE, metavar="DIR",
    help="Write explore.json there, and a replay of each anomaly at each level.",
)  # fmt: skip
@options.workers()
@options.database_url("url")
@options.adapter()
@options.plugin_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
def explore(
    workload: str,
    transactions: str,
    output: Path | None,
    workers: int | None,
    dask: str | None,
    as_json: bool,
    **fields: Any,
) -> int:
    """Run the interleavings of a few transactions of a workload: what each isolation level lets pass.

    Interleavings that differ only in the order of commuting steps are run once. Exit code 1 if a
    level allows what it promises to prevent, 3 if there was nothing to check: no transaction
    depended on another in a micro-operation.
    """
    from txfuzz.campaign.explore.explore import explore_workload
    from txfuzz.campaign.workers.engines import Workers
    from txfuzz.cli.interruption import interruptible
    from txfuzz.cli.progress.line import exploration_line
    from txfuzz.report.text.exploration import exploration_text

    names = [name.strip() for name in transactions.split(",") if name.strip()]
    with interruptible() as interrupted, exploration_line(Path(workload).stem) as come_to:
        found = explore_workload(
            workload,
            names,
            output=output,
            interrupted=interrupted,
            workers=Workers(workers, dask),
            on_lost=options.say_lost,
            on_progress=come_to,
            **fields,
        )
    with laid_out():
        click.echo(json_text(found.to_json()) if as_json else exploration_text(found))
    if output is not None and not as_json:
        click.echo(f"\nreplays: {output}")
    if interrupted.is_set():
        return ExitCode.INTERRUPTED
    if found.broken:
        return ExitCode.VIOLATED
    return ExitCode.NOTHING_FOUND if found.judged else ExitCode.UNKNOWN
