"""The group of all commands. Their one-line help is here, so that `--help` imports none of them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "run": "Run the feedback loop: fuzz a database, analyse, adapt, repeat.",
    "adapt": "Explain a history and its workload, and write the next workload.",
    "execute": "Run one workload and record its history.",
    "analyze": "Check histories: those of txfuzz, or any that Elle reads.",
    "check": "Check your own transactions: every interleaving of each pair, at each isolation level.",
    "explore": "Run the interleavings of a few transactions at each isolation level.",
    "hunt": "Find holes in a database: small programs of every kind of statement.",
    "compare": "Compare strategies: how soon each finds something, from the same seeds.",
    "matrix": "Draw a table of databases, versions, levels, and the anomalies that each lets pass.",
    "shrink": "Shrink a finding to a minimal reproducer and write it up.",
    "report": "Report on a campaign, as a web page or for CI.",
    "runs": "List campaigns, hunts, checks, matrices and comparisons, with their verdicts.",
    "serve": "Show campaigns, hunts, checks and matrices in a browser, also while they run.",
    "explain": "Explain an anomaly or a consistency model in plain words, or list their names.",
    "workloads": "List the shipped workloads, or show one.",
    "forms": "List the forms and layouts that hunts are made of, or show one.",
    "templates": "List the installed transaction templates, or show one.",
    "plugins": "List the installed plugins, or show the options of one component.",
    "new-plugin": "Create a working plugin to start your own from.",
    "completion": "Print the script that makes a shell complete commands and names.",
    "doctor": "Check this installation and the databases it can use.",
}
# Commands that are not in a module of their own name
_PLACES = {
    "completion": "listings.completion",
    "runs": "listings.runs",
    "explain": "listings.explain",
    "workloads": "listings.workloads",
    "templates": "listings.workloads",
    "forms": "listings.forms",
    "plugins": "listings.plugins",
}
# Commands that end with a verdict
JUDGING = ("run", "adapt", "execute", "analyze", "check", "explore", "hunt", "matrix", "shrink", "report")


class LazyGroup(click.Group):
    """Imports a command's module when the command is run; plugins may add further commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load_plugins()
        return [*COMMANDS, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            place = name.replace("-", "_")
            module = importlib.import_module(f"txfuzz.cli.commands.{_PLACES.get(place, place)}")
            command = getattr(module, place)
            assert isinstance(command, click.Command)
            return command
        self._load_plugins()
        return super().get_command(ctx, name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Imports no command, and plugins only if none of txfuzz's own commands begins so."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=about) for name, about in COMMANDS.items()]
        found = [each for each in found if each.value.startswith(incomplete)]
        if not found and not incomplete.startswith("-"):
            self._load_plugins()
            found = [CompletionItem(name) for name in sorted(self.commands) if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._load_plugins()
        rows = [*COMMANDS.items()]
        rows += [(name, command.get_short_help_str()) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from txfuzz.errors import UsageError, did_you_mean

            raise UsageError(f"no command {args[0]!r}: {did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def _load_plugins(self) -> None:
        from txfuzz.plugin.loader import add_commands

        if "plugins" not in self.__dict__:
            self.__dict__["plugins"] = True
            for problem in add_commands(self):
                click.echo(f"txfuzz: {problem}", err=True)


def _show_version(ctx: click.Context, param: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from txfuzz.common.version import versions_text

        click.echo(versions_text())
        ctx.exit()


def command_line() -> click.Group:
    """All commands. A new group for each run, since plugins add commands to it."""
    exit_codes = (
        "Exit codes: 0 nothing found, 1 the expected model is violated, 2 usage or configuration error, "
        "3 unknown, 4 database unavailable, 70 internal error, 130 interrupted (Ctrl-C, SIGTERM, SIGHUP), "
        "141 output closed by its reader. A finding ends run, adapt, analyze, check and hunt so, explore "
        "only where a level breaks its own promise; execute, shrink and report only with --exit-code."
    )
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

    @click.group("txfuzz", cls=LazyGroup, epilog=exit_codes, context_settings=settings)
    @click.option(
        "-V", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
        help="Show the versions of txfuzz, Python and the installed plugins, and exit.",
    )  # fmt: skip
    def cli() -> None:
        """Test whether a database really provides the isolation level it promises.

        `txfuzz run` without arguments runs the default campaign on an embedded server.
        """

    return cli
