"""The strongly connected components of the dependency graph, which contain all cycles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from txfuzz.analysis.dependencies.anti_dependencies import Bicliques, anti_dependencies
from txfuzz.analysis.dependencies.columns import Rows
from txfuzz.analysis.dependencies.connectivity import components
from txfuzz.analysis.dependencies.edges import EXPLAINED_BY, PROCESS, REALTIME, RW, WR, Dependencies
from txfuzz.analysis.dependencies.order_edges import process_edges, realtime_barriers, realtime_edges
from txfuzz.common.kind import Kind
from txfuzz.history.arrays import AnyInts
from txfuzz.history.model import Ints, SmallInts

ONWARD = 5  # the second half of an anti-dependency over a hub


@dataclass(frozen=True, eq=False)
class EdgesWithin:
    """All edges within a component. source, target: nodes; the micro-operations that make the edge are -1
    for order edges."""

    kind: SmallInts
    source: Rows
    target: Rows
    source_mop: Rows
    target_mop: Rows


@dataclass(frozen=True, eq=False)
class SccGraph:
    """All components of more than one transaction, and the pairs of transactions in them.

    Nodes: the first n are transactions. rows: their rows in the History. component: (nodes) the number of
    their component, small components first. Pairs (p) of nodes, by source and target: bits: bit k is set
    if an edge of kind k joins them; kind: the one that explains the pair. A pair that is explained by a
    read or an anti-dependency and also joined by process or real-time order appears twice, the second
    time with the order as its kind: a cycle may use either.

    folded: bicliques that were too large to multiply out. Pairs of kind RW lead from their readers to
    hubs (nodes after the first n), pairs of kind ONWARD from the hubs to the writers: a path over a hub
    is an anti-dependency, and none leads from a transaction to itself.
    """

    dependencies: Dependencies
    order: int | None
    rows: Ints
    component: Ints
    edges: EdgesWithin
    source: Rows
    target: Rows
    bits: npt.NDArray[np.uint8]
    kind: SmallInts
    folded: Bicliques

    def __len__(self) -> int:
        """The number of components."""
        return int(self.component.max(initial=-1)) + 1

    @property
    def nodes(self) -> int:
        """Transactions and hubs."""
        return len(self.component)

    def members(self, component: int) -> Ints:
        """The rows of the transactions of a component."""
        return np.compress(self.component[: len(self.rows)] == component, self.rows)

    @cached_property
    def pair_component(self) -> Ints:
        """(p) the component that each pair lies in."""
        return self.component[self.source]

    @cached_property
    def pair_offsets(self) -> Ints:
        """(n + 1) where the pairs of each source start."""
        return np.searchsorted(self.source, np.arange(self.nodes + 1))

    @cached_property
    def sizes(self) -> Ints:
        """(components) their transactions."""
        return np.bincount(self.component[: len(self.rows)], minlength=len(self))


def scc_graph(dependencies: Dependencies, order: int | None) -> SccGraph:
    """The components under ww, wr, rw and the edges of `order` (PROCESS, REALTIME or None)."""
    history = dependencies.history
    labels, sizes = _labels(dependencies, order)
    kept = np.flatnonzero(sizes > 1)
    kept = kept[np.argsort(sizes[kept], kind="stable")]
    number = np.full(len(sizes), -1, np.int64)
    number[kept] = np.arange(len(kept))
    label = number[labels[: len(history)]]
    rows = np.flatnonzero(label >= 0)

    edges, folded = _edges_within(dependencies, order, rows, label)
    edges, hubs = _with_hubs(edges, folded, dependencies, rows, label)
    component = np.concatenate([label[rows], hubs])
    explained_by = (*EXPLAINED_BY[history.kind or Kind.LIST_APPEND], PROCESS, REALTIME, ONWARD)
    source, target, bits, kind = _pairs(edges, len(component), explained_by)
    return SccGraph(dependencies, order, rows, component, edges, source, target, bits, kind, folded)


def _labels(dependencies: Dependencies, order: int | None) -> tuple[Rows, Ints]:
    """Components of the whole graph; their sizes count transactions only, not bicliques or barriers."""
    history, txn = dependencies.history, dependencies.columns.txn
    bicliques = dependencies.bicliques
    nodes = len(history)
    hubs = nodes + np.arange(len(bicliques))
    source: list[AnyInts] = [
        dependencies.source,
        txn[bicliques.reader_mops],
        np.repeat(hubs, np.diff(bicliques.writer_offsets)),
    ]
    target: list[AnyInts] = [
        dependencies.target,
        np.repeat(hubs, np.diff(bicliques.reader_offsets)),
        txn[bicliques.writer_mops],
    ]
    nodes += len(bicliques)
    if order == PROCESS:
        before, after = process_edges(history)
        source, target = [*source, before], [*target, after]
    elif order == REALTIME:
        chain = realtime_barriers(history)
        barriers = nodes + np.arange(chain.count)
        source = [*source, chain.entry_rows, barriers[:-1], barriers[chain.exits]]
        target = [*target, barriers[chain.entries], barriers[1:], chain.exit_rows]
        nodes += chain.count
    labels, sizes = components(nodes, np.concatenate(source), np.concatenate(target))
    return labels, np.bincount(labels[: len(history)], minlength=len(sizes))


def _edges_within(
    dependencies: Dependencies, order: int | None, rows: Ints, label: Ints
) -> tuple[EdgesWithin, Bicliques]:
    """label: (transactions) the number of its component, or -1."""
    history, txn = dependencies.history, dependencies.columns.txn
    node = np.full(len(history), -1, np.int32)
    node[rows] = np.arange(len(rows), dtype=np.int32)
    source, target = dependencies.source, dependencies.target
    inside = np.flatnonzero((label[source] == label[target]) & (label[source] >= 0))
    source_mop, target_mop = dependencies.source_mop[inside], dependencies.target_mop[inside]
    more_source, more_target, folded = _bicliques_within(dependencies, label)
    # within a component (and only there) Elle also sees edges from a transaction to itself
    own_source, own_target = (mops[label[txn[mops]] >= 0] for mops in dependencies.own_reads)
    source_mop = np.concatenate([source_mop, more_source, own_source])
    target_mop = np.concatenate([target_mop, more_target, own_target])
    kind = np.repeat(np.array([RW, WR], np.int8), [len(more_source), len(own_source)])
    kind = np.concatenate([dependencies.kind[inside], kind])
    source, target = node[txn[source_mop]], node[txn[target_mop]]
    if order is not None and len(rows):
        before, after = process_edges(history) if order == PROCESS else realtime_edges(history, rows)
        same = (label[before] == label[after]) & (label[before] >= 0)
        before, after = node[before[same]], node[after[same]]
        none = np.full(len(before), -1, np.int32)
        kind = np.concatenate([kind, np.full(len(before), order, np.int8)])
        source, target = np.concatenate([source, before]), np.concatenate([target, after])
        source_mop, target_mop = np.concatenate([source_mop, none]), np.concatenate([target_mop, none])
    return EdgesWithin(kind, source, target, source_mop, target_mop), folded


def _bicliques_within(dependencies: Dependencies, label: Ints) -> tuple[Rows, Rows, Bicliques]:
    """The edges of the bicliques within a component, multiplied out up to the limit."""
    bicliques, columns = dependencies.bicliques, dependencies.columns
    width = int(label.max(initial=0)) + 1

    def within(mops: Rows, offsets: Ints) -> tuple[Ints, Ints]:
        component = label[columns.txn[mops]]
        at = np.repeat(np.arange(len(bicliques)), np.diff(offsets))
        return mops[component >= 0].astype(np.int64), (at * width + component)[component >= 0]

    reads, read_parts = within(bicliques.reader_mops, bicliques.reader_offsets)
    writes, write_parts = within(bicliques.writer_mops, bicliques.writer_offsets)
    parts = np.unique(np.concatenate([read_parts, write_parts]))
    return anti_dependencies(
        columns, reads, np.searchsorted(parts, read_parts), writes, np.searchsorted(parts, write_parts)
    )


def _with_hubs(
    edges: EdgesWithin, folded: Bicliques, dependencies: Dependencies, rows: Ints, label: Ints
) -> tuple[EdgesWithin, Ints]:
    """The edges with the hubs of the folded bicliques, and the component of each hub.

    The transactions of a biclique are numbered. For each bit of the numbers there are two hubs: one leads
    from readers with the bit to writers without it, the other from readers without to writers with it.
    Two different transactions differ in some bit, and none differs from itself.
    """
    txn = dependencies.columns.txn
    parts = [(edges.kind, edges.source, edges.target)]
    hubs: list[int] = []
    for at in range(len(folded)):
        readers = txn[folded.readers(at)]
        writers = txn[folded.writers(at)]
        numbered = np.unique(np.concatenate([readers, writers]))
        reader, writer = np.searchsorted(numbered, readers), np.searchsorted(numbered, writers)
        for bit in range(len(numbered).bit_length()):
            for side in (0, 1):
                into = np.searchsorted(rows, readers[reader >> bit & 1 == side])
                out_of = np.searchsorted(rows, writers[writer >> bit & 1 != side])
                hub = len(rows) + len(hubs)
                parts.append((np.full(len(into), RW, np.int8), into, np.full(len(into), hub)))
                parts.append((np.full(len(out_of), ONWARD, np.int8), np.full(len(out_of), hub), out_of))
                hubs.append(int(label[numbered[0]]))
    kind, source, target = (np.concatenate(column) for column in zip(*parts, strict=True))
    none = np.full(len(kind) - len(edges.kind), -1, np.int32)
    return EdgesWithin(
        kind,
        source.astype(np.int32),
        target.astype(np.int32),
        np.concatenate([edges.source_mop, none]),
        np.concatenate([edges.target_mop, none]),
    ), np.array(hubs, np.int64)


def _pairs(
    edges: EdgesWithin, nodes: int, explained_by: tuple[int, ...]
) -> tuple[Rows, Rows, npt.NDArray[np.uint8], SmallInts]:
    """source, target, bits and kind of the pairs of nodes, by source and target."""
    code = edges.source.astype(np.int64) * nodes + edges.target
    bit = np.left_shift(1, edges.kind).astype(np.uint8)
    by_code = np.argsort(code, kind="stable")
    code, bit = code[by_code], bit[by_code]
    starts = np.flatnonzero(np.diff(code, prepend=-1))
    bits = np.bitwise_or.reduceat(bit, starts) if len(code) else bit
    kind = np.full(len(bits), -1, np.int8)
    for each in reversed(explained_by):
        kind[(bits & (1 << each)) != 0] = each
    code = code[starts]
    for order in (PROCESS, REALTIME):
        ordered = np.flatnonzero(((bits >> order & 1) != 0) & ((kind == WR) | (kind == RW)))
        also = np.full(len(ordered), order, np.int8)
        code, bits, kind = (
            np.insert(column, ordered + 1, more)
            for column, more in ((code, code[ordered]), (bits, bits[ordered]), (kind, also))
        )
    source, target = np.divmod(code, max(nodes, 1))
    return source.astype(np.int32), target.astype(np.int32), bits, kind
