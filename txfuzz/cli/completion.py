"""Completion in the shell, by click's own protocol: the shell asks with $_TXFUZZ_COMPLETE set.

It is answered in this process, without a child, and without importing any plugin unless their names are asked
for, since it runs at each press of the tab key.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from txfuzz.errors import ExitCode

if TYPE_CHECKING:
    import click

    from txfuzz.plugin.registry import Registry

VARIABLE = "_TXFUZZ_COMPLETE"
# Shell → what a line in which file makes it complete
_INSTALLED: dict[str, str] = {
    "bash": 'put this into ~/.bashrc: eval "$(txfuzz completion bash)"',
    "zsh": 'put this into ~/.zshrc, after compinit: eval "$(txfuzz completion zsh)"',
    "fish": "run once: txfuzz completion fish > ~/.config/fish/completions/txfuzz.fish",
}
SHELLS = tuple(_INSTALLED)


def answer(instruction: str) -> int:
    """Print what the shell asks for: the script that binds it to txfuzz, or what could come next. A command
    line that makes no sense gets no answer: complaints would be printed into it."""
    from click.shell_completion import shell_complete

    from txfuzz.cli.group import command_line

    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
            failed = shell_complete(command_line(), {}, "txfuzz", VARIABLE, instruction)
    except Exception:
        return ExitCode.USAGE
    return ExitCode.USAGE if failed else ExitCode.NOTHING_FOUND


def script(shell: str) -> str:
    """What the shell runs so that it completes, with a comment on how to install it."""
    from click.shell_completion import get_completion_class

    from txfuzz.cli.group import command_line

    completion = get_completion_class(shell)
    assert completion is not None
    text = completion(command_line(), {}, "txfuzz", VARIABLE).source()
    return f"{text.strip()}\n# {_INSTALLED[shell]}\n"


def users_shell() -> str | None:
    """By $SHELL, if it is one of them."""
    name = os.path.basename(os.environ.get("SHELL", ""))
    return name if name in SHELLS else None


def adapters(ctx: click.Context) -> Iterable[str]:
    registry = _registry(ctx)
    return [entry.name for entry in registry.all("adapter")]


def levels(ctx: click.Context) -> Iterable[str]:
    """Of the adapter that was named before, else of the workload's, with hyphens: shells split at spaces."""
    registry = _registry(ctx)
    name = ctx.params.get("adapter") or _adapter_of_workload(ctx)
    entries = [each for each in registry.all("adapter") if name in (None, "", each.name)]
    found = (level for entry in entries for level in entry.value().capabilities().isolation)
    return dict.fromkeys(level.replace(" ", "-") for level in found)


def _registry(ctx: click.Context) -> Registry:
    from txfuzz.plugin.loader import load_plugins

    return load_plugins(files=ctx.params.get("plugin_files") or ())


def _adapter_of_workload(ctx: click.Context) -> str | None:
    from txfuzz.errors import TxfuzzError
    from txfuzz.workload.shipped import adapter_named_in, workload_path

    # Where an option waits for its value, as here, click leaves positions among the arguments
    named = ctx.params.get("workload") or next(iter(ctx.args), None)
    if not named:
        return None
    try:
        return adapter_named_in(workload_path(named, ctx.params.get("workload_dir")))
    except (TxfuzzError, OSError, ValueError):
        return None
