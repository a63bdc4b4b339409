"""docs/reference/command-line.md: every command with its arguments and options, from the commands.

python docs/makers/command_line.py --write docs/reference/command-line.md
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from txfuzz.cli.group import COMMANDS, LazyGroup, command_line

HEAD = """# The command line

Generated from the commands by `make docs`, as a test verifies. `--help` says the same, after `txfuzz` or
after a command. Commands of plugins are not listed here. [What the exit codes mean](artefacts.md#exit-codes).
"""


def reference() -> str:
    group = command_line()
    assert isinstance(group, LazyGroup)
    context = click.Context(group, info_name="txfuzz", **group.context_settings)
    rows = [f"| [`{name}`](#txfuzz-{name}) | {_cell(about)} |" for name, about in COMMANDS.items()]
    parts = [HEAD, "\n".join(["| command | what it does |", "|---|---|", *rows]) + "\n", "## txfuzz\n"]
    parts += _options(group, context)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        parts += _described(command, name, context, 2)
    return "\n".join(parts)


def _described(command: click.Command, name: str, above: click.Context, depth: int) -> Iterator[str]:
    """A command, and those below it."""
    context = click.Context(command, above, info_name=name, **command.context_settings)
    yield f"{'#' * depth} {context.command_path}\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {pieces}\n```\n"
    yield _prose(command.help or "")
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            one = command.get_command(context, below)
            assert one is not None
            yield from _described(one, below, context, depth + 1)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [each.get_help_record(context) for each in command.params]
    # click keeps the option of whoever asked a command for it first, with the names that were usual there
    records.append((", ".join(context.help_option_names), "Show this message and exit."))
    rows = [f"| `{_code(option)}` | {_cell(about)} |" for option, about in filter(None, records)]
    if rows:
        yield "\n".join(["| option | what it does |", "|---|---|", *rows]) + "\n"


def _prose(help_text: str) -> str:
    """Paragraphs as Markdown; those whose lines click keeps as they are, as text."""
    parts = []
    for paragraph in inspect.cleandoc(help_text).partition("\f")[0].split("\n\n"):
        if paragraph.startswith("\b\n"):
            parts.append(f"```text\n{paragraph.removeprefix(chr(8)).strip(chr(10))}\n```")
        else:
            parts.append(_plain(" ".join(paragraph.split())))
    return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    return text.replace("|", "\\|")


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", "\\|")


def _plain(text: str) -> str:
    """What Markdown would take for markup, outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if at % 2 else re.sub(r"([\\*_<\[\]])", r"\\\1", part) for at, part in enumerate(parts)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="FILE")
    parser.parse_args().write.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
