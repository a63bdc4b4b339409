"""`txfuzz new-plugin`: a working distribution to start your own plugin from."""

from __future__ import annotations

from pathlib import Path

import click

from txfuzz.cli import parameters
from txfuzz.errors import UsageError
from txfuzz.plugin.scaffold.files import KINDS


@click.command("new-plugin")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True, help="What the plugin provides.")
@click.option(
    "--output-dir", "output", type=parameters.FILE, metavar="DIR",
    help="Directory to create. [default: txfuzz-NAME]",
)  # fmt: skip
def new_plugin(name: str, kind: str, output: Path | None) -> None:
    """Create the plugin NAME: a distribution that installs, works, and passes its own tests.

    NAME is the name to use in workloads: lower-case words with hyphens. Nothing is installed.
    """
    import shlex

    from txfuzz.common.version import __version__
    from txfuzz.plugin.scaffold.files import files_of, write_plugin
    from txfuzz.plugin.scaffold.names import names_of

    names = names_of(name)
    _check_free(kind, name, names.distribution)
    directory = output or Path(names.distribution)
    files = files_of(names, kind, __version__)
    write_plugin(files, directory)
    for path in files:
        click.echo(directory / path)
    show = "forms" if kind == "form" else "plugins show"
    click.echo(
        f"\nThis {kind} {KINDS[kind]}. Next:\n"
        f"  python -m pip install --editable {shlex.quote(f'{directory}[test]')}\n"
        f"  python -m pytest {shlex.quote(str(directory))}\n"
        f"  txfuzz {show} {name}"
    )


def _check_free(kind: str, name: str, distribution: str) -> None:
    """UsageError if another installed plugin provides this kind and name."""
    from txfuzz.plugin.loader import load_plugins

    of_adapters = (entry for entry in load_plugins().all("form") if entry.value.name == name)
    claimed = of_adapters if kind == "form" else load_plugins().entries.get((kind, name), ())
    for entry in claimed:
        if entry.plugin.distribution != distribution:
            raise UsageError(
                f"{kind} {name!r} is already provided by plugin {entry.plugin}; choose another name"
            )
