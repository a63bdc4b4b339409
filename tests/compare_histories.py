"""When two histories are the same, and what a history tells in plain values."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from txfuzz.history.model import History
from txfuzz.history.unfolding import Operation, operations
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


def told(history: History) -> list[Operation]:
    """All operations in their order, with plain values."""
    return list(operations(history))


def mops(history: History) -> list[list[Any]]:
    """What each transaction did in the end: its completion, or its invocation without one."""
    done: dict[int, list[Any]] = {}
    rows = {int(at): row for row, at in enumerate(history.complete_at) if at >= 0}
    begun = {int(at): row for row, at in enumerate(history.invoke_at) if at >= 0}
    for at, operation in enumerate(told(history)):
        row = rows.get(at, begun.get(at, -1))
        done[row] = list(operation.mops or [])
    return [done[row] for row in range(len(history))]
