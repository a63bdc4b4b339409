"""The options of a plugin object are the fields of its dataclass; this module reads and checks them.

A field may have metadata: `help` (a phrase), `choices` (the allowed words), `least` (the smallest allowed
number) and `longest` (of a name, in bytes, which must be printable). Fields whose names begin with an
underscore are not options.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from txfuzz.errors import UsageError, did_you_mean

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list",
    type(None): "nothing",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One option for display: all fields but `required` are text for a table."""

    name: str
    type: str
    default: str
    help: str
    required: bool = False


def option(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    longest: int | None = None,
) -> Any:
    """A dataclass field with a default and metadata, for plugin objects."""
    metadata: dict[str, Any] = {"help": help}
    if choices:
        metadata["choices"] = choices
    if least is not None:
        metadata["least"] = least
    if longest is not None:
        metadata["longest"] = longest
    return dataclasses.field(default=default, metadata=metadata)


def options_of(cls: type) -> tuple[Option, ...]:
    """The options of a dataclass, in order; empty for other classes."""
    return tuple(
        Option(
            each.name,
            _type_words(each, kind),
            "" if _required(each) else _default_text(each),
            each.metadata.get("help", ""),
            _required(each),
        )
        for each, kind in _fields(cls)
    )


def build(cls: type, options: Mapping[str, Any], owner: str) -> Any:
    """An instance of `cls` with these options.

    owner: for messages ("heuristic 'hot-keys'"). Lists become tuples.
    Raises UsageError for an option that is unknown, missing, of the wrong type or out of range.
    """
    known = {each.name: (each, kind) for each, kind in _fields(cls)}
    for name in options:
        if name not in known:
            raise UsageError(f"{owner} has no option {name!r}: {did_you_mean(str(name), known)}")
    for name, (each, _) in known.items():
        if _required(each) and name not in options:
            raise UsageError(f"{owner} needs the option {name!r}")
    return cls(**{name: _checked(*known[name], value, owner) for name, value in options.items()})


def check(instance: Any, owner: str) -> None:
    """Check the options of an instance that was created without `build`, e.g. in __post_init__."""
    for each, kind in _fields(type(instance)):
        _checked(each, kind, getattr(instance, each.name), owner)


def _fields(cls: type) -> list[tuple[dataclasses.Field[Any], Any]]:
    if not dataclasses.is_dataclass(cls):
        return []
    kinds = typing.get_type_hints(cls)
    return [(each, kinds[each.name]) for each in dataclasses.fields(cls) if each.name[0] != "_" and each.init]


def _required(each: dataclasses.Field[Any]) -> bool:
    return each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING


def _default_text(each: dataclasses.Field[Any]) -> str:
    default = each.default
    if each.default_factory is not dataclasses.MISSING:
        default = each.default_factory()
    if default is None or default == ():
        return "–"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _plain_types(kind: Any) -> tuple[type, ...]:
    """The Python types that a field's annotation allows: int for `int | None` and NoneType, …"""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(plain for part in typing.get_args(kind) for plain in _plain_types(part))
    origin = typing.get_origin(kind) or kind
    if origin in (list, tuple, set, frozenset):
        return (tuple,)
    return (origin if isinstance(origin, type) else object,)


def _type_words(each: dataclasses.Field[Any], kind: Any) -> str:
    if choices := each.metadata.get("choices"):
        return " | ".join(choices)
    words = [_WORDS.get(plain, plain.__name__) for plain in _plain_types(kind) if plain is not type(None)]
    least = each.metadata.get("least")
    return " or ".join(words) + ("" if least is None else f" ≥ {least}")


def _checked(each: dataclasses.Field[Any], kind: Any, value: Any, owner: str) -> Any:
    if isinstance(value, list):
        value = tuple(value)
    allowed = _plain_types(kind)
    if float in allowed and type(value) is int:
        value = float(value)
    if object not in allowed and type(value) not in allowed:
        found = "nothing" if value is None else repr(value)
        raise UsageError(f"{owner}: {each.name} must be {_type_words(each, kind)}, found {found}")
    choices, least = each.metadata.get("choices"), each.metadata.get("least")
    if choices and value is not None and value not in choices:
        raise UsageError(f"{owner}: {each.name} cannot be {value!r}: {did_you_mean(str(value), choices)}")
    longest = each.metadata.get("longest")
    if longest is not None and isinstance(value, str):
        size = len(value.encode("utf-8", "replace"))
        if not (0 < size <= longest and value.isprintable()):
            found = f"one of {size}" if value.isprintable() else repr(value)
            raise UsageError(
                f"{owner}: {each.name} must be a name of 1 to {longest} printable bytes, found {found}"
            )
    if least is not None and isinstance(value, int | float) and not value >= least:
        raise UsageError(f"{owner}: {each.name} must be at least {least}, found {value}")
    return value
