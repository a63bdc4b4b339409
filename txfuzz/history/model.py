"""A history in memory: columns (numpy), one row a transaction, one row a micro-operation.

A transaction is an invocation paired with its completion. Rows stand in the order in which the
transactions appear in the file (by invocation; by completion where that is all there is).
Positions are ordinals among the client operations of the file (0, 1, 2, …): the order of the
history, whatever `:index` says. Operations of the nemesis, and whatever else carries no
micro-operations and is no client's, are counted, not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from txfuzz.common.kind import Kind

Ints = npt.NDArray[np.int64]
SmallInts = npt.NDArray[np.int8]

# History.type
OK, FAIL, INFO = 0, 1, 2
# History.mop_f
READ, APPEND, WRITE = 0, 1, 2
# History.mop_value of a read
NIL = -1  # nothing is there: the empty list, the unwritten register
UNKNOWN = -2  # the history does not say what was read (an unfinished or failed transaction)
# The template of the transactions that read every key when a run is over
FINAL_READ = "final-read"


@dataclass(frozen=True, eq=False)
class History:
    """All client transactions of one history, as columns.

    kind: None when the history has no micro-operation that tells (then it is judged as empty).

    Per transaction (length n):
      type: OK, FAIL or INFO (also where no completion was recorded).
      process: the process number; a process that is no integer in the file has one that no other
        has, and its name in `process_names`.
      invoke_at, complete_at: positions; -1 where there is none.
      invoke_index, complete_index: `:index` as the file has it (positions in the whole file
        where it has none); -1 where there is none. Elle names transactions by complete_index.
      invoke_time, complete_time: nanoseconds since the start of the run; -1 where unknown.
      template: index into `templates`; -1 where the history does not say.
      mops: offsets (length n + 1) into the micro-operation columns.

    Per micro-operation (length m), taken from the completion of an ok transaction, from the
    completion or else the invocation of the others:
      mop_f: READ, APPEND or WRITE.
      mop_key: index into `keys` (the physical keys).
      mop_value: for a write the element that it writes; for a read of a register the element
        that it saw; for a read of a list an index into the read table; or NIL, or UNKNOWN.
      mop_step: which step of its template made it; -1 where the history does not say.
      nil_literal: for a read of a list with mop_value NIL: True where the file says nil, False
        where it says [] (Elle's `internal` tells them apart; nothing else does).

    Elements: every distinct (key, value) pair that was ever written or read is one element.
      element_key: index into `keys`. element_value: the value as the file has it.

    The read table of lists: nearly every read of a key is a prefix of its longest one (its
    trunk), so a read is stored as a length. Row r of the table:
      read_key; read_length: elements read; read_trunk: True when it is the first
      `read_length` elements of trunk(read_key), else `odd_reads[r]` holds the elements.
    Reads with the same value of the same key share one row.
      trunk_elements, trunks: elements of every key's trunk, flat, and offsets (length keys + 1).
        Of equally long reads the first to complete is the trunk. Only non-empty reads of ok and info
        transactions take part in trunks and in the read table (fail: UNKNOWN).

    logical: for each physical key its logical key (the key itself where the history does not
      say, None for keys that are not integers).
    """

    kind: Kind | None
    type: SmallInts
    process: Ints
    invoke_at: Ints
    complete_at: Ints
    invoke_index: Ints
    complete_index: Ints
    invoke_time: Ints
    complete_time: Ints
    template: Ints
    mops: Ints
    mop_f: SmallInts
    mop_key: Ints
    mop_value: Ints
    mop_step: Ints
    nil_literal: npt.NDArray[np.bool_]
    templates: Sequence[str]
    keys: Sequence[Any]
    logical: Sequence[int | None]
    element_key: Ints
    element_value: Sequence[Any]
    read_key: Ints
    read_length: Ints
    read_trunk: npt.NDArray[np.bool_]
    odd_reads: dict[int, Ints]
    trunk_elements: Ints
    trunks: Ints
    # Invocations of the same (key, value) beyond the first, failed ones included: the pairs of
    # transactions that wrote it. A history with any of them cannot be judged.
    duplicate_writes: Sequence[tuple[int, int, int]] = ()  # (element, first transaction, second)
    # Micro-operations that the checker does not know, as (line, text): the history is not judged.
    unknown_mops: Sequence[tuple[int, str]] = ()
    warnings: Sequence[str] = ()
    operations: int = 0  # all operations of the file, nemesis and the like included
    # Processes that are no integers in the file: their numbers here, and what the file calls them.
    process_names: Mapping[int, Any] = field(default_factory=dict)
    # Operations that are no client's, by the name of their process: "nemesis"
    passed_over: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    # What explanations and pictures call the transactions of a replay: their sessions, by row
    session_names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.type)

    def __repr__(self) -> str:
        kind = self.kind.value if self.kind else "empty"
        return f"<History {kind}: {len(self)} transactions, {len(self.mop_f)} micro-operations>"

    def process_name(self, row: int) -> Any:
        """The process of a transaction as the file has it; -1, say, where it has none."""
        process = int(self.process[row])
        return self.process_names.get(process, process)

    def trunk(self, key: int) -> Ints:
        """The elements of the longest list that was read of this key, in order."""
        return self.trunk_elements[self.trunks[key] : self.trunks[key + 1]]

    def read_elements(self, row: int) -> Ints:
        """The elements that the reads of this row of the read table saw, in order."""
        if self.read_trunk[row]:
            return self.trunk(int(self.read_key[row]))[: int(self.read_length[row])]
        return self.odd_reads[row]

    def values(self, elements: Ints) -> list[Any]:
        """The values of these elements, as the file has them."""
        return [self.element_value[element] for element in elements]
