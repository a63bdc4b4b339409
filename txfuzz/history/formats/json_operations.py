"""JSON histories: Elle's operations as objects, keywords as strings with or without a colon."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from txfuzz.errors import HistoryError
from txfuzz.history.formats.boundaries import SHOWN
from txfuzz.history.values import TOO_MANY_DIGITS, Map, checked, edn

if TYPE_CHECKING:
    from txfuzz.history.operations import Operation


def parse_json(data: bytes) -> Any:
    """One value; ValueError with one sentence for invalid text."""
    text = data.decode()
    try:
        return _plain(json.loads(text, object_pairs_hook=_object, parse_float=_float))
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        if "digits" in str(error):
            raise ValueError(TOO_MANY_DIGITS) from None
        raise


def _float(text: str) -> float:
    """Refuse numbers that are too large for a double: they would all become infinite."""
    found = float(text)
    if math.isinf(found):
        raise ValueError(f"it contains the number {text[:SHOWN]}, which is too large for a double")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        if set(map(type, value)) == {int}:
            return tuple(value)
        return tuple(_plain(item) for item in value)
    return checked(value) if isinstance(value, str) else value


def _object(pairs: list[tuple[str, Any]]) -> Map:
    found = Map((checked(key), _plain(item)) for key, item in pairs)
    if len(found) < len(pairs):
        raise ValueError("it contains a duplicate key")
    return found


def operation_json(operation: Operation, source: str) -> bytes:
    """An operation as an object; HistoryError for values that JSON cannot represent."""
    one = operation
    fields = {"index": one.index, "type": one.type, "process": _to_json(one.process, source), "f": "txn"}
    own = {name: getattr(one, name) for name in ("time", "txn", "steps", "logical")}
    fields |= {name: value for name, value in own.items() if value is not None}
    fields["value"] = None if one.mops is None else _to_json(one.mops, source)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def fields_json(fields: Mapping[str, Any], source: str) -> bytes:
    """Fields as an object; HistoryError for values that JSON cannot represent."""
    told = {name: _to_json(value, source) for name, value in fields.items()}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _to_json(value: Any, source: str) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    if isinstance(value, Sequence):
        if set(map(type, value)) == {int}:
            return value
        return [_to_json(item, source) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _to_json(item, source) for key, item in value.items()}
    raise HistoryError(f"{source}: JSON cannot represent {edn(value)}; EDN can")
