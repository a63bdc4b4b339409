"""What came of the directed schedules of a run, by its history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from txfuzz.analysis.checker.preconditions import violated_precondition
from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.edges import KINDS
from txfuzz.analysis.dependencies.key_pressure import logical_keys
from txfuzz.analysis.dependencies.metrics import UNFOLDED
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.execution.summary import ExecutionSummary, Play
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.history.model import History
from txfuzz.workload.directed import DirectedSchedule
from txfuzz.workload.model import Workload

_Pair = tuple[int, int]  # rows of a source and a target


def outcomes(
    history: History, workload: Workload, execution: ExecutionSummary | None, options: VersionOptions | None
) -> tuple[DirectedOutcome, ...]:
    """One for each directed schedule of the workload.

    execution: of the run that made the history; None if unknown. options: the checker's assumptions about
    versions.
    """
    if not workload.directed:
        return ()
    if execution is None:
        return tuple(DirectedOutcome(each, reason="who played is not known") for each in workload.directed)
    rows = _rows(history, {process for play in execution.plays for process, _ in play.transactions})
    edges = _Edges(history, options or VersionOptions())
    return tuple(
        _outcome(
            schedule,
            [each for each in execution.plays if each.schedule == place],
            rows,
            edges,
            execution.undirected,
        )
        for place, schedule in enumerate(workload.directed)
    )


def _outcome(
    schedule: DirectedSchedule, plays: Sequence[Play], rows: dict[int, list[int]], edges: _Edges, reason: str
) -> DirectedOutcome:
    places = {each.alias: place for place, each in enumerate(schedule.transactions)}
    source, target = places[schedule.missing.source], places[schedule.missing.target]
    pairs = [pair for play in plays if (pair := _pair(play, source, target, rows)) is not None]
    there = edges.among(schedule.missing.kind, schedule.focus_key, pairs)
    return DirectedOutcome(
        schedule,
        len(plays),
        sum(pair in there for pair in pairs),
        sum(not any(play.codes) for play in plays),
        dict(Counter(code for play in plays for code in play.codes if code).most_common()),
        sum(play.waited for play in plays),
        "" if plays else reason or "the run ended first",
    )


def _pair(play: Play, source: int, target: int, rows: dict[int, list[int]]) -> _Pair | None:
    """The rows of the missing edge's transactions; None if the history, cut short, has not both."""
    found = []
    for process, before in (play.transactions[source], play.transactions[target]):
        of = rows.get(process, [])
        if before >= len(of):
            return None
        found.append(of[before])
    return found[0], found[1]


def _rows(history: History, processes: set[int]) -> dict[int, list[int]]:
    """By process, its rows in the order in which it ran them."""
    found: dict[int, list[int]] = {process: [] for process in processes}
    wanted = np.flatnonzero(np.isin(history.process, sorted(processes)))
    for row in wanted[np.argsort(history.invoke_at[wanted], kind="stable")].tolist():
        found[int(history.process[row])].append(row)
    return found


class _Edges:
    """The dependencies of a history, made when they are first needed."""

    def __init__(self, history: History, options: VersionOptions) -> None:
        self._history, self._options = history, options

    def among(self, kind: str, key: int, pairs: Sequence[_Pair]) -> set[_Pair]:
        """Those of these pairs that have a dependency of this kind on this logical key."""
        columns = columns_of(self._history)
        if not pairs or violated_precondition(columns, self._options):
            return set()
        edges = dependencies(self._history, self._options, columns).unfolded(UNFOLDED)
        keys = logical_keys(self._history)
        on = np.array([name == key for name in keys.names], np.bool_)[keys.of]
        rows = np.unique(np.array(pairs, np.int64))
        fits = (edges.kind == KINDS.index(kind)) & on[edges.key] & np.isin(edges.source, rows)
        found = set(zip(edges.source[fits].tolist(), edges.target[fits].tolist(), strict=True))
        return found & set(pairs)
