"""Values of histories that Python lacks, and when two values are the same.

In EDN, 1, true, "1" and :1 are four different values, but in Python `1 == True == 1.0`. So values are
compared by type and value (`identity`).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

# A micro-operation (f, key, value): f is "r", "append" or "w"; the value of a read may be None.
Mop: TypeAlias = tuple[str, Any, Any]


@dataclass(frozen=True, slots=True)
class Keyword:
    """An EDN keyword, `name` without the colon."""

    name: str

    def __str__(self) -> str:
        return f":{self.name}"


@dataclass(frozen=True, slots=True)
class Symbol:
    """An EDN symbol."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Character:
    """An EDN character."""

    char: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with a user-defined tag, such as #object[...]."""

    tag: str
    value: Any


class Map(dict[Any, Any]):
    """A hashable map, since EDN allows maps as keys."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


def identity(value: Any) -> Hashable:
    """Equal for values that are the same in EDN."""
    if value is None or isinstance(value, str | bool | Keyword | Symbol | Character):
        return (type(value).__name__, value)
    if isinstance(value, int):
        return value
    if isinstance(value, Mapping):
        return ("map", frozenset((identity(key), identity(item)) for key, item in value.items()))
    if isinstance(value, frozenset | set):
        return ("set", frozenset(identity(item) for item in value))
    if isinstance(value, Sequence):
        return ("list", tuple(identity(item) for item in value))
    if isinstance(value, Tagged):
        return ("tag", value.tag, identity(value.value))
    return (type(value).__name__, repr(value))


def checked(value: str | int) -> str | int:
    """A scalar that can be written again; ValueError with one sentence otherwise.

    Lone surrogates from escapes have no UTF-8 encoding, and Python prints no integers of more than 4300
    digits, although it reads longer ones in hexadecimal.
    """
    if isinstance(value, int):
        if value.bit_length() > _BITS:
            raise ValueError(TOO_MANY_DIGITS)
    elif not value.isascii() and _SURROGATE.search(value):
        try:
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise ValueError("it contains half a character (a lone surrogate)") from None
    return value


TOO_MANY_DIGITS = "it contains an integer of more than 4300 digits"
_BITS = 14_280
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_CHARACTERS = {"\n": "newline", "\r": "return", " ": "space", "\t": "tab"}


def edn(value: Any) -> str:
    """A value as EDN text."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    if isinstance(value, Keyword | Symbol | int):
        return str(value)
    if isinstance(value, Character):
        return f"\\{_CHARACTERS.get(value.char, value.char)}"
    if isinstance(value, Tagged):
        return f"#{value.tag} {edn(value.value)}"
    if isinstance(value, float):
        return {"inf": "##Inf", "-inf": "##-Inf", "nan": "##NaN"}.get(repr(value), repr(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{edn(key)} {edn(item)}" for key, item in value.items()) + "}"
    if isinstance(value, frozenset | set):
        return "#{" + " ".join(sorted(edn(item) for item in value)) + "}"
    if isinstance(value, Sequence):
        return "[" + " ".join(edn(item) for item in value) + "]"
    return _other(value)


def display_name(name: Any) -> str:
    """The name of a process for display, from a keyword (EDN) or a string (JSON)."""
    return name.name if isinstance(name, Keyword) else name if isinstance(name, str) else edn(name)


def _other(value: Any) -> str:
    """Less common EDN types: exact decimals, ratios, instants, UUIDs."""
    if isinstance(value, Decimal):
        return f"{value}M"
    if isinstance(value, datetime):
        return f'#inst "{value.isoformat()}"'
    if isinstance(value, date):
        return f'#inst "{value.isoformat()}"'
    if isinstance(value, UUID):
        return f'#uuid "{value}"'
    return str(value)
