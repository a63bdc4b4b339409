"""ww, wr and rw edges of an rw-register history (Kingsbury & Alvaro 2020, section 5)."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.dependencies.anti_dependencies import anti_dependencies
from txfuzz.analysis.dependencies.columns import Columns
from txfuzz.analysis.dependencies.edges import RW, WR, WW, Dependencies, VersionOptions
from txfuzz.analysis.dependencies.register_versions import (
    Externals,
    VersionGraph,
    externals,
    number,
    version_graph,
)
from txfuzz.history.model import UNKNOWN


def register_dependencies(
    columns: Columns,
    options: VersionOptions,
    seen: Externals | None = None,
    graph: VersionGraph | None = None,
) -> Dependencies:
    """All dependencies of a register history, by external reads and writes.

    Only facts that stand in the version graph give ww and rw edges, not what follows from them.
    """
    seen = seen or externals(columns)
    graph = graph or version_graph(columns, seen, options)
    part = columns.takes_part[seen.txn]
    writes = part & (seen.write >= 0)
    writer = np.full(len(columns.history.element_key) + len(columns.history.keys), -1, np.int64)
    writer[seen.write[writes]] = seen.write_mop[writes]

    reads = part & (seen.read != UNKNOWN)
    read_mops, version = seen.first_mop[reads], number(columns, seen.read, seen.key)[reads]
    wr_source = writer[version]
    wrote = wr_source >= 0
    wr = wr_source[wrote], read_mops[wrote]

    known = writer[graph.target] >= 0
    before, after = graph.source[known], writer[graph.target[known]]
    over = writer[before] >= 0
    ww = writer[before[over]], after[over]

    *rw, fans = anti_dependencies(columns, read_mops, version, after, before)
    source = np.concatenate([wr[0], ww[0], rw[0]]).astype(np.int32)
    target = np.concatenate([wr[1], ww[1], rw[1]]).astype(np.int32)
    kind = np.repeat(np.array([WR, WW, RW], np.int8), [len(wr[0]), len(ww[0]), len(rw[0])])
    other = columns.txn[source] != columns.txn[target]
    # Elle's graph has a vertex where a transaction depends on itself, though no edge
    vertices = bool(len(kind) or len(fans) or np.isin(before, version).any())
    own = ~other & (kind == WR)
    own_reads = source[own], target[own]
    return Dependencies(columns, kind[other], source[other], target[other], fans, vertices, graph, own_reads)
