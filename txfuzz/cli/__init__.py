"""The command line: one small module per command, imported when it is run."""

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

    arguments: None for those of the process; the command then runs in a child process, where the system has
    what it takes to watch one (Linux).
    """
    if arguments is not None:
        sys.exit(run_command(arguments))
    if os.environ.get("_TXFUZZ_COMPLETE"):
        from txfuzz.cli.completion import answer

        code = answer(os.environ["_TXFUZZ_COMPLETE"])
        sys.stdout.flush()
        sys.exit(code)
    from txfuzz.cli.streams import open_streams

    if not open_streams():
        sys.exit(_say("cannot write to stdout: it is closed", ExitCode.USAGE))
    if sys.platform == "linux":
        from txfuzz.cli.supervisor import supervised

        supervised(lambda: run_command(sys.argv[1:]))
    from txfuzz.cli.leaving import leave

    leave(int(run_command(sys.argv[1:])))


def run_command(arguments: list[str]) -> ExitCode | int:
    """Run a command and return its exit code. Code 1 is only ever a command's result, never an error's."""
    from txfuzz.cli.interruption import ending_by_signals
    from txfuzz.cli.streams import safe_streams

    context: click.Context | None = None
    with safe_streams() as (out, _):
        try:
            with ending_by_signals():
                from txfuzz.cli.group import command_line

                # Not cli.main, which exits with 1 when stdout is closed; here 1 means a finding
                cli = command_line()
                with cli.make_context("txfuzz", list(arguments)) as context:
                    code = cli.invoke(context)
                sys.stdout.flush()
                return int(code or 0)
        except BaseException as error:
            try:
                code = _report(error, context, unread=out.gone)
                if out.failure is None:
                    out.flush()
            except OSError:
                code = ExitCode.UNREAD
            except TxfuzzError as full:
                code = full.exit_code
            return ExitCode.INTERNAL if code == ExitCode.VIOLATED and not _of_plugin(context) else code


def _of_plugin(context: click.Context | None) -> bool:
    """Was the command added by a plugin, which then chooses its exit codes?"""
    from txfuzz.cli.group import COMMANDS

    return context is not None and context.invoked_subcommand not in (None, *COMMANDS)


def _report(error: BaseException, context: click.Context | None, *, unread: bool) -> int:
    """Print the error that ended a command; returns the exit code. unread: stdout's reader closed it."""
    import click

    from txfuzz.cli.group import JUDGING
    from txfuzz.plugin.places import tracebacks_wanted

    original, tracebacks = error, tracebacks_wanted()
    # Without a context no plugin has run yet; --help ends so, too
    if context is not None and not isinstance(error, KeyboardInterrupt) and not _of_plugin(context):
        from txfuzz.plugin.errors import named

        error = named(error) or error
    if tracebacks:
        _show_traceback(error)
    hint = "" if tracebacks else " (set TXFUZZ_TRACEBACK=1 to see where)"
    if isinstance(error, TxfuzzError):
        of_plugin = error is not original and error.__cause__ is original
        return _say(f"{error}{hint if of_plugin else ''}", error.exit_code)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        error.show()
        return ExitCode.USAGE if error.exit_code == ExitCode.VIOLATED else error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _say("interrupted", ExitCode.INTERRUPTED)
    if isinstance(error, BrokenPipeError) and unread:  # such as `txfuzz … | head`
        missed = context is not None and context.invoked_subcommand in JUDGING
        return ExitCode.UNREAD if missed else ExitCode.NOTHING_FOUND
    return _say(f"internal error: {type(error).__name__}: {error}{hint}", ExitCode.INTERNAL)


def _show_traceback(error: BaseException) -> None:
    """Only for bugs, of a plugin or of txfuzz."""
    from txfuzz.plugin.places import show_traceback

    if isinstance(error, PluginError) and error.__cause__ is not None:
        show_traceback(error.__cause__)
    elif not isinstance(error, TxfuzzError | KeyboardInterrupt) and not type(error).__module__.startswith(
        "click"
    ):
        show_traceback(error)


def _say(sentence: str, code: ExitCode) -> ExitCode:
    print(f"txfuzz: {one_line(sentence)}", file=sys.stderr)
    return code
