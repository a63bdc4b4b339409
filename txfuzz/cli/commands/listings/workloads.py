"""`txfuzz workloads` and `txfuzz templates`: what ships with txfuzz or is installed, as lists."""

from __future__ import annotations

from pathlib import Path

import click

from txfuzz.cli import options
from txfuzz.cli.listing import table, template_text


@click.command()
@click.argument("name", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of workload files, for editors.")
@click.option("--targets", is_flag=True, help="List those to compare strategies on instead.")
def workloads(name: str | None, schema: bool, targets: bool) -> None:
    """List the shipped workloads and what each looks for, or print one."""
    from txfuzz.workload.shipped import (
        headline,
        schema_path,
        shipped_targets,
        shipped_workloads,
        workload_path,
    )

    if schema or name is not None:
        known = dict(shipped_targets())
        path = schema_path() if schema or name is None else known.get(name) or workload_path(name, None)
        click.echo(path.read_text(encoding="utf-8").rstrip())
        return
    listed = shipped_targets() if targets else shipped_workloads()
    click.echo(table([(each, headline(path)) for each, path in listed]))


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
