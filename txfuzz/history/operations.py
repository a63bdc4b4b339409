"""Turns a History back into operations, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from txfuzz.common.kind import Kind
from txfuzz.history.builder import FUNCTIONS, TYPES, asked
from txfuzz.history.model import APPEND, NIL, OK, READ, UNKNOWN, WRITE, History
from txfuzz.history.values import Mop

_TYPES = {number: name for name, number in TYPES.items()}
_F = dict(zip((READ, APPEND, WRITE), FUNCTIONS, strict=True))
_TRUNKS = 1024  # keys whose trunk values are cached


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a client.

    type: "invoke", "ok", "fail" or "info". process: an integer, or any other name. index: Elle's name for
    it; None for its position in the history. time: nanoseconds; None if unknown.
    mops: (f, key, value), where the value of a read is None, an element or a tuple of elements; None if
    the operation has no value. txn, steps, logical: of an invocation; None if unknown.
    """

    type: str
    process: Any
    index: int | None = None
    time: int | None = None
    mops: list[Mop] | None = None
    txn: str | None = None
    steps: list[int] | None = None
    logical: list[int | None] | None = None


def operations(history: History) -> Iterator[Operation]:
    """All operations of all transactions, from which HistoryBuilder makes the same history."""
    unfold = _Unfolding(history)
    count = len(history)
    order = np.argsort(np.concatenate([history.invoke_at, history.complete_at]), kind="stable")
    absent = int((history.invoke_at < 0).sum() + (history.complete_at < 0).sum())
    for at in order[absent:]:
        yield unfold.invocation(int(at)) if at < count else unfold.completion(int(at) - count)


class _Unfolding:
    """Makes the operations of one history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._trunk = lru_cache(maxsize=_TRUNKS)(lambda key: tuple(history.values(history.trunk(key))))
        self._said = [  # whether the logical key differs from the key
            logical != (key if type(key) is int else None)
            for key, logical in zip(history.keys, history.logical, strict=True)
        ]
        # Duplicate writes in invocations that their completions do not repeat.
        self._invoked_else: dict[int, list[int]] = {}
        for element, *rows in history.duplicate_writes:
            for row in rows:
                known = self._invoked_else.setdefault(row, [])
                if element not in known and element not in self._writes(row):
                    known.append(element)

    def invocation(self, row: int) -> Operation:
        history = self._history
        at = self._at(row)
        keys, steps = history.mop_key[at].tolist(), history.mop_step[at].tolist()
        mops = asked(self._mops(row))
        for element in self._invoked_else.get(row, ()):
            key = history.keys[int(history.element_key[element])]
            mops.append((_F[WRITE if self._registers else APPEND], key, history.element_value[element]))
        template = int(history.template[row])
        return Operation(
            "invoke",
            history.process_name(row),
            int(history.invoke_index[row]),
            _time(int(history.invoke_time[row])),
            mops,
            None if template < 0 else history.templates[template],
            steps if any(step != -1 for step in steps) else None,
            [history.logical[key] for key in keys] if any(self._said[key] for key in keys) else None,
        )

    def completion(self, row: int) -> Operation:
        history = self._history
        type, at = int(history.type[row]), self._at(row)
        # Elle's `:value nil`: it did what was invoked, and what it read is not known.
        unsaid = type == OK and bool((history.mop_value[at][history.mop_f[at] == READ] == UNKNOWN).any())
        return Operation(
            _TYPES[type],
            history.process_name(row),
            int(history.complete_index[row]),
            _time(int(history.complete_time[row])),
            None if unsaid else self._mops(row),
        )

    @property
    def _registers(self) -> bool:
        return self._history.kind is Kind.RW_REGISTER

    def _at(self, row: int) -> slice:
        return slice(int(self._history.mops[row]), int(self._history.mops[row + 1]))

    def _writes(self, row: int) -> list[int]:
        at = self._at(row)
        written: list[int] = self._history.mop_value[at][self._history.mop_f[at] != READ].tolist()
        return written

    def _mops(self, row: int) -> list[Mop]:
        history, at = self._history, self._at(row)
        columns = (history.mop_f[at], history.mop_key[at], history.mop_value[at], history.nil_literal[at])
        mops: list[Mop] = []
        for f, key, value, nil in zip(*(column.tolist() for column in columns), strict=True):
            seen = self._seen(value, nil) if f == READ else history.element_value[value]
            mops.append((_F[f], history.keys[key], seen))
        return mops

    def _seen(self, value: int, nil: bool) -> Any:
        """What a read saw, from its value in the column."""
        history = self._history
        if value == UNKNOWN:
            return None
        if value == NIL:
            return None if nil or self._registers else ()
        if self._registers:
            return history.element_value[value]
        if history.read_trunk[value]:
            return self._trunk(int(history.read_key[value]))[: int(history.read_length[value])]
        return tuple(history.values(history.read_elements(value)))


def _time(time: int) -> int | None:
    return None if time == -1 else time
