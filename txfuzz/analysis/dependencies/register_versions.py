"""What is known about the order of a register's versions.

A register only shows its current value, so its version order is a set of facts, not a list: everything
follows the initial state; options add further assumptions (Kingsbury & Alvaro 2020, section 5). A source
of facts that contradicts the earlier ones is reported and dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.connectivity import components
from txfuzz.analysis.dependencies.order_edges import realtime_edges, realtime_edges_within
from txfuzz.history.model import INFO, NIL, OK, UNKNOWN, Ints, SmallInts

Pairs: TypeAlias = tuple[Ints, Ints]

# Finding the next transactions on a key through all others costs about touches × edges of real-time order;
# beyond this limit, the order among the transactions of each key is used instead.
_EXACT_STEPS = 5_000_000


@dataclass(frozen=True)
class VersionOptions:
    """Assumptions about the versions of a register beyond "everything follows nil".

    wfr_keys: a transaction that reads a key and writes it installs the next version.
    sequential_keys: each process sees the versions of a key in order.
    linearizable_keys: each key by itself is linearizable.
    """

    wfr_keys: bool = False
    sequential_keys: bool = False
    linearizable_keys: bool = False

    def __bool__(self) -> bool:
        return bool(self.names)

    @property
    def names(self) -> list[str]:
        """The assumptions made, in Elle's spelling: linearizable-keys."""
        return [name.replace("_", "-") for name, assumed in vars(self).items() if assumed]


@dataclass(frozen=True)
class CyclicVersions:
    """Versions of a key whose assumed order is a cycle. NIL is the initial state."""

    key: int
    versions: tuple[int, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Externals:
    """The external effects of each transaction, one row per (transaction, key).

    first_mop, write_mop: its first micro-operation on the key; its last write of the key, or -1.
    read: the version read before writing, or NIL; UNKNOWN if it did not read first.
    write: the version that it left behind, UNKNOWN if it wrote nothing.
    """

    txn: Ints
    key: Ints
    first_mop: Ints
    read: Ints
    write_mop: Ints
    write: Ints


@dataclass(frozen=True, eq=False)
class VersionGraph:
    """Facts "version `source` comes before version `target`", by version numbers, no fact twice.

    An element is its own version number; the initial state of key k has the number e + k.
    by: for each fact its first source, as an index into SOURCES.
    """

    source: Ints
    target: Ints
    by: SmallInts
    cyclic: tuple[CyclicVersions, ...] = ()

    def because(self, source: int, target: int) -> str | None:
        """The name of the source of a fact; None if the graph does not contain it."""
        found = np.flatnonzero((self.source == source) & (self.target == target))
        return SOURCES[self.by[found[0]]] if len(found) else None


SOURCES = ("initial-state", "wfr-keys", "sequential-keys", "linearizable-keys")


def externals(columns: Columns) -> Externals:
    """External reads and writes of all transactions that did not fail."""
    history = columns.history
    first = np.flatnonzero((columns.previous < 0) & ((columns.type == OK) | (columns.type == INFO)))
    row = np.zeros(len(columns.txn), np.int64)
    row[first] = np.arange(len(first))
    last_writes = np.flatnonzero(
        ~columns.is_read & ~columns.written_over & ((columns.type == OK) | (columns.type == INFO))
    )
    write_mop = np.full(len(first), -1, np.int64)
    write_mop[row[columns.first[last_writes]]] = last_writes
    write = np.full(len(first), UNKNOWN, np.int64)
    write[write_mop >= 0] = history.mop_value[write_mop[write_mop >= 0]]
    return Externals(
        columns.txn[first].astype(np.int64),
        history.mop_key[first],
        first,
        columns.saw[first],
        write_mop,
        write,
    )


def version_graph(columns: Columns, seen: Externals, options: VersionOptions) -> VersionGraph:
    """The facts of all enabled sources, except those that contradict earlier ones on their key."""
    none = np.zeros(0, np.int64)
    graph = VersionGraph(none, none, none.astype(np.int8))
    names: list[str] = []
    cyclic: list[CyclicVersions] = []
    for name, (source, target) in _sources(columns, seen, options):
        names.append(name)
        union = _union(columns, graph, name, source, target)
        found = _circles(columns, union, tuple(names))
        if found:
            cyclic += found
            bad = np.zeros(len(columns.history.keys), np.bool_)
            bad[[each.key for each in found]] = True
            sound = ~bad[_key_of(columns, source)]
            union = _union(columns, graph, name, source[sound], target[sound])
        graph = union
    return VersionGraph(graph.source, graph.target, graph.by, tuple(cyclic))


def number(columns: Columns, versions: Ints, keys: Ints) -> Ints:
    """Version numbers of elements; NIL becomes the number of the key's initial state."""
    return np.where(versions == NIL, len(columns.history.element_key) + keys, versions)


def _key_of(columns: Columns, numbers: Ints) -> Ints:
    keys = np.concatenate([columns.history.element_key, np.arange(len(columns.history.keys))])
    return keys[numbers]


def _union(columns: Columns, graph: VersionGraph, name: str, source: Ints, target: Ints) -> VersionGraph:
    size = len(columns.history.element_key) + len(columns.history.keys)
    other = source != target
    code = np.concatenate([graph.source, source[other]]) * size
    code += np.concatenate([graph.target, target[other]])
    by = np.concatenate([graph.by, np.full(int(other.sum()), SOURCES.index(name), np.int8)])
    facts, first = np.unique(code, return_index=True)
    return VersionGraph(facts // max(size, 1), facts % max(size, 1), by[first])


def _circles(columns: Columns, graph: VersionGraph, names: tuple[str, ...]) -> list[CyclicVersions]:
    elements = len(columns.history.element_key)
    labels, sizes = components(elements + len(columns.history.keys), graph.source, graph.target)
    inside = np.flatnonzero(sizes[labels] > 1)
    inside = inside[np.argsort(labels[inside], kind="stable")]
    keys = _key_of(columns, inside)
    found = []
    for places in np.split(np.arange(len(inside)), np.flatnonzero(np.diff(labels[inside])) + 1):
        if len(places):
            versions = tuple(NIL if each >= elements else each for each in inside[places].tolist())
            found.append(CyclicVersions(int(keys[places[0]]), versions, names))
    return found


def _sources(columns: Columns, seen: Externals, options: VersionOptions) -> Iterator[tuple[str, Pairs]]:
    """Each source of facts with Elle's name, in Elle's order."""
    yield "initial-state", _initial_state(columns, seen)
    if options.wfr_keys:
        yield "wfr-keys", _writes_follow_reads(columns, seen)
    if options.sequential_keys:
        yield "sequential-keys", _facts(columns, seen, *_next_of_process(columns, seen))
    if options.linearizable_keys:
        yield "linearizable-keys", _facts(columns, seen, *_next_in_realtime(columns, seen))


def _initial_state(columns: Columns, seen: Externals) -> Pairs:
    reads = columns.takes_part[seen.txn] & (seen.read >= 0)
    writes = seen.write >= 0
    target = np.unique(np.concatenate([seen.read[reads], seen.write[writes]]))
    return len(columns.history.element_key) + columns.history.element_key[target], target


def _writes_follow_reads(columns: Columns, seen: Externals) -> Pairs:
    both = columns.takes_part[seen.txn] & (seen.read >= 0) & (seen.write >= 0)
    return seen.read[both], seen.write[both]


def _facts(columns: Columns, seen: Externals, before: Ints, after: Ints) -> Pairs:
    """Facts about versions from rows of `seen` that precede others on the same key.

    The earlier transaction contributes its write, else its read; the later one its read, else its write.
    A write takes precedence over a read of the initial state, as in Elle. Of transactions with unknown
    outcome only the writes count.
    """
    known = columns.history.type[seen.txn] == OK
    leaves = np.where(seen.write != UNKNOWN, seen.write, np.where(known, seen.read, UNKNOWN))
    meets = np.where(known & (seen.read >= 0), seen.read, seen.write)
    meets = np.where(known & (seen.read == NIL) & (seen.write == UNKNOWN), NIL, meets)
    kept = (leaves[before] != UNKNOWN) & (meets[after] != UNKNOWN)
    before, after = before[kept], after[kept]
    return number(columns, leaves[before], seen.key[before]), number(columns, meets[after], seen.key[after])


def _next_of_process(columns: Columns, seen: Externals) -> Pairs:
    history = columns.history
    ok = np.flatnonzero(history.type[seen.txn] == OK)
    txn = seen.txn[ok]
    ok = ok[np.lexsort((history.complete_at[txn], seen.key[ok], history.process[txn]))]
    left, right = ok[:-1], ok[1:]
    same = (seen.key[left] == seen.key[right]) & (
        history.process[seen.txn[left]] == history.process[seen.txn[right]]
    )
    return left[same], right[same]


def _touching(columns: Columns, seen: Externals) -> Flags:
    """Rows that say something about their key: all of committed transactions, otherwise the writes."""
    touching: Flags = (columns.history.type[seen.txn] == OK) | (seen.write != UNKNOWN)
    return touching


def _next_in_realtime(columns: Columns, seen: Externals) -> Pairs:
    history = columns.history
    touching = np.flatnonzero(_touching(columns, seen))
    source, target = realtime_edges(history)
    if len(touching) * (len(source) + 1) > _EXACT_STEPS:
        can_precede = history.type[seen.txn[touching]] == OK
        left, right = realtime_edges_within(history, seen.txn[touching], seen.key[touching], can_precede)
        return touching[left], touching[right]
    return _next_through_others(columns, seen, touching, source, target)


def _next_through_others(
    columns: Columns, seen: Externals, touching: Ints, source: Ints, target: Ints
) -> Pairs:
    """From each row, the rows of its key that a path in real-time order reaches first."""
    follows: dict[int, list[int]] = {}
    for left, right in zip(source.tolist(), target.tolist(), strict=True):
        follows.setdefault(left, []).append(right)
    row_of: dict[int, dict[int, int]] = {}
    for row in touching.tolist():
        row_of.setdefault(int(seen.key[row]), {})[int(seen.txn[row])] = row
    before, after = [], []
    for rows in row_of.values():
        for txn, row in rows.items():
            reached = set(follows.get(txn, ()))
            frontier = list(reached)
            while frontier:
                at = frontier.pop()
                if at in rows:
                    before.append(row)
                    after.append(rows[at])
                    continue
                fresh = [other for other in follows.get(at, ()) if other not in reached]
                reached.update(fresh)
                frontier += fresh
    return np.array(before, np.int64), np.array(after, np.int64)
