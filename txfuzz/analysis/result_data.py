"""Values from their JSON data: the inverse of `as_data`, with every type checked, because files may
come from another version or have been edited by hand."""

from __future__ import annotations

import types
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from txfuzz.analysis.result import AnalysisResult
from txfuzz.analysis.views.mop_view import MopView

T = TypeVar("T")

_LARGEST = 1 << 1023  # integers up to this fit into a float


def restored_result(data: Any) -> AnalysisResult:
    """The inverse of `AnalysisResult.to_json`. Raises ValueError if the data do not fit."""
    if isinstance(data, Mapping) and "not" in data:
        data = {**data, "not_models": data["not"]}
    return restored(AnalysisResult, data)


def restored(wanted: type[T], data: Any) -> T:
    """A frozen dataclass from a JSON object; unknown fields are ignored.

    Raises ValueError with one sentence if a field is missing or has the wrong type.
    """
    value: T = _value(wanted, data, wanted.__name__)
    return value


@cache
def _hints(wanted: Any) -> dict[str, Any]:
    return get_type_hints(wanted)


def _value(wanted: Any, data: Any, name: str) -> Any:
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return data
    if origin in (Union, types.UnionType):
        return _either(inner, data, name)
    if origin is tuple:
        return _tuple(inner, data, name)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _value(inner[1], item, f"{name}.{key}") for key, item in _object(data, name).items()}
    if wanted is MopView:
        return _mop_view(data, name)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _fields(wanted, _object(data, name), name)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(data)
    if wanted is float and type(data) is int:
        return float(data) if abs(data) < _LARGEST else _unfit(data, name, "a number")
    if wanted is Path and type(data) is str:
        return Path(data)
    if type(data) is not wanted:
        raise ValueError(f"{name} is {_shown(data)}, expected {wanted.__name__}")
    return data


def _fields(wanted: type[Any], data: Mapping[str, Any], name: str) -> Any:
    hints = _hints(cast(Hashable, wanted))
    given = {}
    for each in fields(wanted):
        if each.name in data:
            given[each.name] = _value(hints[each.name], data[each.name], f"{name}.{each.name}")
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{name} has no field {each.name!r}")
    return wanted(**given)


def _mop_view(data: Any, name: str) -> MopView:
    try:
        return MopView.from_json(data)
    except ValueError as error:
        raise ValueError(f"{name} is {_shown(data)}: {error}") from None


def _either(choices: tuple[Any, ...], data: Any, name: str) -> Any:
    if data is None and type(None) in choices:
        return None
    [other, *_] = [choice for choice in choices if choice is not type(None)]
    return _value(other, data, name)


def _tuple(inner: tuple[Any, ...], data: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise ValueError(f"{name} is {_shown(data)}, expected a list")
    return tuple(_value(inner[0], item, f"{name}[{at}]") for at, item in enumerate(data))


def _object(data: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError(f"{name} is {_shown(data)}, expected an object")
    return data


def _unfit(data: Any, name: str, expected: str) -> Any:
    raise ValueError(f"{name} is {_shown(data)}, expected {expected}")


def _shown(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 40 else f"{text[:39]}…"
