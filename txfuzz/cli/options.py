"""Options shared by several commands."""

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
    """A path in UTF-8. Empty is an error: `--output-dir "$OUT"` must not fall back when OUT is unset."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty", param, ctx)
        try:
            os.fspath(value).encode("utf-8")
        except UnicodeEncodeError:
            self.fail(f"the path {printable(value)!r} is not valid UTF-8", param, ctx)
        return super().convert(value, param, ctx)


FILE = _File(path_type=Path)


class Seconds(click.FloatRange):
    """A finite number of seconds: nan would pass any check of bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


MOST_WORKERS = 4096
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def database_url(name: str = "database_url") -> Decorator:
    return click.option(
        "--database-url", name, metavar="URL",
        help="Use your own server; the URL decides which adapter opens it. [default: $DATABASE_URL, else an "
        "embedded server]",
    )  # fmt: skip


def adapter(instead_of: str = "the workload") -> Decorator:
    return click.option(
        "--adapter", metavar="NAME",
        help=f"The database, in place of the one that {instead_of} names; see `txfuzz plugins`. "
        "[default: the one whose URL is given]",
    )  # fmt: skip


isolation = click.option(
    "--isolation", metavar="LEVEL", help="Isolation level, as the database itself calls it."
)
expect = click.option("--expect", metavar="MODEL", help="Consistency model to check the histories against.")
seed = click.option("--seed", type=int, metavar="N", help="Seed of all random choices.")
max_graph_nodes = click.option(
    "--max-graph-nodes", type=click.IntRange(min=0), default=200, show_default=True, metavar="N",
    help="Skip the dependency graph if it has more transactions than this.",
)  # fmt: skip
strict_plugins = click.option(
    "--strict-plugins", is_flag=True, help="Fail if a plugin is broken or clashes with another."
)

plugin_seconds = click.option(
    "--plugin-seconds", type=Seconds(min=0, min_open=True), default=PLUGIN_SECONDS,
    show_default=True, metavar="S",
    help="Time limit for importing a plugin, and for each call of its hooks and objects.",
)  # fmt: skip
plugin_files = click.option(
    "--plugin-file", "plugin_files", type=FILE, multiple=True, metavar="FILE",
    help="Load this Python file as a plugin. Repeatable.",
)  # fmt: skip


def exit_code(what: str) -> Decorator:
    """what: codes 1 and 3 stand for, in place of 0."""
    return click.option("--exit-code", "by_verdict", is_flag=True, help=f"For pipelines: {what}.")


_LOCAL = "Processes, each with a server of its own, or a schema with --database-url."


def workers(about: str = _LOCAL) -> Decorator:
    """--workers and --dask."""

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option(
            "--dask", metavar="ADDRESS",
            help="Workers of this Dask scheduler instead, such as tcp://10.0.0.5:8786; then --workers is the "
            "most of them.",
        )(command)  # fmt: skip
        return click.option(
            "--workers", type=click.IntRange(1, MOST_WORKERS), metavar="N", help=f"{about} [default: 1]"
        )(command)

    return added


def say_lost(sentence: str) -> None:
    """Of a worker that did not end well, or is no use."""
    click.echo(f"txfuzz: {sentence}", err=True)


def screen(command: Callable[..., Any]) -> Callable[..., Any]:
    """How much a campaign prints: --verbose, --quiet, --plain."""
    for option in (
        click.option(
            "--plain", is_flag=True, help="Print plain lines instead of a status screen, even in a terminal."
        ),
        click.option("-q", "--quiet", is_flag=True, help="Show only the result."),
        click.option("-v", "--verbose", is_flag=True, help="Show every decision with its reason."),
    ):
        command = option(command)
    return command
