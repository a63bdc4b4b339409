"""`txfuzz shrink`: a minimal reproducer of a finding, in a self-contained folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from txfuzz.cli import options, parameters
from txfuzz.errors import ExitCode


@click.command()
@click.argument("source", type=parameters.FILE, metavar="[DIR|REPLAY]", required=False)
@click.option(
    "--output-dir", "out", type=parameters.FILE, metavar="DIR",
    help="Directory for the findings. [default: findings/ next to the iterations]",
)  # fmt: skip
@click.option(
    "--attempts", type=click.IntRange(min=1), default=5, show_default=True, metavar="N",
    help="Number of attempts; the anomaly must recur in every one.",
)  # fmt: skip
@click.option(
    "--budget", "seconds", type=parameters.Time(min=0), default=60.0, show_default="1m", metavar="TIME",
    help="Time limit per finding, such as 5m.",
)  # fmt: skip
@click.option(
    "--findings", "most", type=click.IntRange(min=1), default=4, show_default=True, metavar="N",
    help="Shrink at most N anomalies, the shortest first.",
)  # fmt: skip
@options.database_url("url")
@options.adapter()
@options.isolation
@click.option("--expect", metavar="MODEL", help="Consistency model that the anomaly contradicts.")
@options.plugin_files
@click.option("-q", "--quiet", is_flag=True, help="Show only the result.")
@options.exit_code("end with 1 if there is a finding")
def shrink(source: Path | None, quiet: bool, by_verdict: bool, **fields: Any) -> int:
    """Shrink the anomalies of an iteration, a campaign or a replay to minimal reproducers.

    Without an argument, those of the latest campaign in runs/.

    Removes transactions, steps, keys and switches between sessions as long as the same anomaly
    recurs; every candidate is run on the database. Anomalies that shrink to the same reproducer
    count as one finding. Exit code 0 if one was shrunk or there was none to shrink, 3 if no anomaly
    recurred.
    """
    from txfuzz.campaign.shrink import ShrinkSettings, shrink_findings
    from txfuzz.cli.interruption import interruptible

    def progress(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    source = source or options.latest_campaign()
    with interruptible() as interrupted:
        found = shrink_findings(ShrinkSettings(source, **fields), interrupted=interrupted, progress=progress)
    if not found and not interrupted.is_set():
        click.echo("nothing found: no anomaly contradicts the expected model")
        return ExitCode.NOTHING_FOUND
    for finding in found:
        if finding.shrunk is None:
            click.echo(f"{finding.signature.anomaly}: not shrunk: {finding.reason}")
            continue
        click.echo(
            f"{finding.signature.anomaly}: {finding.shrunk.after}, seen {finding.count}×: {finding.directory}"
        )
        if finding.also:
            others = ", ".join(sorted({each.anomaly for each in finding.also}))
            more = f"{len(finding.also)} more anomal{'y' if len(finding.also) == 1 else 'ies'}"
            click.echo(f"  {more} shrank to the same reproducer ({others})")
        if finding.remark:
            click.echo(f"  {finding.remark}")
    if interrupted.is_set():
        return ExitCode.INTERRUPTED
    if not any(each.shrunk for each in found):
        return ExitCode.UNKNOWN
    return ExitCode.VIOLATED if by_verdict else ExitCode.NOTHING_FOUND
