"""Values of reads, for databases without arrays: a list is text, with a comma after each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from txfuzz.common.kind import Kind
from txfuzz.database.api import ReadValue

_SHORT = 200  # characters of a list


def list_value(value: Any) -> ReadValue:
    """Parse `3,1,4,` or, as raw SQL may select, `3,1,4`; NULL is an empty list. Raises ValueError."""
    if value is None:
        return ()
    if not isinstance(value, str):
        raise ValueError(f"a read of a list must select text like '3,1,4,', not {_shorten(value)}")
    return _short_list(value) if len(value) <= _SHORT else _parsed_list(value)


def register_value(value: Any) -> ReadValue:
    """A whole number of any type that drivers return; NULL is an absent register. Raises ValueError."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():  # the sum of integers
        return int(value)
    raise ValueError(f"a read of a register must select an integer, not {_shorten(value)}")


def _parsed_list(value: str) -> tuple[int, ...]:
    if not value:
        return ()
    try:
        return tuple(map(int, value.removesuffix(",").split(",")))
    except ValueError:
        raise ValueError(f"a read of a list must select text like '3,1,4,', not {_shorten(value)}") from None


# Values are numbered per key, so the same short lists come up over and over.
_short_list = lru_cache(maxsize=1 << 13)(_parsed_list)


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"


TEXT_DECODERS: Mapping[Kind, Callable[[Any], ReadValue]] = {
    Kind.LIST_APPEND: list_value,
    Kind.RW_REGISTER: register_value,
}
