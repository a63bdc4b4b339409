"""rw edges: every reader of a version to every transaction that installs a next one."""

from __future__ import annotations

import numpy as np

from txfuzz.analysis.dependencies.columns import Columns, Rows, first_of_equal
from txfuzz.analysis.dependencies.edges import Fans
from txfuzz.history.model import Ints

# Products beyond this many edges, and beyond this many a read or write, stay folded.
_AT_LEAST = 2_000_000
_PER_MOP = 2


def anti_dependencies(
    columns: Columns, read_mops: Ints, read_versions: Ints, write_mops: Ints, write_versions: Ints
) -> tuple[Rows, Rows, Fans]:
    """Join reads of a version with writes that follow it.

    read_versions, write_versions: non-negative version numbers; several writes may follow one.
    Returns source and target micro-operations of the edges, and the fans.
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
        fans = _grouped(read_mops[many], read_versions[many], write_mops, write_versions)
        limit = max(_AT_LEAST, _PER_MOP * (len(read_mops) + len(write_mops)))
        (more_source, more_target), fans = unfold(columns, fans, limit)
        source, target = np.concatenate([source, more_source]), np.concatenate([target, more_target])
    else:
        fans = no_fans()
    other = columns.txn[source] != columns.txn[target]
    return source[other].astype(np.int32), target[other].astype(np.int32), fans


def no_fans() -> Fans:
    return Fans(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(1, np.int64), np.zeros(0, np.int32))


def _grouped(read_mops: Ints, read_versions: Ints, write_mops: Ints, write_versions: Ints) -> Fans:
    versions = np.unique(read_versions)
    kept = np.isin(write_versions, versions)
    write_mops, write_versions = write_mops[kept], write_versions[kept]
    by_read = np.argsort(read_versions, kind="stable")
    by_write = np.argsort(write_versions, kind="stable")
    ends = np.append(versions, np.iinfo(np.int64).max)
    return Fans(
        np.searchsorted(read_versions[by_read], ends),
        read_mops[by_read].astype(np.int32),
        np.searchsorted(write_versions[by_write], ends),
        write_mops[by_write].astype(np.int32),
    )


def unfold(columns: Columns, fans: Fans, limit: int) -> tuple[tuple[Rows, Rows], Fans]:
    """Multiply out whole fans, small ones first, up to `limit` edges; the rest stay fans."""
    readers, writers = np.diff(fans.reader_offsets), np.diff(fans.writer_offsets)
    edges = readers * writers
    by_size = np.argsort(edges, kind="stable")
    small = np.sort(by_size[np.cumsum(edges[by_size]) <= limit])
    rest = np.setdiff1d(np.arange(len(fans)), small)
    fan = np.repeat(small, edges[small])
    place = np.arange(len(fan)) - np.repeat(np.cumsum(edges[small]) - edges[small], edges[small])
    source = fans.reader_mops[fans.reader_offsets[fan] + place // writers[fan]]
    target = fans.writer_mops[fans.writer_offsets[fan] + place % writers[fan]]
    other = columns.txn[source] != columns.txn[target]
    return (source[other], target[other]), _select(fans, rest)


def mops_of_fan(fans: Fans, txn: Rows, source: int, target: int) -> tuple[int, int]:
    """The micro-operations of an edge from one transaction to another in some fan."""
    for fan in range(len(fans)):
        reads = fans.reader_mops[slice(*fans.reader_offsets[fan : fan + 2])]
        writes = fans.writer_mops[slice(*fans.writer_offsets[fan : fan + 2])]
        reads, writes = reads[txn[reads] == source], writes[txn[writes] == target]
        if len(reads) and len(writes):
            return int(reads[0]), int(writes[0])
    raise LookupError(f"no anti-dependency from transaction {source} to {target}")


def _select(fans: Fans, kept: Ints) -> Fans:
    def cut(offsets: Ints, mops: Rows) -> tuple[Ints, Rows]:
        lengths = np.diff(offsets)[kept]
        ends = np.cumsum(lengths)
        places = np.arange(int(lengths.sum())) + np.repeat(offsets[kept] - (ends - lengths), lengths)
        return np.concatenate([[0], ends]).astype(np.int64), mops[places]

    return Fans(*cut(fans.reader_offsets, fans.reader_mops), *cut(fans.writer_offsets, fans.writer_mops))
