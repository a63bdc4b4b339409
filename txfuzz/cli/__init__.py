"""The command line: one small file a command, imported when it is run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from txfuzz.common.sanitize import one_line
from txfuzz.errors import ExitCode, PluginError, TxfuzzError

if TYPE_CHECKING:
    import click


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code; an error ends with one sentence on stderr.

    arguments: None for those of the process, which then are run in a child of it.
    """
    if arguments is not None:
        sys.exit(run_command(arguments))
    from txfuzz.cli.streams import open_streams
    from txfuzz.cli.supervisor import supervised

    if not open_streams():
        sys.exit(_say("the output cannot be written: stdout is closed", ExitCode.USAGE))
    supervised(lambda: run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> ExitCode | int:
    """Run a command and say its exit code.

    Exit code 1 is what a command returns; no error ever comes to it.
    """
    from txfuzz.cli.interruption import ending_by_signals
    from txfuzz.cli.streams import safe_streams

    context: click.Context | None = None
    with safe_streams() as (out, _):
        try:
            with ending_by_signals():
                from txfuzz.cli.group import command_line

                # Not cli.main: that ends with 1, which is a finding here, when the output takes no more
                cli = command_line()
                with cli.make_context("txfuzz", list(arguments)) as context:
                    code = cli.invoke(context)
                sys.stdout.flush()
                return int(code or 0)
        except BaseException as error:
            try:
                code = _ended(error, context, unread=out.gone)
                if out.failure is None:
                    out.flush()
            except OSError:
                code = ExitCode.UNREAD
            except TxfuzzError as full:
                code = full.exit_code
            return ExitCode.INTERNAL if code == ExitCode.VIOLATED and not _own(context) else code


def _own(context: click.Context | None) -> bool:
    """Is it a command that a plugin has added, whose codes are its own?"""
    from txfuzz.cli.group import COMMANDS

    return context is not None and context.invoked_subcommand not in (None, *COMMANDS)


def _ended(error: BaseException, context: click.Context | None, *, unread: bool) -> int:
    """Say what ended a command; its exit code. unread: the reader of the output has gone."""
    import click

    from txfuzz.cli.group import JUDGING

    told: BaseException = error
    if not isinstance(error, KeyboardInterrupt) and not _own(context):
        told = _named(error, context) or error
    if _shows_tracebacks():
        _show_traceback(told)
    if isinstance(told, TxfuzzError):
        see = " (set TXFUZZ_TRACEBACK=1 to see where)"
        hint = see if told is not error and told.__cause__ is error and not _shows_tracebacks() else ""
        return _say(f"{told}{hint}", told.exit_code)
    if isinstance(told, click.exceptions.Exit):
        return told.exit_code
    if isinstance(told, click.ClickException):
        told.show()
        return ExitCode.USAGE if told.exit_code == ExitCode.VIOLATED else told.exit_code
    if isinstance(told, click.Abort | KeyboardInterrupt):
        return _say("interrupted", ExitCode.INTERRUPTED)
    if isinstance(told, BrokenPipeError) and unread:  # as when `head` has read enough
        missed = context is not None and context.invoked_subcommand in JUDGING
        return ExitCode.UNREAD if missed else ExitCode.NOTHING_FOUND
    see = "" if _shows_tracebacks() else " (set TXFUZZ_TRACEBACK=1 to see where)"
    return _say(f"internal error: {type(told).__name__}: {told}{see}", ExitCode.INTERNAL)


def _show_traceback(error: BaseException) -> None:
    """Of what is a bug of somebody's: of a plugin's, or of ours."""
    import traceback

    if isinstance(error, PluginError) and error.__cause__ is not None:
        print("".join(traceback.format_exception(error.__cause__)), end="", file=sys.stderr)
    elif not isinstance(error, TxfuzzError | KeyboardInterrupt) and not type(error).__module__.startswith(
        "click"
    ):
        print("".join(traceback.format_exception(error)), end="", file=sys.stderr)


def _shows_tracebacks() -> bool:
    return bool(os.environ.get("TXFUZZ_TRACEBACK"))


def _named(error: BaseException, context: click.Context | None) -> TxfuzzError | None:
    """The error with the plugin that is to blame for it."""
    if context is None:
        return None  # no plugin has been asked yet, and this is how --help ends
    from txfuzz.plugin.errors import named

    return named(error)


def _say(sentence: str, code: ExitCode) -> ExitCode:
    print(f"txfuzz: {one_line(sentence)}", file=sys.stderr)
    return code
