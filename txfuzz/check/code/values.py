"""What a function returned, as plain data: compared by value, never by the address of an object."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Mapping
from itertools import islice
from types import GeneratorType
from typing import Any

PLAIN: tuple[type[Any], ...] = (
    bool, int, float, str, bytes, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta, uuid.UUID
)  # fmt: skip
_DEEPEST = 6
_MOST_YIELDED = 10_000


def comparable(value: Any, depth: int = 0) -> Any:
    """Plain data that differs where the values do. Of what cannot be compared only the type is left."""
    if value is None or type(value) in PLAIN or isinstance(value, datetime.date | uuid.UUID):
        return value
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, PLAIN):
        return next(each for each in PLAIN if isinstance(value, each))(value)  # a subclass of str, …
    if depth >= _DEEPEST:
        return _only_type(value)
    if isinstance(value, Mapping):
        return {_key(key): comparable(each, depth + 1) for key, each in value.items()}
    if hasattr(type(value), "_asdict"):  # a named tuple, SQLAlchemy's Row
        return comparable(value._asdict(), depth)
    if isinstance(value, GeneratorType):
        return [comparable(each, depth + 1) for each in islice(value, _MOST_YIELDED)]
    if isinstance(value, list | tuple):
        return [comparable(each, depth + 1) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((comparable(each, depth + 1) for each in value), key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return {"": type(value).__name__, **_loaded(fields, depth)}
    columns = _mapped_columns(value)
    return _only_type(value) if columns is None else {"": type(value).__name__, **_loaded(columns, depth)}


def _mapped_columns(value: Any) -> Mapping[str, Any] | None:
    """The loaded columns of a model's object: of SQLAlchemy's or Django's. Nothing is loaded for this."""
    state = getattr(value, "__dict__", None)
    if state is None or not ({"_sa_instance_state", "_state"} & state.keys()):
        return None
    return {name: each for name, each in state.items() if not name.startswith("_")}


def _loaded(columns: Mapping[str, Any], depth: int) -> dict[str, Any]:
    return {name: comparable(each, depth + 1) for name, each in sorted(columns.items())}


def _key(key: Any) -> str:
    return key if isinstance(key, str) else repr(comparable(key))


def _only_type(value: Any) -> str:
    return f"<{value.__name__ if isinstance(value, type) else type(value).__name__}>"
