"""A history in memory: numpy columns with a row per transaction, and others with a row per micro-operation.

A transaction is an invocation paired with its completion. Rows are in the order of the file (by invocation,
or by completion if there is no invocation). Positions are ordinals among the client operations of the file
(0, 1, 2, …): the order of the history, whatever `:index` says. Operations of the nemesis, and others without
micro-operations that are not a client's, are only counted.
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
UNKNOWN = -2  # not known (an unfinished or failed transaction)
# The template of the transactions that read every key at the end of a run
FINAL_READ = "final-read"


@dataclass(frozen=True, eq=False)
class History:
    """All client transactions of one history, as columns.

    kind: None if no micro-operation is distinctive (then the history is judged as empty).

    Per transaction (length n):
      type: OK, FAIL or INFO (also where no completion was recorded).
      process: the process number; processes that are not integers in the file get unique numbers, with
        their names in `process_names`.
      invoke_at, complete_at: positions; -1 if there is none.
      invoke_index, complete_index: `:index` as in the file, or the position in the whole file; -1 if
        there is no such operation. Elle names transactions by complete_index.
      invoke_time, complete_time: nanoseconds since the start of the run; -1 if unknown.
      template: index into `templates`; -1 if unknown.
      mops: offsets (length n + 1) into the micro-operation columns.

    Per micro-operation (length m), taken from the completion, or from the invocation of a transaction that
    is not ok and has no completion:
      mop_f: READ, APPEND or WRITE.
      mop_key: index into `keys` (the physical keys).
      mop_value: the element written, the element read (register), or an index into the read table
        (list); or NIL, or UNKNOWN.
      mop_step: the step of the template that made it; -1 if unknown.
      nil_literal: for a read of a list with mop_value NIL: True for nil in the file, False for [] (only
        Elle's `internal` distinguishes them).

    Elements: every distinct (key, value) pair that was written or read.
      element_key: index into `keys`. element_value: the value as in the file.

    The read table of lists: nearly every read of a key is a prefix of its longest one (its trunk), so a read
    is stored as a length. Row r of the table:
      read_key; read_length: number of elements; read_trunk: True if it is the first `read_length` elements
      of trunk(read_key), else `odd_reads[r]` holds the elements.
    Equal reads of the same key share one row.
      trunk_elements, trunks: elements of every key's trunk, flat, and offsets (length keys + 1). Of equally
        long reads the first to complete is the trunk. Only non-empty reads of ok and info transactions are
        in trunks and the read table (fail: UNKNOWN).

    logical: the logical key of each physical key (the key itself if unknown, None for keys that are not
      integers).
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
    # Repeated invocations of the same write, failed ones included. A history with any cannot be judged.
    duplicate_writes: Sequence[tuple[int, int, int]] = ()  # (element, first transaction, second)
    # Micro-operations that the checker does not know, as (line, text). They prevent a verdict.
    unknown_mops: Sequence[tuple[int, str]] = ()
    warnings: Sequence[str] = ()
    operations: int = 0  # of the whole file, including the nemesis
    # Processes that are not integers in the file: number → name
    process_names: Mapping[int, Any] = field(default_factory=dict)
    # Operations that are not a client's: name of the process, such as "nemesis" → number
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
        """The process of a transaction as in the file; a negative number if it has none."""
        process = int(self.process[row])
        return self.process_names.get(process, process)

    def trunk(self, key: int) -> Ints:
        """The elements of the longest list read of this key, in order."""
        return self.trunk_elements[self.trunks[key] : self.trunks[key + 1]]

    def read_elements(self, row: int) -> Ints:
        """The elements of this row of the read table, in order."""
        if self.read_trunk[row]:
            return self.trunk(int(self.read_key[row]))[: int(self.read_length[row])]
        return self.odd_reads[row]

    def values(self, elements: Ints) -> list[Any]:
        """The values of these elements, as in the file."""
        return [self.element_value[element] for element in elements]
