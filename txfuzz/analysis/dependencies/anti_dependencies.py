"""rw edges: every reader of a version to every transaction that installs a next one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from txfuzz.analysis.dependencies.columns import Columns, Rows, first_of_equal
from txfuzz.history.arrays import ranges
from txfuzz.history.model import Ints

# Products beyond this many edges, and beyond this many per read or write, stay folded.
_AT_LEAST = 2_000_000
_PER_MOP = 2


@dataclass(frozen=True, eq=False)
class Bicliques:
    """Anti-dependencies that are not multiplied out: each reader of a version to each successor.

    A version that r transactions read and s transactions overwrite (each perhaps the first to) has
    r × s rw edges, a complete bipartite graph; if that is a lot, it is kept as one node with r + s
    arcs. Length b + 1: reader_offsets, writer_offsets; a transaction has no edge to itself.
    """

    reader_offsets: Ints
    reader_mops: Rows
    writer_offsets: Ints
    writer_mops: Rows

    def __len__(self) -> int:
        return len(self.reader_offsets) - 1

    def readers(self, at: int) -> Rows:
        """The reads of one of them, as micro-operations."""
        return self.reader_mops[self.reader_offsets[at] : self.reader_offsets[at + 1]]

    def writers(self, at: int) -> Rows:
        """The writes of one of them, as micro-operations."""
        return self.writer_mops[self.writer_offsets[at] : self.writer_offsets[at + 1]]


def anti_dependencies(
    columns: Columns, read_mops: Ints, read_versions: Ints, write_mops: Ints, write_versions: Ints
) -> tuple[Rows, Rows, Bicliques]:
    """Join reads of a version with the writes that follow it.

    read_versions, write_versions: non-negative version numbers; several writes may follow one.
    Returns source and target micro-operations of the edges, and the bicliques.
    """
    first = first_of_equal(columns.txn[read_mops], read_versions)
    read_mops, read_versions = read_mops[first], read_versions[first]
    size = int(max(read_versions.max(initial=-1), write_versions.max(initial=-1))) + 1
    followers = np.bincount(write_versions, minlength=size)
    only = np.zeros(size, np.int64)
    only[write_versions] = write_mops
    one = followers[read_versions] == 1
    source, target = read_mops[one], only[read_versions[one]]
    many = followers[read_versions] > 1
    if many.any():
        bicliques = _grouped(read_mops[many], read_versions[many], write_mops, write_versions)
        limit = max(_AT_LEAST, _PER_MOP * (len(read_mops) + len(write_mops)))
        (more_source, more_target), bicliques = unfold(columns, bicliques, limit)
        source, target = np.concatenate([source, more_source]), np.concatenate([target, more_target])
    else:
        none = np.zeros(1, np.int64), np.zeros(0, np.int32)
        bicliques = Bicliques(*none, *none)
    other = columns.txn[source] != columns.txn[target]
    return source[other].astype(np.int32), target[other].astype(np.int32), bicliques


def _grouped(read_mops: Ints, read_versions: Ints, write_mops: Ints, write_versions: Ints) -> Bicliques:
    versions = np.unique(read_versions)
    kept = np.isin(write_versions, versions)
    write_mops, write_versions = write_mops[kept], write_versions[kept]
    by_read = np.argsort(read_versions, kind="stable")
    by_write = np.argsort(write_versions, kind="stable")
    ends = np.append(versions, np.iinfo(np.int64).max)
    return Bicliques(
        np.searchsorted(read_versions[by_read], ends),
        read_mops[by_read].astype(np.int32),
        np.searchsorted(write_versions[by_write], ends),
        write_mops[by_write].astype(np.int32),
    )


def unfold(columns: Columns, bicliques: Bicliques, limit: int) -> tuple[tuple[Rows, Rows], Bicliques]:
    """Multiply out whole bicliques, small ones first, up to `limit` edges; the rest stay bicliques."""
    readers, writers = np.diff(bicliques.reader_offsets), np.diff(bicliques.writer_offsets)
    edges = readers * writers
    by_size = np.argsort(edges, kind="stable")
    small = np.sort(by_size[np.cumsum(edges[by_size]) <= limit])
    rest = np.setdiff1d(np.arange(len(bicliques)), small)
    of = np.repeat(small, edges[small])
    place = ranges(0, edges[small])
    source = bicliques.reader_mops[bicliques.reader_offsets[of] + place // writers[of]]
    target = bicliques.writer_mops[bicliques.writer_offsets[of] + place % writers[of]]
    other = columns.txn[source] != columns.txn[target]
    return (source[other], target[other]), _select(bicliques, rest)


def mops_in_biclique(bicliques: Bicliques, txn: Rows, source: int, target: int) -> tuple[int, int]:
    """The micro-operations of an edge from one transaction to another in some biclique."""
    for at in range(len(bicliques)):
        reads, writes = bicliques.readers(at), bicliques.writers(at)
        reads, writes = reads[txn[reads] == source], writes[txn[writes] == target]
        if len(reads) and len(writes):
            return int(reads[0]), int(writes[0])
    raise LookupError(f"no anti-dependency from transaction {source} to {target}")


def _select(bicliques: Bicliques, kept: Ints) -> Bicliques:
    def cut(offsets: Ints, mops: Rows) -> tuple[Ints, Rows]:
        lengths = np.diff(offsets)[kept]
        return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), mops[
            ranges(offsets[kept], lengths)
        ]

    return Bicliques(
        *cut(bicliques.reader_offsets, bicliques.reader_mops),
        *cut(bicliques.writer_offsets, bicliques.writer_mops),
    )
