"""JSON text as every JSON parser takes it, and as a terminal can show it.

Python writes Infinity and NaN, which are no JSON: such numbers are written as the strings "Infinity",
"-Infinity" and "NaN". What a terminal should not get is written as an escape.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from txfuzz.common.sanitize import escaped


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON data (dicts, lists, tuples, scalars) as text; TypeError for what is none."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:  # a number that JSON has no form for
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return escaped(text)


def number(value: float) -> float | str:
    """A number as JSON can have it: what is not finite by its name."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        # json.dumps takes numbers as names, too
        return {_finite(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
