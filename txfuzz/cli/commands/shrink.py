"""`txfuzz shrink`: a finding as small as it can be, in a folder that can be mailed."""

from __future__ import annotations

from pathlib import Path

import click

from txfuzz.cli import options
from txfuzz.errors import ExitCode


@click.command()
@click.argument("source", type=options.FILE, metavar="DIR|REPLAY")
@click.option(
    "--output-dir", "out", type=options.FILE, metavar="DIR",
    help="Where the folders of findings go. [default: findings/ beside the iterations]",
)  # fmt: skip
@click.option(
    "--attempts", type=click.IntRange(min=1), default=5, show_default=True, metavar="N",
    help="In every one of so many attempts the anomaly must recur.",
)  # fmt: skip
@click.option(
    "--budget", "seconds", type=options.Seconds(min=0), default=60.0, show_default=True,
    metavar="SECONDS", help="How long one finding may take.",
)  # fmt: skip
@click.option(
    "--findings", "most", type=click.IntRange(min=1), default=4, show_default=True, metavar="N",
    help="How many anomalies, the shortest first; those that shrink to the same are one finding.",
)  # fmt: skip
@options.database_url("url")
@options.isolation
@click.option("--expect", metavar="MODEL", help="The consistency model that the anomaly contradicts.")
@options.plugin_files
@click.option("-q", "--quiet", is_flag=True, help="Show the result only.")
def shrink(
    source: Path,
    out: Path | None,
    attempts: int,
    seconds: float,
    most: int,
    url: str | None,
    isolation: str | None,
    expect: str | None,
    plugin_files: tuple[Path, ...],
    quiet: bool,
) -> int:
    """Make the anomalies of an iteration, a campaign or a replay small.

    Every candidate runs on the database; fewer transactions, steps, keys and switches between
    sessions are kept while the same anomaly recurs. Anomalies that shrink to the same reproducer
    are one finding. Exit code 1 when there is a finding, 3 when
    what was found did not recur.
    """
    from txfuzz.campaign.shrink import ShrinkSettings, shrink_findings
    from txfuzz.cli.interruption import interruptible

    def progress(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    settings = ShrinkSettings(source, out, attempts, seconds, most, url, isolation, expect, plugin_files)
    with interruptible() as interrupted:
        found = shrink_findings(settings, interrupted=interrupted, progress=progress)
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
            click.echo(f"  it stands for {more} that shrank to the same ({others})")
        if finding.remark:
            click.echo(f"  {finding.remark}")
    if interrupted.is_set():
        return ExitCode.INTERRUPTED
    return ExitCode.VIOLATED if any(each.shrunk for each in found) else ExitCode.UNKNOWN
