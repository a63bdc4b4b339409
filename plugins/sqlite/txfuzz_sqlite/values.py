"""What a read saw. A list is text: its values in order, each followed by a comma."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from txfuzz.database.port import ReadValue
from txfuzz.kind import Kind

SHORT = 200  # characters of a list


def list_value(value: Any) -> ReadValue:
    """`3,1,4,` and, as raw SQL may select it, `3,1,4`; NULL is an empty list."""
    if value is None:
        return ()
    if not isinstance(value, str):
        raise ValueError(f"a read of a list must select text like '3,1,4,', not {shorten(value)}")
    return short_list(value) if len(value) <= SHORT else parsed_list(value)


def parsed_list(value: str) -> tuple[int, ...]:
    if not value:
        return ()
    try:
        return tuple(map(int, value.removesuffix(",").split(",")))
    except ValueError:
        raise ValueError(f"a read of a list must select text like '3,1,4,', not {shorten(value)}") from None


# Values are numbered anew for every key, so the same short lists come again and again.
short_list = lru_cache(maxsize=1 << 13)(parsed_list)


def register_value(value: Any) -> ReadValue:
    if value is None or type(value) is int:
        return value
    raise ValueError(f"a read of a register must select an integer, not {shorten(value)}")


def shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"


DECODE: dict[Kind, Callable[[Any], ReadValue]] = {
    Kind.LIST_APPEND: list_value,
    Kind.RW_REGISTER: register_value,
}
