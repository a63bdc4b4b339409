"""Decisions of the feedback in words: what changes, from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from txfuzz.report.verdict import listed

_KEYS = 8  # keys named one by one

TARGETS: Mapping[str, str] = {
    "keys": "the choice of keys",
    "mix": "the mix",
    "scheduling.clients": "the number of clients",
    "scheduling.barrier_every": "how often the clients meet at a barrier (0: never)",
    "init_schema": "whether the tables are made anew",
}


def target_text(target: str) -> str:
    """What a decision changes; its own name where it is another plugin's."""
    return TARGETS.get(target, target)


def value_text(value: Any) -> str:
    """What it was, or is to be."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | range):
        return keys_text(value)
    if isinstance(value, Mapping):
        return listed(f"{name} {_weight(weight)}" for name, weight in value.items()) if value else "nothing"
    return str(value)


def keys_text(keys: Sequence[Any]) -> str:
    """Few keys by name, many by their number."""
    if not keys or len(keys) > _KEYS:
        return f"{len(keys):,} keys"
    return f"{'key' if len(keys) == 1 else 'keys'} {listed(map(str, keys))}"


def _weight(weight: Any) -> str:
    return f"{weight:.3g}" if isinstance(weight, int | float) else str(weight)
