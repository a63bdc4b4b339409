"""`txfuzz forms`: the statements and tables that hunts are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from txfuzz.cli import options
from txfuzz.cli.listing import table
from txfuzz.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from txfuzz.hunt.form import Effect, Form
    from txfuzz.hunt.layout import Layout
    from txfuzz.plugin.registry import Registry, RegistryEntry


@click.command()
@click.argument("name", required=False)
@click.option("--adapter", metavar="NAME", help="Only those of this database.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the tables.")
@options.plugin_files
def forms(name: str | None, adapter: str | None, as_json: bool, plugin_files: tuple[Path, ...]) -> None:
    """List the forms of statements and the layouts of tables that `txfuzz hunt` combines, or show one."""
    from txfuzz.campaign.hunt.settings import hunting_adapters
    from txfuzz.common.json_text import json_text
    from txfuzz.plugin.loader import load_plugins

    registry = load_plugins(files=plugin_files)
    adapters = hunting_adapters(registry)
    if adapter is not None and adapter not in adapters:
        raise UsageError(f"the adapter {adapter!r} has no forms: {did_you_mean(adapter, adapters)}")
    chosen = adapters if adapter is None else (adapter,)
    entries = [
        entry
        for kind in ("form", "layout", "known hole")
        for entry in registry.all(kind)
        if entry.value.adapter in chosen
    ]
    if name is not None:
        entries = _named(name, entries)
    if as_json:
        click.echo(json_text(_data(chosen, entries)))
    elif not chosen:
        click.echo("no forms installed; they come with the plugins of databases")
    elif name is not None:
        click.echo("\n\n".join("\n".join(_lines(entry, registry)) for entry in entries))
    else:
        click.echo("\n\n".join(_tables(chosen, entries)))


def _named(name: str, entries: list[RegistryEntry]) -> list[RegistryEntry]:
    shown = [entry for entry in entries if entry.kind != "known hole"]
    found = [entry for entry in shown if entry.value.name == name]
    if not found:
        raise UsageError(f"no form or layout {name!r}: {did_you_mean(name, {e.value.name for e in shown})}")
    return found


def _tables(adapters: tuple[str, ...], entries: list[RegistryEntry]) -> Iterator[str]:
    for adapter in adapters:
        own = [entry for entry in entries if entry.value.adapter == adapter]
        for plugin in dict.fromkeys(entry.plugin for entry in own):
            for kind in ("form", "layout", "known hole"):
                of_kind = [entry for entry in own if (entry.kind, entry.plugin) == (kind, plugin)]
                if of_kind:
                    what = "holes that are known" if kind == "known hole" else f"{kind}s"
                    yield f"{what} of {adapter}, from {plugin}:\n{table([*map(_row, of_kind)], '  ')}"


def _row(entry: RegistryEntry) -> tuple[str, ...]:
    value = entry.value
    if entry.kind == "form":
        return (value.name, _does(value), value.about)
    return (value.name, value.reference if entry.kind == "known hole" else value.about)


def _does(form: Form) -> str:
    """To rows in some state: "reads", or "inserts, updates"."""
    words = {"insert": "inserts", "update": "updates", "delete": "deletes"}
    effects = [effect for effect in form.deed if effect is not None]
    done = {change.value for effect in effects for change in (effect.absent, effect.present)}
    told = ", ".join(words[each] for each in words if each in done) or "reads"
    return f"{told} (two keys)" if form.keys > 1 else told


def _lines(entry: RegistryEntry, registry: Registry) -> Iterator[str]:
    value = entry.value
    yield f"{value.adapter} {entry.kind} {value.name}: {value.about}"
    yield from _form_lines(value) if entry.kind == "form" else _layout_lines(value)
    yield f"  from {entry.plugin}"
    for hole in (each.value for each in registry.all("known hole")):
        if entry.kind == "form" and hole.adapter == value.adapter and value.name in hole.forms:
            yield f"  known hole {hole.name}: see {hole.reference}"


def _form_lines(form: Form) -> Iterator[str]:
    modes = (" READ ONLY" if form.mode.read_only else "") + (" DEFERRABLE" if form.mode.deferrable else "")
    if modes:
        yield f"  in a transaction that is{modes}"
    yield from (f"  {statement}" for statement in form.statements)
    yield f"  on the row of its key: {_effect(form.effect)}"
    if form.without_other is not None:
        yield f"    where there is no row of the second key: {_effect(form.without_other)}"
    if form.other is not None:
        yield f"  on the row of the second key: {_effect(form.other)}"
    yield f"  returns {'rows' if form.returns_rows else 'the number of rows changed'}"
    if form.needs:
        yield f"  needs {', '.join(sorted(form.needs))}"
    if form.weight != 1:
        yield f"  is drawn {form.weight:g} times as often as others"


def _effect(effect: Effect) -> str:
    return f"{effect.absent.value} if absent, {effect.present.value} if present"


def _layout_lines(layout: Layout) -> Iterator[str]:
    yield from (f"  {statement}" for statement in layout.setup)
    if layout.setup_others is not None:
        yield "  the tables of the other keys:"
        yield from (f"    {statement}" for statement in layout.setup_others)
    yield from (f"  in each session: {statement}" for statement in layout.settings)
    yield from (f"  before each schedule: {statement}" for statement in layout.fresh)
    if layout.has:
        yield f"  has {', '.join(sorted(layout.has))}"


def _data(adapters: tuple[str, ...], entries: list[RegistryEntry]) -> dict[str, Any]:
    """{"adapters": {NAME: {"forms": […], "layouts": […], "known_holes": […]}}}"""
    made: dict[str, Callable[[Any], dict[str, Any]]] = {
        "form": _form_data,
        "layout": _layout_data,
        "known hole": _hole_data,
    }
    return {
        "adapters": {
            adapter: {
                f"{kind.replace(' ', '_')}s": [
                    {**data(entry.value), "plugin": str(entry.plugin)}
                    for entry in entries
                    if (entry.kind, entry.value.adapter) == (kind, adapter)
                ]
                for kind, data in made.items()
            }
            for adapter in adapters
        }
    }


def _form_data(form: Form) -> dict[str, Any]:
    effects = {"effect": form.effect, "other": form.other, "without_other": form.without_other}
    return {
        "name": form.name,
        "about": form.about,
        "statements": list(form.statements),
        **{
            word: effect and {"absent": effect.absent.value, "present": effect.present.value}
            for word, effect in effects.items()
        },
        "returns_rows": form.returns_rows,
        "needs": sorted(form.needs),
        "read_only": form.mode.read_only,
        "deferrable": form.mode.deferrable,
        "weight": form.weight,
    }


def _layout_data(layout: Layout) -> dict[str, Any]:
    return {
        "name": layout.name,
        "about": layout.about,
        "setup": list(layout.setup),
        "setup_others": None if layout.setup_others is None else list(layout.setup_others),
        "shared": layout.shared,
        "row": layout.row,
        "settings": list(layout.settings),
        "fresh": list(layout.fresh),
        "dependent": layout.dependent,
        "has": sorted(layout.has),
    }


def _hole_data(hole: Any) -> dict[str, Any]:
    return {
        "name": hole.name,
        "about": hole.about,
        "forms": sorted(hole.forms),
        "levels": sorted(hole.levels),
        "documented": hole.documented,
        "reference": hole.reference,
    }
