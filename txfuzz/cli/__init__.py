"""The command line: one small file a command, imported when it is run."""

from __future__ import annotations

import os
import sys

from txfuzz.errors import ExitCode, TxfuzzError


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code; an error ends with one sentence on stderr."""
    import click

    from txfuzz.cli.group import cli

    try:
        # Not cli.main: that ends with 1, which is a finding here, when the reader of our output has gone
        with cli.make_context("txfuzz", sys.argv[1:] if arguments is None else list(arguments)) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except TxfuzzError as error:
        code = _say(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = _say("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.NOTHING_FOUND
    except Exception as error:
        if os.environ.get("TXFUZZ_TRACEBACK"):
            raise
        told = " ".join(str(error).split())
        code = _say(
            f"internal error: {type(error).__name__}: {told} (set TXFUZZ_TRACEBACK=1 to see where)",
            ExitCode.INTERNAL,
        )
    sys.exit(int(code or 0))


def _say(sentence: str, code: ExitCode) -> ExitCode:
    print(f"txfuzz: {sentence}", file=sys.stderr)
    return code
