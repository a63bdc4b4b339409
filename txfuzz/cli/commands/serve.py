"""`txfuzz serve`: campaigns, hunts, checks and matrices in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from txfuzz.cli.parameters import FILE
from txfuzz.errors import ExitCode


@click.command()
@click.argument("runs", type=FILE, metavar="[RUNS]", default=Path("runs"), required=False)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
    help="Where to listen. Anyone who can reach an address other than a loopback one can read the runs.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="N",
    help="The port; 0 takes any that is free.",
)  # fmt: skip
def serve(runs: Path, host: str, port: int) -> int:
    """Show the runs in RUNS in a browser; RUNS may also be a single run. [default: runs]

    All campaigns, hunts, checks, matrices and comparisons with their verdicts, and a campaign while it runs.
    Nothing can be changed there. Ctrl-C ends it.
    """
    from txfuzz.serve.server import serve as run_server

    def ready(url: str) -> None:
        click.echo(f"{url} shows the runs in {runs}; Ctrl-C ends it")
        if not _loopback(host):
            click.echo(f"txfuzz: anyone who can reach {host} can read them: there is no password", err=True)

    run_server(runs, host, port, ready)
    return ExitCode.NOTHING_FOUND


def _loopback(host: str) -> bool:
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
