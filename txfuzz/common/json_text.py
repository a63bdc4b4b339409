"""JSON text that every parser accepts and every terminal can show.

Python writes Infinity and NaN, which are not valid JSON: such numbers are written as the strings "Infinity",
"-Infinity" and "NaN". Characters that are unsafe for terminals are escaped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from txfuzz.common.sanitize import escaped


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON data (dicts, lists, tuples, scalars) as text; TypeError for anything else."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:  # a number that JSON cannot represent
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return escaped(text)


def number(value: float) -> float | str:
    """A number as JSON allows it: infinities and NaN by name."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        # json.dumps also accepts numbers as names
        return {_finite(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
