"""JSON histories: Elle's operations as objects, keywords as strings with or without a colon."""

from __future__ import annotations

import json
from typing import Any

from txfuzz.history.values import Map


def parse_json(data: bytes) -> Any:
    """One value; ValueError with one sentence for text that is none."""
    text = data.decode()
    try:
        return _plain(json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        if "digits" in str(error):
            raise ValueError("it holds an integer of more than 4300 digits") from None
        raise


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    if isinstance(value, dict):
        return Map((key, _plain(item)) for key, item in value.items())
    return value
