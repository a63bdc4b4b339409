"""`txfuzz doctor`: does this installation have all that a campaign needs?"""

from __future__ import annotations

import platform
from pathlib import Path

import click

from txfuzz.cli import options
from txfuzz.common.version import __version__
from txfuzz.database.api import Adapter, Database, Embeds
from txfuzz.database.faults import Breakable
from txfuzz.errors import ExitCode, TxfuzzError
from txfuzz.plugin.registry import Registry


@click.command()
@options.database_url()
@options.plugin_files
def doctor(database_url: str | None, plugin_files: tuple[Path, ...]) -> int:
    """Check this installation and the databases that a campaign could use.

    Opens the database of every installed adapter once and prints what it finds. It is enough if one
    of them works; a URL, for instance, is only for the adapter that understands it.
    """
    from txfuzz.campaign.setup.resolve import database_url as chosen
    from txfuzz.plugin.loader import load_plugins

    registry = load_plugins(files=plugin_files)
    click.echo(f"txfuzz {__version__} on Python {platform.python_version()}")
    code = ExitCode.NOTHING_FOUND
    for sentence in (*map(str, registry.problems), *registry.clashes()):
        click.echo(f"problem: {sentence}")
        code = ExitCode.USAGE
    ready = False
    worst = ExitCode.NOTHING_FOUND
    for entry in registry.all("adapter"):
        try:
            _examine(entry.value(), chosen(database_url, None), registry)
            ready = ready or not getattr(entry.value, "only_by_name", False)  # those for tests always work
        except TxfuzzError as error:
            click.echo(f"{entry.name}: {error}")
            worst = max(worst, error.exit_code)
    return code if ready else max(code, worst)


def _examine(adapter: Adapter, url: str | None, registry: Registry) -> None:
    """Open the adapter's database and print what it finds."""
    from txfuzz.cli.listing import table

    with adapter.open(url) as database:
        click.echo(f"{adapter.name}: ready")
        click.echo(table(list(database.describe().items()), "  "))
        able, reasons = _faults(adapter, database, registry)
        if able:
            click.echo(f"  faults that can be injected here: {', '.join(able)}")
        for reason, names in reasons.items():
            click.echo(f"  not available here: {', '.join(names)} ({reason})")
        for sentence in database.warnings():
            click.echo(f"  warning: {sentence}")
    if isinstance(adapter, Embeds):
        for number, server in enumerate(adapter.servers()):
            click.echo(f"  {'without a URL' if number == 0 else 'otherwise'}: {server}")


def _faults(
    adapter: Adapter, database: Database, registry: Registry
) -> tuple[list[str], dict[str, list[str]]]:
    """The faults that can be injected into this database, and the others by reason."""
    able: list[str] = []
    reasons: dict[str, list[str]] = {}
    for entry in registry.all("fault"):
        if isinstance(database, Breakable) and entry.value.needs in adapter.capabilities().faults:
            reason = database.injector().cannot(entry.value.needs)
            (able if reason is None else reasons.setdefault(reason, [])).append(entry.name)
    return able, reasons
