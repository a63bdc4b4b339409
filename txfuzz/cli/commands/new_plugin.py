"""`txfuzz new-plugin`: a distribution that works, to be changed into one's own."""

from __future__ import annotations

from pathlib import Path

import click

from txfuzz.cli import options
from txfuzz.errors import UsageError
from txfuzz.plugin.scaffold.files import KINDS


@click.command("new-plugin")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True, help="What the plugin brings.")
@click.option(
    "--output-dir", "output", type=options.FILE, metavar="DIR",
    help="The directory to make. [default: txfuzz-NAME]",
)  # fmt: skip
def new_plugin(name: str, kind: str, output: Path | None) -> None:
    """Write a new plugin NAME: a distribution that installs, passes its own tests, and does something.

    NAME is what workloads will say: lower-case words with hyphens. Nothing is installed.
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
    click.echo(
        f"\nThis {kind} {KINDS[kind]}. Next:\n"
        f"  python -m pip install --editable {shlex.quote(f'{directory}[test]')}\n"
        f"  python -m pytest {shlex.quote(str(directory))}\n"
        f"  txfuzz plugins show {name}"
    )


def _check_free(kind: str, name: str, distribution: str) -> None:
    """UsageError where an installed plugin of somebody else brings a thing of this kind and name."""
    from txfuzz.plugin.loader import load_plugins

    for entry in load_plugins().entries.get((kind, name), ()):
        if entry.plugin.distribution != distribution:
            raise UsageError(
                f"{kind} {name!r} is taken: plugin {entry.plugin} brings it; choose another name"
            )
