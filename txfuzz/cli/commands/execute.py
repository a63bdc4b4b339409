"""`txfuzz execute`: one workload, one history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from txfuzz.cli import options, parameters
from txfuzz.errors import ExitCode

if TYPE_CHECKING:
    from txfuzz.replay.result import ReplayResult


@click.command()
@options.workload("--config", required=True)
@click.option(
    "--out", type=parameters.FILE, envvar="HISTORY_OUT", required=True, metavar="FILE",
    help="Where to write the history.",
)  # fmt: skip
@click.option("--init", is_flag=True, help="Start from empty tables, whatever the workload says.")
@options.database_url("url")
@options.adapter()
@options.isolation
@options.seed
@click.option(
    "--attempts", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
    help="How many times to follow the schedule of a replay.",
)  # fmt: skip
@options.plugin_files
@options.strict_plugins
@options.exit_code("end with 1 if a replay contradicts the expected model")
def execute(workload: str | Path, out: Path, by_verdict: bool, **fields: Any) -> int:
    """Run one workload, a file or the name of one that ships with txfuzz, and record its history.

    A workload with an enabled `replay` stanza is replayed: its schedule is followed exactly, and what
    the sessions saw is checked. To check the history of any other workload, use `txfuzz analyze`.
    Exit code 0 if the workload has run, whatever a replay showed; 3 if nothing committed, or if a replay
    is inconclusive.
    """
    from txfuzz.campaign.execute import record
    from txfuzz.cli.interruption import interruptible
    from txfuzz.replay.result import ReplayResult

    with interruptible() as interrupted:
        summary, warnings = record(workload, out, interrupted=interrupted, **fields)
    for sentence in warnings:
        click.echo(f"txfuzz: {sentence}", err=True)
    if isinstance(summary, ReplayResult):
        return ExitCode.INTERRUPTED if interrupted.is_set() else _show_replay(summary, by_verdict)
    click.echo(
        f"{out}: {summary.asked:,} transactions in {summary.seconds:.1f} s: {summary.ok:,} ok, "
        f"{summary.fail:,} fail, {summary.info:,} info; {summary.final_reads:,} final reads"
    )
    if summary.failure is not None:
        raise summary.failure
    if summary.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.NOTHING_FOUND if summary.ok else ExitCode.UNKNOWN


def _show_replay(result: ReplayResult, by_verdict: bool) -> ExitCode:
    from txfuzz.report.text.replay import replay_text

    click.echo(replay_text(result))
    if result.violated:
        return ExitCode.VIOLATED if by_verdict else ExitCode.NOTHING_FOUND
    unknown = result.ended or result.unseen or not result.committed
    return ExitCode.UNKNOWN if unknown else ExitCode.NOTHING_FOUND
