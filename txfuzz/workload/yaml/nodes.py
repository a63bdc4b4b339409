"""YAML data with source locations, and error messages about it.

All messages have one form: `file:line:column: what was found, what was expected (a hint)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from txfuzz.common.secrets import without_password
from txfuzz.errors import UsageError, WorkloadError, did_you_mean

Scalar = str | int | float | bool | None

_SHOWN = 60  # characters of a text that a message quotes
_MOST_ITEMS = 100_000  # of a list that a template writes as a range


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column count from 1. inside: what was expanded here, such as a template."""

    source: str
    line: int
    column: int
    inside: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"

    def error(self, found: str, expected: str = "", hint: str = "") -> WorkloadError:
        """The error. found: may quote the file; passwords in URLs are removed."""
        found = without_password(found)
        inside = f"in {self.inside}: " if self.inside else ""
        expected = f", expected {expected}" if expected else ""
        hint = f" ({hint})" if hint else ""
        return WorkloadError(" ".join(f"{self}: {inside}{found}{expected}{hint}".split("\n")))

    @contextmanager
    def added_to_errors(self) -> Iterator[None]:
        """Add this place to UsageErrors raised inside."""
        try:
            yield
        except WorkloadError:
            raise
        except UsageError as error:
            raise self.error(str(error)) from None


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place.

    key_place: of the field name, if this is the value of a field. style: of a scalar that stands in a file:
    its quote, | or >, or nothing for a plain word.
    """

    place: Place
    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    key_place: Place | None = None
    style: str | None = None

    def fields(
        self,
        owner: str,
        known: Collection[str],
        required: Collection[str] = (),
        elsewhere: Mapping[str, str] = MappingProxyType({}),
    ) -> Mapping[str, Node]:
        """The fields of a mapping; WorkloadError if one is unknown or a required one is missing.

        elsewhere: names that are sought here → where they belong.
        """
        fields = self.mapping(f"{owner} as a mapping")
        for name, node in fields.items():
            if name not in known:
                raise node.name_place.error(
                    f"found the unknown field {name!r} in {owner}",
                    "",
                    elsewhere.get(name) or did_you_mean(name, known),
                )
        for name in required:
            if name not in fields:
                raise self.place.error(f"found {owner} without the field {name!r}")
        return fields

    def mapping(self, expected: str) -> Mapping[str, Node]:
        if not isinstance(self.value, Mapping):
            raise self.unexpected(expected)
        return self.value

    def items(self, expected: str) -> tuple[Node, ...]:
        if not isinstance(self.value, tuple):
            raise self.unexpected(expected)
        return self.value

    def text(self, expected: str, check: Callable[[str], object] | None = None) -> str:
        """A non-empty line of text. check: raises UsageError if the text is not acceptable."""
        if not isinstance(self.value, str):
            raise self.unexpected(f"{expected} (text)")
        if not self.value.strip() or not self.value.isprintable():
            raise self.unexpected(expected)
        if check is not None:
            with self.place.added_to_errors():
                check(self.value)
        return self.value

    def whole(self, expected: str, least: int | None = None, most: int | None = None) -> int:
        value = self.value
        low, high = least is not None, most is not None
        bounds = f" from {least} to {most}" if low and high else f" of at least {least}" if low else ""
        if (
            type(value) is not int
            or (least is not None and value < least)
            or (most is not None and value > most)
        ):
            raise self.unexpected(f"{expected} (a whole number{bounds})")
        return value

    def number(self, expected: str) -> int | float:
        """A finite, non-negative number."""
        value = self.value
        if type(value) not in (int, float) or not (value >= 0 and math.isfinite(value)):  # type: ignore
            raise self.unexpected(f"{expected} (a non-negative number)")
        return value  # type: ignore[return-value]

    def boolean(self, expected: str) -> bool:
        if not isinstance(self.value, bool):
            raise self.unexpected(f"{expected} (true or false)")
        return self.value

    def one_of(self, expected: str, words: Collection[str]) -> str:
        if not isinstance(self.value, str):
            raise self.unexpected(f"{expected} (one of {', '.join(words)})")
        if self.value not in words:
            raise self.unexpected(expected, did_you_mean(self.value, words))
        return self.value

    @property
    def name_place(self) -> Place:
        return self.key_place or self.place

    def unexpected(self, expected: str, hint: str = "") -> WorkloadError:
        return self.place.error(f"found {self.shown()}", expected, hint)

    def shown(self) -> str:
        """A description of the value."""
        value = self.value
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return f"the number {brief(str(value))}"
        if isinstance(value, str):
            return f"the text {brief(without_password(value))!r}" if value else "an empty text"
        if isinstance(value, tuple):
            return "a list" if value else "an empty list"
        return "a mapping" if value else "an empty mapping"

    def plain(self) -> Any:
        """The value without places, as lists, dicts and scalars."""
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        if isinstance(self.value, Mapping):
            return {name: node.plain() for name, node in self.value.items()}
        return self.value


def node_of(data: Any, place: Place) -> Node:
    """Plain data as nodes that share one place. WorkloadError for what YAML cannot represent."""
    if data is None or isinstance(data, str | int | float):
        return Node(place, data)
    if isinstance(data, range) and data[_MOST_ITEMS:]:
        raise place.error(f"found {data}", f"at most {_MOST_ITEMS:,} items, or the form {{range: [1, 9]}}")
    if isinstance(data, range | list | tuple):
        return Node(place, tuple(node_of(item, place) for item in data))
    if isinstance(data, Mapping):
        for name in data:
            if not isinstance(name, str) and type(name) is not int:
                raise place.error(f"found the field {name!r}", "a name (text)")
        return Node(place, {str(name): node_of(value, place) for name, value in data.items()})
    raise place.error(f"found a {type(data).__name__}", "text, a number, true, false, a list or a mapping")


def brief(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
