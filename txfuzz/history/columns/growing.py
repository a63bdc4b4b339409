"""Growing columns: values are collected in short lists and moved to arrays.

Rows of transactions are numbered by invocation, but micro-operations arrive by completion; `history_tables`
brings them into one order at the end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from txfuzz.history.model import Ints

FULL = 1 << 15  # completions kept as Python objects
NO_PROCESS = np.iinfo(np.int64).min
MISSING = b"%d" % NO_PROCESS  # the process of operations without one


class GrowingColumns:
    """Invocations by row, completions in their order, micro-operations in the completions' order.

    Indices, times and processes stay text until `flush`, which converts many at once.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.position = 0  # the next position among the operations of clients
        self.process: list[bytes] = []
        self.invoke_at: list[int] = []
        self.invoke_index: list[bytes] = []
        self.invoke_time: list[bytes] = []
        self.template: list[int] = []
        self.row: list[int] = []
        self.type: list[int] = []
        self.complete_at: list[int] = []
        self.complete_index: list[bytes] = []
        self.complete_time: list[bytes] = []
        self.count: list[int] = []  # micro-operations of this completion
        self.steps: list[tuple[int, ...] | None] = []
        self.codes: list[int] = []
        self.values: list[int] = []
        # The writes of invocations whose completions have other writes.
        self.invoked_else: dict[int, list[tuple[int, int]]] = {}
        self._parts: dict[str, list[Ints | npt.NDArray[np.int32]]] = {}

    def invocation(self, process: bytes, at: int, index: bytes, time: bytes, template: int) -> int:
        """Add an invocation; the row of its transaction."""
        self.process.append(process)
        self.invoke_at.append(at)
        self.invoke_index.append(index)
        self.invoke_time.append(time)
        self.template.append(template)
        self.rows += 1
        return self.rows - 1

    def completion(
        self,
        row: int,
        type: int,
        at: int,
        event: tuple[bytes, bytes],
        steps: tuple[int, ...] | None,
        mops: tuple[list[int], list[int]],
    ) -> None:
        """Complete the transaction of this row. event: index and time."""
        self.row.append(row)
        self.type.append(type)
        self.complete_at.append(at)
        self.complete_index.append(event[0])
        self.complete_time.append(event[1])
        self.count.append(len(mops[0]))
        self.steps.append(steps)
        self.codes.extend(mops[0])
        self.values.extend(mops[1])

    def flush(self, full: int = 0) -> None:
        """Move collected values to arrays, if there are at least `full`."""
        if len(self.row) < full and len(self.process) < full:
            return
        self._add("step", _steps(self.steps, self.count))
        self.steps.clear()
        for name in ("process", "invoke_index", "invoke_time", "complete_index", "complete_time"):
            self._add(name, _numbers(getattr(self, name)))
            getattr(self, name).clear()
        for name in ("invoke_at", "template", "row", "type", "complete_at", "count", "codes", "values"):
            self._add(name, np.array(getattr(self, name), np.int64))
            getattr(self, name).clear()

    def take(self, name: str) -> Ints:
        """A whole column, which is removed from here."""
        parts = self._parts.pop(name, [])
        whole = np.empty(sum(map(len, parts)), np.int64)
        at = 0
        for part in parts:
            whole[at : at + len(part)] = part
            at += len(part)
        return whole

    def _add(self, name: str, part: Ints) -> None:
        # Most columns fit into half the width, which saves memory until the end.
        narrow = part.astype(np.int32)
        self._parts.setdefault(name, []).append(narrow if np.array_equal(narrow, part) else part)


def _numbers(texts: list[bytes]) -> Ints:
    return np.fromstring(b" ".join(texts), np.int64, sep=" ")


def _steps(steps: list[tuple[int, ...] | None], counts: list[int]) -> Ints:
    """The step of every micro-operation; -1 if unknown."""
    if not any(steps):
        return np.full(sum(counts), -1, np.int64)
    flat: list[int] = []
    for of_one, count in zip(steps, counts, strict=True):
        flat.extend(of_one if of_one is not None and len(of_one) == count else (-1,) * count)
    return np.array(flat, np.int64)
