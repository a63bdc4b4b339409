"""The command line: one small file a command, imported when it is run."""

from __future__ import annotations

import errno
import os
import sys

from txfuzz.errors import ExitCode, OutputError, PluginError, TxfuzzError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code; an error ends with one sentence on stderr."""
    import click

    from txfuzz.cli.group import JUDGING, command_line

    context: click.Context | None = None
    try:
        # Not cli.main: that ends with 1, which is a finding here, when the output takes no more
        cli = command_line()
        with cli.make_context("txfuzz", sys.argv[1:] if arguments is None else list(arguments)) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except TxfuzzError as error:
        if isinstance(error, PluginError) and error.__cause__ is not None and _shows_tracebacks():
            raise
        code = _say(str(_named(error) or error), error.exit_code)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = _say("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        _drop_output()
        missed = context is not None and context.invoked_subcommand in JUDGING
        code = ExitCode.UNREAD if missed else ExitCode.NOTHING_FOUND
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            _drop_output()
            sys.exit(_say(f"the output cannot be written: {error.strerror}", OutputError.exit_code))
        broken = _named(error)
        if _shows_tracebacks() or (broken is None and isinstance(error, SystemExit)):
            raise
        told = " ".join(str(error).split())
        see = "(set TXFUZZ_TRACEBACK=1 to see where)"
        if broken is not None:
            code = _say(f"{broken} {see}", broken.exit_code)
        else:
            code = _say(f"internal error: {type(error).__name__}: {told} {see}", ExitCode.INTERNAL)
    sys.exit(int(code or 0))


def _drop_output() -> None:
    """Nothing more goes to stdout, which would fail again when it is flushed in the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shows_tracebacks() -> bool:
    return bool(os.environ.get("TXFUZZ_TRACEBACK"))


def _named(error: BaseException) -> TxfuzzError | None:
    """The error with the plugin that is to blame for it."""
    from txfuzz.plugin.blaming import named

    return named(error)


def _say(sentence: str, code: ExitCode) -> ExitCode:
    print(f"txfuzz: {sentence}", file=sys.stderr)
    return code
