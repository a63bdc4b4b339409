"""Options shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from txfuzz.cli.parameters import ADAPTER, FILE, FILE_OR_NAME, LEVEL, Seconds, WorkloadName
from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError
from txfuzz.plugin.bounded_call import PLUGIN_SECONDS

MOST_WORKERS = 4096  # processes
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def older(spelling: str, name: str, *, type: Any = None) -> Decorator:
    """An option that goes on working and is not shown any more. name: of its parameter."""
    return click.option(spelling, name, type=type, hidden=True)


def workload(*spellings: str, required: bool = False) -> Decorator:
    """The workload by position, as the parameter `workload`. spellings: the options that named it before."""

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*arguments: Any, **given: Any) -> Any:
            given["workload"] = _only_workload(spellings, given, required=required)
            return command(*arguments, **given)

        called: Callable[..., Any] = run
        for spelling in reversed(spellings):
            called = older(spelling, _name_of(spelling), type=FILE if spelling in _PATHS else None)(called)
        return click.argument(
            "workload",
            type=WorkloadName(),
            required=False,
            metavar=FILE_OR_NAME if required else f"[{FILE_OR_NAME}]",
        )(called)

    return added


_PATHS = ("--config", "--prev-workload")


def _name_of(spelling: str) -> str:
    return f"older_{spelling.strip('-').replace('-', '_')}"


def _only_workload(spellings: Sequence[str], given: dict[str, Any], *, required: bool) -> Any:
    """The one that is given. UsageError if several are, or none is and one has to be."""
    named = {"the workload by position": given["workload"]}
    named |= {spelling: given.pop(_name_of(spelling)) for spelling in spellings}
    named = {how: value for how, value in named.items() if value is not None}
    if len(named) > 1:
        raise UsageError(
            f"{listed(named)} {'both' if len(named) == 2 else 'all'} name a workload; give one of them"
        )
    if not named and required:
        raise UsageError("name a workload: a file, or one of those that `txfuzz workloads` lists")
    return next(iter(named.values()), None)


def latest_campaign() -> Path:
    """The campaign in runs/ that was written last, which is said on stderr. UsageError if there is none."""
    from txfuzz.campaign.directory.run_directory import RUNS
    from txfuzz.campaign.directory.runs import latest_campaign as latest_in

    found = latest_in(RUNS)
    if found is None:
        raise UsageError(f"there is no campaign in {RUNS}/ here: name the directory of one")
    click.echo(f"{found}: the latest campaign", err=True)
    return found


def database_url(name: str = "database_url") -> Decorator:
    return click.option(
        "--database-url", name, metavar="URL",
        help="Use your own server; the URL decides which adapter opens it. [default: $DATABASE_URL, else an "
        "embedded server]",
    )  # fmt: skip


def say_where_url_is_from(url: str | None) -> None:
    """On stderr, that the database is that of $DATABASE_URL, where no URL was given."""
    if url is None and os.environ.get("DATABASE_URL"):
        click.echo("txfuzz: on the server of $DATABASE_URL, as no --database-url is given", err=True)


def adapter(instead_of: str = "the workload") -> Decorator:
    return click.option(
        "--adapter", metavar="NAME", type=ADAPTER,
        help=f"The database, in place of the one that {instead_of} names; see `txfuzz plugins`. "
        "[default: the one whose URL is given]",
    )  # fmt: skip


isolation = click.option(
    "--isolation", metavar="LEVEL", type=LEVEL, help="Isolation level, as the database itself calls it."
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
