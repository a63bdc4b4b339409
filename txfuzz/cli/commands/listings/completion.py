"""`txfuzz completion`: the script that makes a shell complete commands, options and names."""

from __future__ import annotations

import click

from txfuzz.cli.completion import SHELLS, script, users_shell
from txfuzz.errors import UsageError


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def completion(shell: str | None) -> None:
    """Print the script that makes SHELL complete txfuzz, with a line on how to install it.

    [default: the shell of $SHELL]
    """
    shell = shell or users_shell()
    if shell is None:
        raise UsageError("$SHELL is none of the shells that txfuzz completes in: name bash, zsh or fish")
    click.echo(script(shell), nl=False)
