"""`txfuzz forms`: the statements and tables that hunts are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from txfuzz.cli import options
from txfuzz.cli.listing import table
from txfuzz.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from txfuzz.hunt.form import Effect, Form
    from txfuzz.hunt.layout import Layout


@click.command()
@click.argument("name", required=False)
@click.option("--adapter", metavar="NAME", help="Only those of this database.")
@options.plugin_files
def forms(name: str | None, adapter: str | None, plugin_files: tuple[Path, ...]) -> None:
    """List the forms of statements and the layouts of tables that `txfuzz hunt` combines, or show one."""
    from txfuzz.campaign.hunt.settings import forms_of, holes_of, hunting_adapters, layouts_of
    from txfuzz.plugin.loader import load_plugins

    registry = load_plugins(files=plugin_files)
    adapters = hunting_adapters(registry)
    if adapter is not None and adapter not in adapters:
        raise UsageError(f"the adapter {adapter!r} has no forms: {did_you_mean(adapter, adapters)}")
    chosen = adapters if adapter is None else (adapter,)
    if not chosen:
        click.echo("no forms installed; they come with the plugins of databases")
    if name is not None:
        click.echo("\n\n".join(_shown(name, chosen, registry)))
        return
    for number, each in enumerate(chosen):
        click.echo(f"{chr(10) if number else ''}forms of {each}:")
        click.echo(table([(one.name, one.about) for one in forms_of(registry, each).values()], "  "))
        click.echo(f"\nlayouts of {each}:")
        click.echo(table([(one.name, one.about) for one in layouts_of(registry, each).values()], "  "))
        holes = holes_of(registry, each)
        if holes:
            click.echo(f"\nholes of {each} that are known:")
            click.echo(table([(hole.name, hole.reference) for hole in holes], "  "))


def _shown(name: str, adapters: tuple[str, ...], registry: object) -> list[str]:
    from txfuzz.campaign.hunt.settings import forms_of, layouts_of
    from txfuzz.plugin.registry import Registry

    assert isinstance(registry, Registry)
    known: set[str] = set()
    found = []
    for adapter in adapters:
        forms, layouts = forms_of(registry, adapter), layouts_of(registry, adapter)
        known |= {*forms, *layouts}
        if name in forms:
            found.append("\n".join(_form_lines(forms[name])))
        if name in layouts:
            found.append("\n".join(_layout_lines(layouts[name])))
    if not found:
        raise UsageError(f"no form or layout {name!r}: {did_you_mean(name, known)}")
    return found


def _form_lines(form: Form) -> Iterator[str]:
    yield f"{form.adapter} form {form.name}: {form.about}"
    yield from (f"  {statement}" for statement in form.statements)
    yield f"  on the row of its key: {_effect(form.effect)}"
    if form.without_other is not None:
        yield f"    where there is no row of the second key: {_effect(form.without_other)}"
    if form.other is not None:
        yield f"  on the row of the second key: {_effect(form.other)}"
    yield f"  returns {'rows' if form.returns_rows else 'the number of rows changed'}"
    if form.needs:
        yield f"  needs {', '.join(sorted(form.needs))}"


def _effect(effect: Effect) -> str:
    return f"{effect.absent.value} if absent, {effect.present.value} if present"


def _layout_lines(layout: Layout) -> Iterator[str]:
    yield f"{layout.adapter} layout {layout.name}: {layout.about}"
    yield from (f"  {statement}" for statement in layout.setup)
    if layout.setup_others is not None:
        yield "  the tables of the other keys:"
        yield from (f"    {statement}" for statement in layout.setup_others)
    yield from (f"  in each session: {statement}" for statement in layout.settings)
    if layout.has:
        yield f"  has {', '.join(sorted(layout.has))}"
