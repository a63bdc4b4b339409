"""The two pictures of a history, as PNG files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from txfuzz.analysis.dependencies.build import dependencies
from txfuzz.analysis.dependencies.columns import columns_of
from txfuzz.analysis.dependencies.edges import Dependencies
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.explain.verdict import refusal
from txfuzz.analysis.result import AnalysisResult
from txfuzz.errors import OutputError
from txfuzz.history.model import OK, History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_NODES = 200
EXCERPT = 40  # transactions of a part that is drawn for the whole
_COMPRESSION = 3  # of 9: a few per cent larger, a quarter quicker


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

    found: the dependencies, where they are known already or were inferred with options. excerpt: of a
    history that has more than `max_nodes` transactions, draw a few dozen around what matters most.
    Returns None once the file is there, else the sentence that says why it is not: a history
    that has more than `max_nodes` transactions, none at all, or that cannot be judged.
    Raises OutputError when the file cannot be written.
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
        from txfuzz.report.pictures.excerpt import excerpt_rows

        rows = excerpt_rows(found, result, rows, min(max_nodes, EXCERPT))
    if not len(rows):
        return "not drawn: no transaction committed"
    _save(dependency_figure(history, result, found, rows), path)
    return None


def draw_minimal_graph(
    history: History, result: AnalysisResult, path: Path, *, names: Sequence[str] = ()
) -> str | None:
    """Draw what matters most: the found cycles, else the nearest near-cycles.

    names: what to call the first transactions of the history, in the order of its rows: the
    sessions of a replay. Else transactions go by Elle's index.
    Always draws, if only a note that there was neither; so the answer is None.
    Raises OutputError when the file cannot be written.
    """
    from txfuzz.report.pictures.minimal_graph import minimal_figure

    _save(minimal_figure(history, result, names), path)
    return None


def _too_many(nodes: int, most: int) -> str:
    return f"not drawn: {nodes:,} transactions are more than --max-graph-nodes {most}"


def _save(figure: Figure, path: Path) -> None:
    """Under a temporary name, then renamed: whoever sees the file sees all of it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        figure.savefig(unfinished, format="png", pil_kwargs={"compress_level": _COMPRESSION})
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
