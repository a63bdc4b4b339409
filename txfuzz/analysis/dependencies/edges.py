"""The dependencies between the transactions of a history, as columns.

Adya's read, write and anti-dependencies (Adya, Liskov, O'Neil 2000, section 4), inferred as
Kingsbury & Alvaro do (VLDB 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from txfuzz.analysis.dependencies.anti_dependencies import Bicliques, unfold
from txfuzz.analysis.dependencies.columns import Columns, Rows
from txfuzz.analysis.dependencies.list_versions import VersionOrder
from txfuzz.analysis.dependencies.register_versions import VersionGraph
from txfuzz.common.kind import Kind
from txfuzz.history.model import History, Ints, SmallInts

WW, WR, RW, PROCESS, REALTIME = 0, 1, 2, 3, 4
KINDS = ("ww", "wr", "rw", "process", "realtime")
# Of several dependencies between two transactions, the first of these kinds explains the pair, as in Elle.
EXPLAINED_BY = {Kind.LIST_APPEND: (WW, WR, RW), Kind.RW_REGISTER: (WR, WW, RW)}

_NO_EDGES = (np.zeros(0, np.int32), np.zeros(0, np.int32))


@dataclass(frozen=True, eq=False)
class Dependencies:
    """All ww, wr and rw edges; one row per edge, never from a transaction to itself.

    kind: WW, WR or RW (names in KINDS). source_mop, target_mop: the two micro-operations that
    make the edge, as indices into the micro-operation columns of the History; one pair of
    transactions may have several edges. bicliques: further rw edges, not multiplied out; empty except
    for large histories. vertices: whether there was any edge at all, including those from a
    transaction to itself. versions: from which the edges were inferred. own_reads: wr edges from a
    transaction to itself (a register read before the same transaction wrote it), as source and target
    micro-operations; they are not among the other edges.
    """

    columns: Columns
    kind: SmallInts
    source_mop: Rows
    target_mop: Rows
    bicliques: Bicliques
    vertices: bool
    versions: VersionOrder | VersionGraph
    own_reads: tuple[Rows, Rows] = _NO_EDGES

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def history(self) -> History:
        return self.columns.history

    @cached_property
    def source(self) -> Rows:
        """The row of the transaction that each edge leaves."""
        return self.columns.txn[self.source_mop]

    @cached_property
    def target(self) -> Rows:
        """The row of the transaction that each edge enters."""
        return self.columns.txn[self.target_mop]

    @cached_property
    def key(self) -> Ints:
        """Index into `history.keys`."""
        return self.history.mop_key[self.target_mop]

    def unfolded(self, limit: int = 10_000_000) -> Dependencies:
        """The same with up to `limit` edges of bicliques multiplied out (whole ones, smallest first)."""
        mops, rest = unfold(self.columns, self.bicliques, limit)
        return Dependencies(
            self.columns,
            np.concatenate([self.kind, np.full(len(mops[0]), RW, np.int8)]),
            np.concatenate([self.source_mop, mops[0]]),
            np.concatenate([self.target_mop, mops[1]]),
            rest,
            self.vertices,
            self.versions,
            self.own_reads,
        )

    def installed(self, element: int) -> bool:
        """Does the version order of its key contain the element? (list-append)"""
        return isinstance(self.versions, VersionOrder) and bool(self.versions.observed[element])

    def assumption(self, before: int, after: int) -> str | None:
        """The assumption by which one version precedes another; None for the initial state, NIL, which
        needs none. (rw-register)"""
        if isinstance(self.versions, VersionOrder) or before < 0:
            return None
        return self.versions.because(before, after)

    def counts(self) -> dict[str, int]:
        """Edges by kind, including those of the bicliques."""
        counts = np.bincount(self.kind, minlength=3)
        folded = np.diff(self.bicliques.reader_offsets) @ np.diff(self.bicliques.writer_offsets)
        return {"ww": int(counts[WW]), "wr": int(counts[WR]), "rw": int(counts[RW] + folded)}
