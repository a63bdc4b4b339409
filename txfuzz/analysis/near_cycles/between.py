"""Dependencies between given transactions: whether what was to arise between them has arisen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from txfuzz.analysis.checker.preconditions import violated_precondition
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.edges import KINDS
from txfuzz.analysis.dependencies.key_pressure import logical_keys
from txfuzz.analysis.dependencies.metrics import UNFOLDED
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.history.model import History

Pair = tuple[int, int]  # rows of a source and a target


def pairs_with(
    history: History, kind: str, key: int, pairs: Sequence[Pair], options: VersionOptions
) -> set[Pair]:
    """Those of these pairs that have a dependency of this kind on this logical key; none if the history
    cannot be judged. options: the checker's assumptions about versions."""
    columns = columns_of(history)
    if not pairs or violated_precondition(columns, options):
        return set()
    edges = dependencies(history, options, columns).unfolded(UNFOLDED)
    keys = logical_keys(history)
    on = np.array([name == key for name in keys.names], np.bool_)[keys.of]
    rows = np.unique(np.array(pairs, np.int64))
    fits = (edges.kind == KINDS.index(kind)) & on[edges.key] & np.isin(edges.source, rows)
    found = set(zip(edges.source[fits].tolist(), edges.target[fits].tolist(), strict=True))
    return found & set(pairs)


def rows_of(history: History, processes: Collection[int]) -> Mapping[int, list[int]]:
    """By process, its rows in the order in which it ran them."""
    found: dict[int, list[int]] = {process: [] for process in processes}
    wanted = np.flatnonzero(np.isin(history.process, sorted(processes)))
    for row in wanted[np.argsort(history.invoke_at[wanted], kind="stable")].tolist():
        found[int(history.process[row])].append(row)
    return found
