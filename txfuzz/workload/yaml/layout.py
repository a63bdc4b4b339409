"""Plain data as readable YAML: short values on one line, long lists filled like prose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from txfuzz.workload.yaml.parser import resolves_to_text

WIDTH = 110
# What a literal block (`|`) can hold verbatim: printable lines, the first neither empty nor indented.
_LITERAL = re.compile(
    r"[!-~](?:[ -~]*[!-~])?(?:\n|\n(?:[ -~]*[!-~]))+|[!-~](?:[ -~]*[!-~])?(?:\n[ -~]*[!-~])+"
)


def flow(data: Any) -> str:
    """The data on one line, in flow style."""
    return " ".join(_pieces(data))


def filled(lead: str, data: Any, indent: int) -> str:
    """`lead` and the data in flow style, wrapped at commas. indent: of the lines after the first."""
    lines, line = [], lead
    for piece in _pieces(data):
        if len(line) + 1 + len(piece) > WIDTH and line != lead:
            lines.append(line)
            line = " " * indent + piece
        else:
            line = f"{line} {piece}"
    return "\n".join([*lines, line])


def text_field(lead: str, text: str, indent: int) -> str:
    """`lead` and a text, as a literal block if it has several lines."""
    if not _LITERAL.fullmatch(text):
        return f"{lead} {scalar(text, in_flow=False)}"
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    keep = "-" if ends == 0 else "" if ends == 1 else "+"
    lines = [" " * indent + line if line else "" for line in body.split("\n")]
    return "\n".join([f"{lead} |{keep}", *lines, *[""] * (ends - 1)])


def scalar(value: Any, *, in_flow: bool = True) -> str:
    """A one-line scalar that both YAML 1.1 and 1.2 read as this value.

    in_flow: it goes inside brackets, where commas and brackets need quotes.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    plain = _dumped(value, in_flow)
    broken = isinstance(value, str) and value.splitlines() not in ([], [value])
    if broken or "\n" in plain or (plain == value and not resolves_to_text(plain)):
        return _dumped(value, in_flow, default_style='"')
    return plain


def _dumped(value: Any, in_flow: bool, **style: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(
        [value], default_flow_style=in_flow, width=2**31, allow_unicode=True, **style
    ).rstrip("\n")
    return text[1:-1] if in_flow else text.removeprefix("- ")


def _pieces(data: Any) -> Iterator[str]:
    """The words between which a line may be wrapped."""
    if isinstance(data, Mapping):
        yield from _bracketed("{", "}", (_entry(name, value) for name, value in data.items()))
    elif isinstance(data, list | tuple):
        yield from _bracketed("[", "]", map(_pieces, data))
    else:
        yield scalar(data)


def _entry(name: str, value: Any) -> Iterator[str]:
    pieces = _pieces(value)
    yield f"{scalar(name)}: {next(pieces)}"
    yield from pieces


def _bracketed(opening: str, closing: str, parts: Iterator[Iterator[str]]) -> Iterator[str]:
    """The parts, separated by commas and enclosed in brackets."""
    last = opening
    for number, part in enumerate(parts):
        for position, piece in enumerate(part):
            if number == 0 and position == 0:
                last = opening + piece
                continue
            yield f"{last}," if position == 0 else last
            last = piece
    yield last + closing
