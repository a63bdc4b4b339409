"""The group of all commands. Their help stands here, so that `--help` imports none of them."""

from __future__ import annotations

import importlib
from typing import Any

import click

from txfuzz.common.version import __version__

COMMANDS = {
    "run": "Run the feedback loop: fuzz a database, analyse, adapt, repeat.",
    "adapt": "Take a history and its workload, explain it, write the next workload.",
    "execute": "Run one workload and record its history.",
    "analyze": "Judge histories, ours or any that Elle reads.",
    "explore": "Run the interleavings of a few transactions at each isolation level.",
    "shrink": "Make a finding small, and write it up.",
    "report": "Report a campaign: a page to read, or for CI.",
    "workloads": "List the shipped workloads, or show one.",
    "templates": "List the installed transaction templates, or show one.",
    "plugins": "List the installed plugins, or show the options of one thing.",
    "new-plugin": "Write a new plugin that works, to be changed into one's own.",
    "doctor": "Check this installation and the database that it would use.",
}
# Those that end with a verdict
JUDGING = ("run", "adapt", "execute", "analyze", "explore", "shrink", "report")


class LazyGroup(click.Group):
    """Imports txfuzz.cli.NAME when the command NAME is run; plugins may add further ones."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load_plugins()
        return [*COMMANDS, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            place = name.replace("-", "_")
            command = getattr(importlib.import_module(f"txfuzz.cli.commands.{place}"), place)
            assert isinstance(command, click.Command)
            return command
        self._load_plugins()
        return super().get_command(ctx, name)

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


def command_line() -> click.Group:
    """All commands. Made anew for each run, since plugins add theirs to it."""
    exit_codes = (
        "Exit codes: 0 nothing found, 1 the expected model is violated, 2 usage or configuration, "
        "3 unknown, 4 database unavailable, 70 internal error, 130 interrupted (Ctrl-C, SIGTERM, SIGHUP), "
        "141 the reader of the output has gone."
    )
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

    @click.group("txfuzz", cls=LazyGroup, epilog=exit_codes, context_settings=settings)
    @click.version_option(__version__, "-V", "--version", prog_name="txfuzz")
    def cli() -> None:
        """Ask a database whether it really gives the isolation level that it promises.

        `txfuzz run` without arguments runs the default campaign on an embedded server.
        """

    return cli
