"""The pressure on each key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from txfuzz.analysis.dependencies.columns import Flags
from txfuzz.analysis.dependencies.edges import Dependencies
from txfuzz.analysis.dependencies.metrics import UNFOLDED, overlapped
from txfuzz.analysis.result import KeyPressure
from txfuzz.history.model import OK, History, Ints

SHOWN = 64  # keys


@dataclass(frozen=True, eq=False)
class LogicalKeys:
    """The logical keys of the workload behind the physical keys of a history.

    of: (keys) the number of each physical key's logical key. names: (logical keys) its name; the physical
    key itself if the history has no logical one. known: (logical keys) whether a workload can use the name.
    """

    of: Ints
    names: tuple[Any, ...]
    known: Flags


def logical_keys(history: History) -> LogicalKeys:
    numbers: dict[tuple[bool, Any], int] = {}
    of = np.zeros(len(history.keys), np.int64)
    for at, (logical, key) in enumerate(zip(history.logical, history.keys, strict=True)):
        name = (False, key) if logical is None else (True, logical)
        of[at] = numbers.setdefault(name, len(numbers))
    known = np.array([is_logical for is_logical, _ in numbers], np.bool_)
    return LogicalKeys(of, tuple(name for _, name in numbers), known)


@dataclass(frozen=True, eq=False)
class Pressure:
    """Counts by logical key, as in KeyPressure."""

    keys: LogicalKeys
    reads: Ints
    writes: Ints
    edges: Ints
    concurrent_edges: Ints

    def hardest(self, shown: int = SHOWN) -> tuple[KeyPressure, ...]:
        """Most pressure first: by concurrent edges, then edges, then operations."""
        count = len(self.keys.names)
        order = np.lexsort(
            (np.arange(count), -(self.reads + self.writes), -self.edges, -self.concurrent_edges)
        )
        return tuple(
            KeyPressure(
                self.keys.names[at],
                int(self.reads[at]),
                int(self.writes[at]),
                int(self.edges[at]),
                int(self.concurrent_edges[at]),
            )
            for at in order[:shown].tolist()
            if self.reads[at] or self.writes[at]
        )


def pressure(dependencies: Dependencies) -> Pressure:
    """Of committed transactions only."""
    history, columns = dependencies.history, dependencies.columns
    wide = dependencies.unfolded(UNFOLDED) if len(dependencies.bicliques) else dependencies
    keys = logical_keys(history)
    count = len(keys.names)
    mops = np.flatnonzero(columns.type == OK)
    key, read = keys.of[history.mop_key[mops]], columns.is_read[mops]
    ok = history.type == OK
    edges = np.flatnonzero(ok[wide.source] & ok[wide.target])
    concurrent = edges[overlapped(history, wide.source[edges], wide.target[edges])]
    return Pressure(
        keys,
        np.bincount(key[read], minlength=count),
        np.bincount(key[~read], minlength=count),
        np.bincount(keys.of[wide.key[edges]], minlength=count),
        np.bincount(keys.of[wide.key[concurrent]], minlength=count),
    )
