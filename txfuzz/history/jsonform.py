"""JSON histories: Elle's operations as objects, keywords as strings with or without a colon."""

from __future__ import annotations

import json
from typing import Any

from txfuzz.history.values import TOO_MANY_DIGITS, Map, checked


def parse_json(data: bytes) -> Any:
    """One value; ValueError with one sentence for text that is none."""
    text = data.decode()
    try:
        return _plain(json.loads(text, object_pairs_hook=_object))
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        if "digits" in str(error):
            raise ValueError(TOO_MANY_DIGITS) from None
        raise


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return checked(value) if isinstance(value, str) else value


def _object(pairs: list[tuple[str, Any]]) -> Map:
    found = Map((checked(key), _plain(item)) for key, item in pairs)
    if len(found) < len(pairs):
        raise ValueError("it holds a key twice")
    return found
