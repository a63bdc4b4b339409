"""`txfuzz explain`: anomalies and consistency models in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from txfuzz.cli import options
from txfuzz.cli.terminal import Style, laid_out, say

if TYPE_CHECKING:
    from txfuzz.plugin.registry import Registry


@click.command()
@click.argument("name", nargs=-1)
@options.plugin_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the page.")
def explain(name: tuple[str, ...], plugin_files: tuple[Path, ...], as_json: bool) -> None:
    """Explain an anomaly, a consistency model or a known hole, or list their names.

    NAME is a name that txfuzz prints (G2-item), a plain one (write skew), or that of a model
    (snapshot-isolation) or of a hole that a hunt knows. Installed adapters add their databases to those whose
    levels are known, and their holes.
    """
    from txfuzz.analysis.explain.guide.entries import databases, page_of
    from txfuzz.common.json_text import json_text
    from txfuzz.plugin.loader import load_plugins
    from txfuzz.report.hunt.known_hole import hole_data, hole_lines, hole_title
    from txfuzz.report.text.explain import names_text, page_data, page_lines, page_title

    with laid_out():
        registry = load_plugins(files=plugin_files)
        holes = [entry.value for entry in registry.all("known hole")]
        if not name:
            say(names_text(sorted({hole.name for hole in holes})))
            return
        spelt = "-".join(" ".join(name).lower().replace("_", " ").split())
        called = [hole for hole in holes if spelt in (hole.name, f"{hole.adapter}/{hole.name}")]
        if called:
            if as_json:
                click.echo(json_text({"holes": [hole_data(hole) for hole in called]}))
                return
            for number, hole in enumerate(called):
                say(("\n" if number else "") + hole_title(hole), Style.TITLE)
                say("\n".join(hole_lines(hole)))
            return
        page = page_of(" ".join(name))
        known = databases(_promises(registry))
        if as_json:
            click.echo(json_text(page_data(page, known)))
            return
        say(page_title(page), Style.TITLE)
        say("\n".join(page_lines(page, known)))


def _promises(registry: Registry) -> Mapping[str, Mapping[str, str]]:
    """What the installed adapters promise: adapter → level → model. One that cannot be used is left out."""
    from txfuzz.database.schemes import ANY_SCHEME, schemes_of
    from txfuzz.errors import TxfuzzError

    found = {}
    for entry in registry.all("adapter"):
        if getattr(entry.value, "only_by_name", False):  # those for tests are no databases
            continue
        if ANY_SCHEME in schemes_of(entry.value):  # one for any URL is no database of its own
            continue
        try:
            found[entry.name] = dict(entry.value().capabilities().isolation)
        except TxfuzzError:
            continue
    return found
