"""Comparison of two histories, and the contents of a history as plain values."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from txfuzz.history.model import History
from txfuzz.history.operations import Operation, operations
from txfuzz.history.values import identity

ABOUT_THE_FILE = ("source", "operations", "warnings")


def differences(one: History, other: History, leave_out: tuple[str, ...] = ("source",)) -> list[str]:
    """The fields in which they differ, with both values."""
    found = []
    for field in dataclasses.fields(History):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name not in leave_out and not _same(mine, theirs):
            found.append(f"{field.name}: {mine!r} and {theirs!r}")
    return found


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, np.ndarray):
        return bool(mine.dtype == theirs.dtype and np.array_equal(mine, theirs))
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(np.array_equal(mine[key], theirs[key]) for key in mine)
    return identity(mine) == identity(theirs)


def disagreements(one: History, other: History) -> list[str]:
    """As `differences`, but elements other than integers may be numbered in a different order."""
    numbered = (
        "mop_value",
        "element_key",
        "element_value",
        "odd_reads",
        "trunk_elements",
        "duplicate_writes",
    )
    found = differences(one, other, ("source", *numbered))
    if plain(one) != plain(other):
        found.append(f"told: {plain(one)} and {plain(other)}")
    for name in ("trunk_elements", "duplicate_writes"):
        mine, theirs = _elements(one, name), _elements(other, name)
        if mine != theirs:
            found.append(f"{name}: {mine} and {theirs}")
    return found


def _elements(history: History, name: str) -> list[Any]:
    if name == "trunk_elements":
        return [identity(value) for value in history.values(history.trunk_elements)]
    return sorted(
        repr((history.keys[history.element_key[element]], history.element_value[element], *rows))
        for element, *rows in history.duplicate_writes
    )


def plain(history: History) -> list[Any]:
    """The contents of a history, with 1, 1.0 and true distinguished."""
    fields = Operation.__dataclass_fields__
    return [[identity(getattr(one, name)) for name in fields] for one in told(history)]


def told(history: History) -> list[Operation]:
    """All operations in their order, with plain values."""
    return list(operations(history))


def mops(history: History) -> list[list[Any]]:
    """The final state of each transaction: its completion, or its invocation if there is none."""
    done: dict[int, list[Any]] = {}
    rows = {int(at): row for row, at in enumerate(history.complete_at) if at >= 0}
    begun = {int(at): row for row, at in enumerate(history.invoke_at) if at >= 0}
    for at, operation in enumerate(told(history)):
        row = rows.get(at, begun.get(at, -1))
        done[row] = list(operation.mops or [])
    return [done[row] for row in range(len(history))]
