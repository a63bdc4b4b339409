"""`txfuzz templates`: the installed transaction templates."""

from __future__ import annotations

from pathlib import Path

import click

from txfuzz.cli import options
from txfuzz.cli.listing import table, template_text


@click.command()
@click.argument("name", required=False)
@options.plugin_files
def templates(name: str | None, plugin_files: tuple[Path, ...]) -> None:
    """List the installed transaction templates, or show the steps of one."""
    from txfuzz.plugin.loader import load_plugins

    registry = load_plugins(files=plugin_files)
    if name is not None:
        click.echo(template_text(registry.find("template", name)))
        return
    rows = [(entry.name, entry.about, str(entry.plugin)) for entry in registry.all("template")]
    click.echo(table(rows) if rows else "no templates installed; they come with plugins")
