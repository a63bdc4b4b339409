"""`txfuzz templates`: the installed transaction templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from txfuzz.cli import options

if TYPE_CHECKING:
    from txfuzz.workload.template import Template


@click.command()
@click.argument("name", required=False)
@options.plugin_files
def templates(name: str | None, plugin_files: tuple[Path, ...]) -> None:
    """List the installed transaction templates, or show the steps of one."""
    from txfuzz.cli.commands.plugins import table
    from txfuzz.plugin.loader import load_plugins

    registry = load_plugins(files=plugin_files)
    if name is not None:
        click.echo(template_text(registry.find("template", name)))
        return
    rows = [(entry.name, entry.about, str(entry.plugin)) for entry in registry.all("template")]
    click.echo(table(rows) if rows else "no template is installed; plugins bring them")


def template_text(template: Template) -> str:
    """How a workload uses it, and the steps behind it."""
    from txfuzz.workload.yaml.layout import flow

    given = {name: "…" if value is None else value for name, value in template.parameters.items()}
    use = {"template": template.name, **({"with": given} if given else {})}
    dialect = f" (in the SQL of {template.dialect})" if template.dialect else ""
    lines = [f"# {template.about}", f"- {flow(use)}", "", f"# its steps{dialect}:"]
    return "\n".join([*lines, *(f"- {flow(step)}" for step in template.steps)])
