"""`txfuzz explain`: anomalies and consistency models in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from txfuzz.cli import options
from txfuzz.cli.terminal import Style, laid_out, say


@click.command()
@click.argument("name", nargs=-1)
@options.plugin_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the page.")
def explain(name: tuple[str, ...], plugin_files: tuple[Path, ...], as_json: bool) -> None:
    """Explain an anomaly or a consistency model, or list their names.

    NAME is a name that txfuzz prints (G2-item), a plain one (write skew), or that of a model
    (snapshot-isolation). Installed adapters add their databases to those whose levels are known.
    """
    from txfuzz.analysis.explain.guide.entries import databases, page_of
    from txfuzz.common.json_text import json_text
    from txfuzz.report.text.explain import names_text, page_data, page_lines, page_title

    with laid_out():
        if not name:
            say(names_text())
            return
        page = page_of(" ".join(name))
        known = databases(_promises(plugin_files))
        if as_json:
            click.echo(json_text(page_data(page, known)))
            return
        say(page_title(page), Style.TITLE)
        say("\n".join(page_lines(page, known)))


def _promises(files: tuple[Path, ...]) -> Mapping[str, Mapping[str, str]]:
    """What the installed adapters promise: adapter → level → model. One that cannot be used is left out."""
    from txfuzz.database.schemes import ANY_SCHEME, schemes_of
    from txfuzz.errors import TxfuzzError
    from txfuzz.plugin.loader import load_plugins

    found = {}
    for entry in load_plugins(files=files).all("adapter"):
        if getattr(entry.value, "only_by_name", False):  # those for tests are no databases
            continue
        if ANY_SCHEME in schemes_of(entry.value):  # one for any URL is no database of its own
            continue
        try:
            found[entry.name] = dict(entry.value().capabilities().isolation)
        except TxfuzzError:
            continue
    return found
