"""Strongly connected components, by scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from txfuzz.analysis.dependencies.columns import Rows
from txfuzz.history.model import Ints

AnyInts = npt.NDArray[np.integer[Any]]


def prepare() -> None:
    """Import what is slow to import, which otherwise the first analysis would have to wait for."""
    import scipy.sparse
    import scipy.sparse.csgraph  # noqa: F401


def components(nodes: int, source: AnyInts, target: AnyInts) -> tuple[Rows, Ints]:
    """The component of each node, and the number of nodes in each component."""
    if not nodes:
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    if not len(source):
        return np.arange(nodes, dtype=np.int32), np.ones(nodes, np.int64)
    from scipy.sparse import coo_array, csr_array  # slow to import
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(source))  # of the type that csgraph computes in, or it would make a copy
    # csgraph may loop for ever over an edge that is there twice; conversion from COO removes those
    rises = np.diff(source)
    if np.all((rises > 0) | ((rises == 0) & (np.diff(target) > 0))):
        starts = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=nodes))])
        graph = csr_array((ones, target, starts), shape=(nodes, nodes))
    else:
        graph = coo_array((ones, (source, target)), shape=(nodes, nodes)).tocsr()
    _, labels = connected_components(graph, directed=True, connection="strong")
    return labels, np.bincount(labels)
