"""Where a missing edge could arise: the keys that two transactions share or could share.

A missing edge leads from the last transaction of a path back to the first one. One of the two touched its
key; the other did so too, in the other order, or its template can.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from txfuzz.analysis.dependencies.columns import Columns, Flags
from txfuzz.analysis.dependencies.edges import RW, WR, WW
from txfuzz.analysis.dependencies.key_pressure import LogicalKeys
from txfuzz.analysis.near_cycles.paths import Links
from txfuzz.analysis.near_cycles.template_footprints import READS, WRITES, Footprints, PossibleSteps
from txfuzz.history.arrays import AnyInts, among, places, ranges
from txfuzz.history.model import UNKNOWN, Ints

# What the source and the target of an edge do on its key.
SOURCE_DOES = {WW: WRITES, WR: WRITES, RW: READS}
TARGET_DOES = {WW: WRITES, WR: READS, RW: WRITES}
# The edge of two transactions that met on a key in the other order.
REVERSE = {WW: WW, WR: RW, RW: WR}
NOBODY, FIRST, LAST = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Accesses:
    """What each transaction did: each (transaction, reads or writes, physical key) once.

    code: (2 × transaction + READS or WRITES), rising; offsets: where each code starts. mop: the first
    such micro-operation.
    """

    code: Ints
    offsets: Ints
    key: Ints
    group: Ints
    mop: Ints
    nodes: int
    width: int

    @cached_property
    def _known(self) -> Ints:
        return self.code * self.width + self.key

    def of(self, rows: AnyInts, does: int) -> tuple[Ints, Ints]:
        """The accesses of these transactions: for each its index in `rows`, and the access."""
        code = 2 * rows.astype(np.int64) + does
        begin, count = self.offsets[code], self.offsets[code + 1] - self.offsets[code]
        at = np.repeat(np.arange(len(rows)), count)
        return at, ranges(begin, count)

    def find(self, rows: AnyInts, does: int, key: Ints) -> Ints:
        """The access of this physical key by these transactions, -1 if there is none."""
        wanted = (2 * rows.astype(np.int64) + does) * self.width + key
        return places(self._known, wanted)


def accesses(columns: Columns, keys: LogicalKeys, taken: Flags) -> Accesses:
    """What the transactions in `taken` did."""
    history = columns.history
    mops = np.flatnonzero(taken[columns.txn] & ((history.mop_value != UNKNOWN) | ~columns.is_read))
    code = 2 * columns.txn[mops].astype(np.int64) + np.where(columns.is_read[mops], READS, WRITES)
    width = max(len(history.keys), 1)
    _, first = np.unique(code * width + history.mop_key[mops], return_index=True)
    mop, code = mops[first], code[first]
    offsets = np.searchsorted(code, np.arange(2 * len(history) + 1))
    key = history.mop_key[mop]
    return Accesses(code, offsets, key, keys.of[key], mop, len(history), width)


@dataclass(frozen=True, eq=False)
class PossibleEdges:
    """Edges from `last` to `first` that could have arisen, for pairs of transactions.

    pair: index of the pair, rising. kind: of the missing edge. key: a physical key; group: its logical
    key. met: both touched the key, and `first` directly preceded `last` on it. new_read: the edge only
    needs one more read. both_write: the edge is rw and its source also writes the key. source_step,
    target_step: NOT_SAID if unknown. moves: which end has to act on another key, FIRST, LAST or NOBODY;
    tie: of its step; other_step: an alternative step that is not tied to that one, else NONE.
    """

    pair: Ints
    kind: Ints
    key: Ints
    group: Ints
    met: Flags
    new_read: Flags
    both_write: Flags
    source_step: Ints
    target_step: Ints
    moves: Ints
    tie: Ints
    other_step: Ints

    def __len__(self) -> int:
        return len(self.pair)

    def __getitem__(self, which: Ints | Flags) -> PossibleEdges:
        return PossibleEdges(*(getattr(self, each.name)[which] for each in fields(self)))


def possible_edges(
    first: Ints,
    last: Ints,
    found: Links,
    seen: Accesses,
    footprints: Footprints,
    keys: LogicalKeys,
    steps: Ints,
) -> PossibleEdges:
    """All possible edges for all pairs. steps: `mop_step` of the history."""
    pairs = _Pairs(first, last, found, seen, footprints, keys, steps)
    parts = [
        part for kind in (WW, WR, RW) for part in (pairs.on_keys_of_last(kind), pairs.on_keys_of_first(kind))
    ]
    every = PossibleEdges(
        *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(PossibleEdges))
    )
    return every[np.argsort(every.pair, kind="stable")]


@dataclass(frozen=True, eq=False)
class _Pairs:
    first: Ints
    last: Ints
    found: Links
    seen: Accesses
    footprints: Footprints
    keys: LogicalKeys
    steps: Ints

    @cached_property
    def _accessed(self) -> Ints:
        return np.sort(self.seen.code * self.footprints.groups + self.seen.group)

    @cached_property
    def _linked(self) -> Ints:
        found = self.found
        return np.sort((found.pair * 3 + found.kind) * self.seen.width + found.key)

    def on_keys_of_last(self, kind: int) -> PossibleEdges:
        """On the keys that `last` touched as the source of such an edge does."""
        seen, does, done = self.seen, SOURCE_DOES[kind], TARGET_DOES[kind]
        at, access = seen.of(self.last, does)
        key, group, first = seen.key[access], seen.group[access], self.first[at]
        other = seen.find(first, done, key)
        met = other >= 0
        able = self.footprints.find(first, done, group)
        fits = self.keys.known[group] & (met | able.can)
        fits[met] &= self._came_before(at[met], REVERSE[kind], key[met])
        new_read = ~met if kind == WR else np.zeros(len(at), np.bool_)
        source, target = self.steps[seen.mop[access]], np.where(met, self.steps[seen.mop[other]], able.step)
        moves = np.where(met, NOBODY, FIRST)
        return self._edges(kind, at, access, met, new_read, source, target, moves, able, fits)

    def on_keys_of_first(self, kind: int) -> PossibleEdges:
        """On the keys that `first` touched as the target does, but `last` not as the source does."""
        seen, does, done = self.seen, SOURCE_DOES[kind], TARGET_DOES[kind]
        at, access = seen.of(self.first, done)
        group = seen.group[access]
        able = self.footprints.find(self.last[at], does, group)
        code = (2 * self.last[at] + does) * self.footprints.groups + group
        touched = among(self._accessed, code)  # in any generation
        fits = self.keys.known[group] & able.can & ~touched
        met, new_read = np.zeros(len(at), np.bool_), np.full(len(at), kind == RW)
        target, moves = self.steps[seen.mop[access]], np.full(len(at), LAST)
        return self._edges(kind, at, access, met, new_read, able.step, target, moves, able, fits)

    def _edges(
        self,
        kind: int,
        at: Ints,
        access: Ints,
        met: Flags,
        new_read: Flags,
        source: Ints,
        target: Ints,
        moves: Ints,
        able: PossibleSteps,
        fits: Flags,
    ) -> PossibleEdges:
        key = self.seen.key[access]
        both_write = np.zeros(len(at), np.bool_)
        if kind == RW:
            both_write = self.seen.find(self.last[at], WRITES, key) >= 0
        if kind == WR:  # a reader that also writes the key follows by ww, another kind
            fits = fits & (self.seen.find(self.first[at], WRITES, key) < 0)
        kinds, group = np.full(len(at), kind), self.seen.group[access]
        return PossibleEdges(
            at, kinds, key, group, met, new_read, both_write, source, target, moves, able.tie, able.other
        )[fits]

    def _came_before(self, at: Ints, kind: int, key: Ints) -> Flags:
        """Does a link of this kind on this key lead from `first` to `last`?"""
        width = self.seen.width
        pair = self.found.pair_of(self.first[at], self.last[at])
        flags: Flags = (pair >= 0) & among(self._linked, (pair * 3 + kind) * width + key)
        return flags
