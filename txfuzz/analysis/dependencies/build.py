"""The ww, wr and rw dependencies of a history, from its versions."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.dependencies.anti_dependencies import anti_dependencies
from txfuzz.analysis.dependencies.columns import Columns, Rows, columns_of, first_of_equal
from txfuzz.analysis.dependencies.edges import RW, WR, WW, Dependencies
from txfuzz.analysis.dependencies.list_versions import version_order
from txfuzz.analysis.dependencies.register_versions import VersionOptions, externals, number, version_graph
from txfuzz.common.kind import Kind
from txfuzz.history.model import NIL, UNKNOWN, History, Ints


def dependencies(
    history: History, options: VersionOptions | None = None, columns: Columns | None = None
) -> Dependencies:
    """The dependencies of a history of either kind.

    Transactions that failed have none. `options` only concern registers.
    """
    columns = columns or columns_of(history)
    if history.kind is Kind.RW_REGISTER:
        return _of_registers(columns, options or VersionOptions())
    return _of_lists(columns)


def _of_lists(columns: Columns) -> Dependencies:
    """For a list-append history (Kingsbury & Alvaro 2020, section 4.3).

    Every append takes part, even if the same transaction appended again; so does every read, even the
    second one of a key.
    """
    history = columns.history
    order = version_order(columns)
    part = columns.takes_part[columns.txn]
    appends = np.flatnonzero(~columns.is_read & part)
    reads = np.flatnonzero(part & (columns.saw != UNKNOWN))
    writer = columns.effective_writer

    before = order.previous[history.mop_value[appends]]
    ww = _written(columns, writer, before, appends)
    saw = columns.saw[reads]
    first = first_of_equal(columns.txn[reads], saw)
    wr = _written(columns, writer, saw[first], reads[first])

    def version(elements: Ints, mops: Ints) -> Ints:
        """The number of an element, or of the key's initial state."""
        return np.where(elements == NIL, len(history.element_key) + history.mop_key[mops], elements)

    *rw, bicliques = anti_dependencies(columns, reads, version(saw, reads), appends, version(before, appends))
    kind = np.repeat(np.array([WW, WR, RW], np.int8), [len(ww[0]), len(wr[0]), len(rw[0])])
    return Dependencies(
        columns,
        kind,
        np.concatenate([ww[0], wr[0], rw[0]]),
        np.concatenate([ww[1], wr[1], rw[1]]),
        bicliques,
        bool(len(kind) or len(bicliques)),
        order,
    )


def _written(columns: Columns, writer: Rows, elements: Ints, mops: Ints) -> tuple[Rows, Rows]:
    """Edges from the writer of each element to the corresponding micro-operation."""
    source = writer[elements]
    kept = (source >= 0) & (columns.txn[source] != columns.txn[mops])
    return source[kept].astype(np.int32), mops[kept].astype(np.int32)


def _of_registers(columns: Columns, options: VersionOptions) -> Dependencies:
    """For a register history, from external reads and writes (Kingsbury & Alvaro 2020, section 5).

    Only facts in the version graph give ww and rw edges, not what follows from them by transitivity.
    """
    seen = externals(columns)
    graph = version_graph(columns, seen, options)
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

    *rw, bicliques = anti_dependencies(columns, read_mops, version, after, before)
    source = np.concatenate([wr[0], ww[0], rw[0]]).astype(np.int32)
    target = np.concatenate([wr[1], ww[1], rw[1]]).astype(np.int32)
    kind = np.repeat(np.array([WR, WW, RW], np.int8), [len(wr[0]), len(ww[0]), len(rw[0])])
    other = columns.txn[source] != columns.txn[target]
    # Elle's graph has a vertex, but no edge, for a transaction that depends on itself
    vertices = bool(len(kind) or len(bicliques) or np.isin(before, version).any())
    own = ~other & (kind == WR)
    own_reads = source[own], target[own]
    return Dependencies(
        columns, kind[other], source[other], target[other], bicliques, vertices, graph, own_reads
    )
