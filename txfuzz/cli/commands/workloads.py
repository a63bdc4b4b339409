"""`txfuzz workloads`: what ships with txfuzz."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
def workloads(name: str | None) -> None:
    """List the shipped workloads with what each hunts, or print one."""
    from txfuzz.cli.listing import table
    from txfuzz.workload.shipped import headline, shipped_workloads, workload_path

    if name is not None:
        click.echo(workload_path(name, None).read_text(encoding="utf-8").rstrip())
        return
    click.echo(table([(known, headline(path)) for known, path in shipped_workloads()]))
