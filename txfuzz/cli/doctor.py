"""`txfuzz doctor`: is everything here that a campaign needs?"""

from __future__ import annotations

import platform

import click

import txfuzz
from txfuzz.errors import ExitCode, TxfuzzError


@click.command()
@click.option(
    "--database-url", metavar="URL",
    help="A server of your own. [default: $DATABASE_URL, else an embedded server]",
)  # fmt: skip
def doctor(database_url: str | None) -> int:
    """Check this installation, and the database that a campaign would use.

    Opens the database of every installed adapter once and prints what it found there.
    """
    from txfuzz.campaign.assembling import database_url as chosen
    from txfuzz.cli.plugins import table
    from txfuzz.plugin.loading import load_plugins

    registry = load_plugins()
    click.echo(f"txfuzz {txfuzz.__version__} on Python {platform.python_version()}")
    code = ExitCode.NOTHING_FOUND
    for sentence in (*map(str, registry.problems), *registry.clashes()):
        click.echo(f"problem: {sentence}")
        code = ExitCode.USAGE
    for entry in registry.all("adapter"):
        try:
            with entry.value().open(chosen(database_url, None)) as database:
                click.echo(f"{entry.name}: ready")
                click.echo(table(list(database.describe().items()), "  "))
                for sentence in database.warnings():
                    click.echo(f"  warning: {sentence}")
        except TxfuzzError as error:
            click.echo(f"{entry.name}: {error}")
            code = error.exit_code
    return code
