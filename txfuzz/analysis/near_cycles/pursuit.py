"""What became of the near-cycle that an iteration pursued: whether its missing edge appeared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.checker.preconditions import violated_precondition
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.edges import KINDS
from txfuzz.analysis.dependencies.key_pressure import logical_keys
from txfuzz.analysis.dependencies.metrics import UNFOLDED, overlapped
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.result import AnalysisResult, Anomaly, MissingEdge
from txfuzz.history.model import OK, History
from txfuzz.workload.model import Workload

FORCED, NOT_FORCED, NOT_ASKED, ALONE, UNKNOWN = "forced", "not forced", "not asked", "one client", "unknown"


@dataclass(frozen=True, slots=True)
class Pursuit:
    """A missing edge of one iteration in the next one.

    iteration: the one whose nearest near-cycle lacked the edge. outcome: "forced", "not forced",
    "not asked" (the workload no longer has all keys of the near-cycle), "one client" (it ran alone, so that
    nothing overlapped), or "unknown" (the history cannot be judged). times: pairs of committed, overlapping
    transactions with such an edge. closed: the types of the reported anomalies that contain it.
    """

    iteration: int
    missing: MissingEdge
    outcome: str
    times: int = 0
    closed: tuple[str, ...] = ()


def pursuit(
    iteration: int,
    earlier: AnalysisResult,
    history: History,
    result: AnalysisResult,
    workload: Workload,
    options: VersionOptions | None = None,
) -> Pursuit | None:
    """What became of the nearest near-cycle of an earlier iteration; None if it had none.

    iteration, earlier: its number and result. history, result, workload: of the next one. options: the
    checker's assumptions about versions.
    """
    if not earlier.near_cycles:
        return None
    near = earlier.near_cycles[0]
    keys = workload.logical_keys()
    if not all(key in keys for key in near.keys):
        return Pursuit(iteration, near.missing, NOT_ASKED)
    times = _times(history, near.missing, options or VersionOptions())
    if not times:
        alone = workload.scheduling.clients < 2 and not workload.directed
        outcome = UNKNOWN if times is None else ALONE if alone else NOT_FORCED
        return Pursuit(iteration, near.missing, outcome)
    closed = {each.type for each in result.anomalies if _takes_part(each, near.missing)}
    return Pursuit(iteration, near.missing, FORCED, times, tuple(sorted(closed)))


def _times(history: History, missing: MissingEdge, options: VersionOptions) -> int | None:
    """How many pairs of transactions have the edge; None if unknown."""
    columns = columns_of(history)
    if violated_precondition(columns, options):
        return None
    edges = dependencies(history, options, columns).unfolded(UNFOLDED)
    keys = logical_keys(history)
    on = np.array([name == missing.key for name in keys.names], np.bool_)[keys.of]
    fits = (edges.kind == KINDS.index(missing.kind)) & on[edges.key]
    for rows, template in ((edges.source, missing.source_template), (edges.target, missing.target_template)):
        if template is not None:
            of = np.array([*(name == template for name in history.templates), False], np.bool_)
            fits &= of[history.template[rows]]  # -1, a transaction without a template, is the last
    source, target = edges.source[fits], edges.target[fits]
    both = (history.type[source] == OK) & (history.type[target] == OK) & overlapped(history, source, target)
    found = len(set(zip(source[both].tolist(), target[both].tolist(), strict=True)))
    return found if found or not len(edges.bicliques) else None


def _takes_part(anomaly: Anomaly, missing: MissingEdge) -> bool:
    names = {view.row: view.template for view in anomaly.transactions}
    return any(
        (edge.kind, edge.logical_key) == (missing.kind, missing.key)
        and missing.source_template in (None, names.get(edge.source))
        and missing.target_template in (None, names.get(edge.target))
        for edge in anomaly.edges
    )
