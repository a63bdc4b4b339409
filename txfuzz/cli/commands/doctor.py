"""`txfuzz doctor`: does this installation have all that a campaign needs?"""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import click

from txfuzz.cli import options
from txfuzz.common.version import __version__
from txfuzz.database.api import Adapter, Database, Embeds
from txfuzz.database.faults import Breakable
from txfuzz.database.schemes import ANY_SCHEME, options_of_url, schemes_of
from txfuzz.errors import ExitCode, TxfuzzError
from txfuzz.plugin.registry import Registry

DEFAULT = "default"  # the extra with the plugins of the distribution `txfuzz`
PREFIX = "txfuzz-"  # of our plugins
_EXTRA = re.compile(r"""(?P<name>[\w.-]+)[^;]*;\s*extra\s*==\s*["'](?P<extra>[\w-]+)["']""")


@click.command()
@options.database_url()
@options.plugin_files
def doctor(database_url: str | None, plugin_files: tuple[Path, ...]) -> int:
    """Check this installation and the databases that a campaign could use.

    Opens the database of every installed adapter once and prints what it finds, and which adapters could
    be installed. It is enough if one of them works; a URL is opened by the adapter that it is for.
    """
    from txfuzz.campaign.setup.adapter_choice import adapter_of_scheme
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
    url = chosen(database_url, None)
    opener = None if url is None else adapter_of_scheme(registry, url)
    for entry in registry.all("adapter"):
        if (why := _set_aside(entry.value, entry.name, url, opener)) is not None:
            click.echo(f"{entry.name}: {why}")
            continue
        try:
            _examine(entry.value(**options_of_url(entry.value, url)), url, registry)
            ready = ready or _is_for_databases(entry.value)
        except TxfuzzError as error:
            click.echo(f"{entry.name}: {error}")
            worst = max(worst, error.exit_code)
    if not any(_is_for_databases(entry.value) for entry in registry.all("adapter")):
        click.echo("problem: no database adapter is installed, so only the database in memory can be tested")
        code = ExitCode.USAGE
    for extra in not_installed():
        words = "txfuzz" if extra == DEFAULT else f"'txfuzz[{extra}]'"
        click.echo(f"{extra}: not installed (pip install {words})")
    return code if ready else max(code, worst)


def _is_for_databases(adapter: type) -> bool:
    """Or for tests? Those always work."""
    return not getattr(adapter, "only_by_name", False)


def _set_aside(adapter: type, name: str, url: str | None, opener: str | None) -> str | None:
    """Why it is not opened, None if it is."""
    schemes = schemes_of(adapter)
    if url is None:
        by_url = ANY_SCHEME in schemes
        return "installed; opens any URL that no other adapter calls its own" if by_url else None
    if schemes and opener is not None and name != opener:
        return f"installed; this URL is opened by {opener}"
    return None


def not_installed(distribution: str = "txfuzz-core") -> list[str]:
    """The extras of this distribution that are plugins and of which one is missing."""
    try:
        required = requires(distribution) or []
    except PackageNotFoundError:  # run from a copy of the source
        return []
    found: dict[str, list[str]] = {}
    for each in required:
        named = _EXTRA.fullmatch(each)
        if named is not None and named["name"].startswith(PREFIX):
            found.setdefault(named["extra"], []).append(named["name"])
    return [extra for extra, names in sorted(found.items()) if not all(map(_is_installed, names))]


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


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
