"""Options that several commands have, each written once."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from txfuzz.common.sanitize import printable
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS


class _File(click.Path):
    """A path, which is UTF-8 and not empty: `--output-dir "$OUT"` means no place where OUT is not set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty", param, ctx)
        try:
            os.fspath(value).encode("utf-8")
        except UnicodeEncodeError:
            self.fail(f"the path {printable(value)!r} is not UTF-8, as files of a campaign are", param, ctx)
        return super().convert(value, param, ctx)


FILE = _File(path_type=Path)


class Seconds(click.FloatRange):
    """A number of seconds: no nan, which is neither less nor more than any bound, and no inf."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def database_url(name: str = "database_url") -> Decorator:
    return click.option(
        "--database-url", name, metavar="URL",
        help="A server of your own. [default: $DATABASE_URL, else an embedded server]",
    )  # fmt: skip


isolation = click.option(
    "--isolation", metavar="LEVEL", help="The database's isolation level, in its own words."
)
expect = click.option(
    "--expect", metavar="MODEL", help="The consistency model to hold the histories against."
)
seed = click.option("--seed", type=int, metavar="N", help="The root of everything chosen at random.")
max_graph_nodes = click.option(
    "--max-graph-nodes", type=click.IntRange(min=0), default=200, show_default=True, metavar="N",
    help="Draw no dependency graph of more transactions than this.",
)  # fmt: skip
strict_plugins = click.option(
    "--strict-plugins", is_flag=True, help="Stop at a plugin that is broken or clashes."
)

plugin_seconds = click.option(
    "--plugin-seconds", type=Seconds(min=0, min_open=True), default=PLUGIN_SECONDS,
    show_default=True, metavar="S",
    help="How long a plugin may take to be imported, and for each answer of its hooks and objects.",
)  # fmt: skip
plugin_files = click.option(
    "--plugin-file", "plugin_files", type=FILE, multiple=True, metavar="FILE",
    help="A Python file that is a plugin for this command; can be given again.",
)  # fmt: skip


def screen(command: Callable[..., Any]) -> Callable[..., Any]:
    """How much a campaign says: --verbose, --quiet, --plain."""
    for option in (
        click.option(
            "--plain", is_flag=True, help="Plain lines in a terminal, too, instead of a status screen."
        ),
        click.option("-q", "--quiet", is_flag=True, help="Show the result only."),
        click.option("-v", "--verbose", is_flag=True, help="Show every decision with its reason."),
    ):
        command = option(command)
    return command
