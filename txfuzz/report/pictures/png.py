"""The two pictures of a history, as PNG files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.edges import Dependencies
from txfuzz.analysis.dependencies.metrics import overlapped
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.explain.verdict import refusal
from txfuzz.analysis.result import AnalysisResult
from txfuzz.errors import OutputError
from txfuzz.history.model import OK, History, Ints

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_NODES = 200
EXCERPT = 40  # transactions drawn in place of the whole history
_COMPRESSION = 3  # of 9: a few per cent larger, a quarter faster


def draw_dependency_graph(
    history: History,
    result: AnalysisResult,
    path: Path,
    *,
    max_nodes: int = MAX_NODES,
    found: Dependencies | None = None,
    excerpt: bool = False,
) -> str | None:
    """Draw all committed transactions with their wr, ww and rw edges.

    found: the dependencies, if already known or inferred with options. excerpt: if the history has more
    than `max_nodes` transactions, draw a few dozen around what matters most.
    Returns None if the file was written, else a sentence with the reason: the history has more than
    `max_nodes` transactions, none at all, or cannot be judged. Raises OutputError if the file cannot be
    written.
    """
    committed = int(np.count_nonzero(history.type == OK))
    excerpt = excerpt and max_nodes > 0
    if committed > max_nodes and not excerpt:
        return _too_many(committed, max_nodes)
    if found is None:
        columns = columns_of(history)
        refused = refusal(columns, VersionOptions())
        if refused:
            return f"not drawn: {refused}"
        found = dependencies(history, columns=columns)

    from txfuzz.report.pictures.dependency_graph import dependency_figure, drawn_rows

    rows = drawn_rows(history, found)
    if len(rows) > max_nodes:
        if not excerpt:
            return _too_many(len(rows), max_nodes)
        rows = excerpt_rows(found, result, rows, min(max_nodes, EXCERPT))
    if not len(rows):
        return "not drawn: no transaction committed"
    _save(dependency_figure(history, result, found, rows), path)
    return None


def draw_minimal_graph(history: History, result: AnalysisResult, path: Path) -> str | None:
    """Draw what matters most: the cycles found, else the nearest near-cycles.

    Always draws, if only a note that there are neither, so the result is None. Raises
    OutputError if the file cannot be written.
    """
    from txfuzz.report.pictures.minimal_graph import minimal_figure

    _save(minimal_figure(history, result), path)
    return None


def excerpt_rows(found: Dependencies, result: AnalysisResult, rows: Ints, most: int) -> Ints:
    """At most this many of these transactions, in ascending order: those of the findings (or, if there are
    none, of the near-cycles), then their neighbours in the dependency graph, and so on.

    Without findings and near-cycles it starts from the transaction with the most concurrent dependencies.
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


def _too_many(nodes: int, most: int) -> str:
    return f"not drawn: {nodes:,} transactions are more than --max-graph-nodes {most}"


def _save(figure: Figure, path: Path) -> None:
    """Write under a temporary name, then rename, so that the file is never seen half-written."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        figure.savefig(unfinished, format="png", pil_kwargs={"compress_level": _COMPRESSION})
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
