"""The part of a large history that a picture of its dependencies shows: what matters most and is near."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.dependencies.edges import Dependencies
from txfuzz.analysis.dependencies.metrics import overlapped
from txfuzz.analysis.result import AnalysisResult
from txfuzz.history.model import Ints


def excerpt_rows(found: Dependencies, result: AnalysisResult, rows: Ints, most: int) -> Ints:
    """At most so many of these transactions, rising: those of the findings (and of the near-cycles where
    there is none), then those that depend on one of them or the other way round, and so on.

    Without findings and near-cycles it begins with the transaction that most concurrent dependencies join.
    """
    shown = [each.transactions for each in result.anomalies or result.near_cycles]
    begin = list(dict.fromkeys(view.row for views in shown for view in views))
    if not begin:
        begin = [_busiest(found, rows)]
    allowed = np.zeros(len(found.history), np.bool_)
    allowed[rows] = True
    taken = np.zeros(len(found.history), np.bool_)
    latest = np.array([row for row in begin if allowed[row]][:most], np.int64)
    while len(latest):
        taken[latest] = True
        room = most - int(taken.sum())
        if not room:
            break
        next_to = np.concatenate(
            [found.target[np.isin(found.source, latest)], found.source[np.isin(found.target, latest)]]
        ).astype(np.int64)
        fresh = np.unique(next_to[allowed[next_to] & ~taken[next_to]])
        nearest = np.abs(fresh[:, None] - np.flatnonzero(taken)[None, :]).min(axis=1, initial=len(taken))
        latest = fresh[np.argsort(nearest, kind="stable")[:room]]
    return np.flatnonzero(taken)


def _busiest(found: Dependencies, rows: Ints) -> int:
    pairs = np.flatnonzero(overlapped(found.history, found.source, found.target))
    ends = np.concatenate([found.source[pairs], found.target[pairs]])
    counts = np.bincount(ends, minlength=len(found.history))
    return int(rows[np.argmax(counts[rows])])
