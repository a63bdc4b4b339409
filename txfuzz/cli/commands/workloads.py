"""`txfuzz workloads`: the workloads that ship with txfuzz."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of workload files, for editors.")
def workloads(name: str | None, schema: bool) -> None:
    """List the shipped workloads and what each looks for, or print one."""
    from txfuzz.cli.listing import table
    from txfuzz.workload.shipped import headline, schema_path, shipped_workloads, workload_path

    if schema or name is not None:
        path = schema_path() if schema or name is None else workload_path(name, None)
        click.echo(path.read_text(encoding="utf-8").rstrip())
        return
    click.echo(table([(known, headline(path)) for known, path in shipped_workloads()]))
