"""Operations as plain Python values, one at a time, into the columns of a History."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from txfuzz.errors import HistoryError
from txfuzz.history.model import APPEND, FAIL, INFO, NIL, OK, READ, UNKNOWN, WRITE, History, Ints
from txfuzz.history.values import identity
from txfuzz.kind import Kind

Mop: TypeAlias = tuple[str, Any, Any]  # ("r" | "append" | "w", key, value)
TYPES = {"ok": OK, "fail": FAIL, "info": INFO}
FUNCTIONS = {"r": READ, "append": APPEND, "w": WRITE}


@dataclass
class _Transaction:
    process: int | None
    invoke: tuple[int, int, int] = (-1, -1, -1)  # position, index, time
    complete: tuple[int, int, int] = (-1, -1, -1)
    type: int = INFO
    template: int = -1
    invoked: Sequence[Mop] | None = None
    completed: Sequence[Mop] | None = None
    steps: Sequence[int] = ()
    logical: Sequence[int | None] = ()


@dataclass
class HistoryBuilder:
    """Collects operations in the order of the history; `finish` gives the History.

    add("invoke", 0, [("r", 1, None), ("append", 1, 2)], time=10)
    add("ok", 0, [("r", 1, (5,)), ("append", 1, 2)], time=20)
    """

    source: str = ""
    _transactions: list[_Transaction] = field(default_factory=list)
    _open: dict[int | None, _Transaction] = field(default_factory=dict)
    _templates: dict[str, int] = field(default_factory=dict)
    _unknown: list[tuple[int, str]] = field(default_factory=list)
    _warnings: list[str] = field(default_factory=list)
    _operations: int = 0
    _position: int = 0
    _kind: Kind | None = None

    def add(
        self,
        type: str,
        process: int | None,
        mops: Sequence[Mop] | None,
        *,
        index: int | None = None,
        time: int | None = None,
        txn: str | None = None,
        steps: Sequence[int] = (),
        logical: Sequence[int | None] = (),
        line: int = 0,
    ) -> None:
        """One operation of a client. type: "invoke", "ok", "fail" or "info".

        mops: (f, key, value) with f "r", "append" or "w"; the value of a read is None, an
        element or a tuple of elements; None where the operation has no value at all.
        """
        where = (self._position, self._operations if index is None else index, -1 if time is None else time)
        self._position += 1
        self._operations += 1
        if mops is not None:
            mops = [mop for mop in mops if self._known(mop, line)]
        if type == "invoke":
            if process in self._open:
                raise HistoryError(
                    f"{self.source}:{line}: process {process} invokes a transaction "
                    "while its previous one is still open; expected its completion first"
                )
            row = _Transaction(process, invoke=where, invoked=mops, steps=steps, logical=logical)
            if txn is not None:
                row.template = self._templates.setdefault(txn, len(self._templates))
            self._open[process] = row
            self._transactions.append(row)
            return
        opened = self._open.pop(process, None)
        if opened is None:
            opened = _Transaction(process, steps=steps, logical=logical)
            self._transactions.append(opened)
        opened.type = TYPES[type]
        opened.complete = where
        opened.completed = mops

    def other(self) -> None:
        """An operation that is not a client's: counted, not kept."""
        self._operations += 1

    def warn(self, text: str) -> None:
        self._warnings.append(text)

    def _known(self, mop: Mop, line: int) -> bool:
        f, _, value = mop
        told = None
        if f == "append" or (f == "r" and isinstance(value, tuple | list)):
            told = Kind.LIST_APPEND
        elif f == "w" or (f == "r" and value is not None):
            told = Kind.RW_REGISTER
        self._kind = self._kind or told
        if f in FUNCTIONS and (told is None or told is self._kind) and not (f == "w" and value is None):
            return True
        self._unknown.append((line, repr(mop)))
        return False

    def finish(self) -> History:
        return _Columns(self).history()


class _Columns:
    """The tables of one finish."""

    def __init__(self, builder: HistoryBuilder) -> None:
        self.builder = builder
        self.keys: dict[Any, int] = {}
        self.key_values: list[Any] = []
        self.elements: dict[tuple[int, Any], int] = {}
        self.element_key: list[int] = []
        self.element_value: list[Any] = []
        self.reads: dict[tuple[int, tuple[int, ...]], int] = {}
        self.logical: dict[int, int | None] = {}
        self.mops: list[tuple[int, int, int, int, bool]] = []
        self.offsets = [0]
        self.first_writer: dict[int, int] = {}
        self.duplicates: list[tuple[int, int, int]] = []

    def key(self, value: Any) -> int:
        found = self.keys.setdefault(identity(value), len(self.key_values))
        if found == len(self.key_values):
            self.key_values.append(value)
        return found

    def element(self, key: int, value: Any) -> int:
        found = self.elements.setdefault((key, identity(value)), len(self.element_key))
        if found == len(self.element_key):
            self.element_key.append(key)
            self.element_value.append(value)
        return found

    def read(self, txn: _Transaction, key: int, value: Any) -> tuple[int, bool]:
        if txn.completed is None or txn.type == FAIL or (value is None and txn.type == INFO):
            return UNKNOWN, False
        if value is None or (isinstance(value, tuple | list) and not value):
            return NIL, value is None and self.builder._kind is not Kind.RW_REGISTER
        if self.builder._kind is Kind.LIST_APPEND:
            elements = tuple(self.element(key, item) for item in value)
            return self.reads.setdefault((key, elements), len(self.reads)), False
        return self.element(key, value), False

    def transaction(self, row: int, txn: _Transaction) -> None:
        mops = txn.invoked if txn.completed is None else txn.completed
        for at, (f, key_value, value) in enumerate(mops or ()):
            key = self.key(key_value)
            step = txn.steps[at] if at < len(txn.steps) else -1
            if at < len(txn.logical):
                self.logical[key] = txn.logical[at]
            nil_literal = False
            if f == "r":
                code, nil_literal = self.read(txn, key, value)
            else:
                code = self.element(key, value)
            self.mops.append((FUNCTIONS[f], key, code, step, nil_literal))
        self.offsets.append(len(self.mops))
        for f, key_value, value in (txn.completed if txn.invoked is None else txn.invoked) or ():
            if f != "r":
                element = self.element(self.key(key_value), value)
                first = self.first_writer.setdefault(element, row)
                if first != row or self.wrote_twice(mops or (), f, key_value, value):
                    self.duplicates.append((element, first, row))

    @staticmethod
    def wrote_twice(mops: Sequence[Mop], f: str, key: Any, value: Any) -> bool:
        wanted = (f, identity(key), identity(value))
        return sum((g, identity(k), identity(v)) == wanted for g, k, v in mops) > 1

    def trunks(self) -> tuple[dict[int, Ints], list[int], list[bool], dict[int, Ints]]:
        longest: dict[int, tuple[int, ...]] = {}
        for key, elements in self.reads:
            if len(elements) > len(longest.get(key, ())):
                longest[key] = elements
        lengths, on_trunk, odd = [], [], {}
        for row, (key, elements) in enumerate(self.reads):
            lengths.append(len(elements))
            on_trunk.append(longest[key][: len(elements)] == elements)
            if not on_trunk[-1]:
                odd[row] = np.array(elements, np.int64)
        return {key: np.array(trunk, np.int64) for key, trunk in longest.items()}, lengths, on_trunk, odd

    def history(self) -> History:
        builder = self.builder
        txns = builder._transactions
        for row, txn in enumerate(txns):
            self.transaction(row, txn)
        trunks, lengths, on_trunk, odd = self.trunks()
        empty = np.zeros(0, np.int64)
        by_key = [trunks.get(key, empty) for key in range(len(self.key_values))]
        mops = np.array(self.mops, np.int64).reshape(-1, 5)
        events = np.array([(*txn.invoke, *txn.complete) for txn in txns], np.int64).reshape(-1, 6)
        known = [txn.process for txn in txns if txn.process is not None]
        missing = min([0, *known]) - 1
        return History(
            kind=builder._kind,
            type=np.array([txn.type for txn in txns], np.int8),
            process=np.array([missing if txn.process is None else txn.process for txn in txns], np.int64),
            invoke_at=events[:, 0],
            invoke_index=events[:, 1],
            invoke_time=events[:, 2],
            complete_at=events[:, 3],
            complete_index=events[:, 4],
            complete_time=events[:, 5],
            template=np.array([txn.template for txn in txns], np.int64),
            mops=np.array(self.offsets, np.int64),
            mop_f=mops[:, 0].astype(np.int8),
            mop_key=mops[:, 1].copy(),
            mop_value=mops[:, 2].copy(),
            mop_step=mops[:, 3].copy(),
            nil_literal=mops[:, 4].astype(np.bool_),
            templates=list(builder._templates),
            keys=self.key_values,
            logical=[
                self.logical.get(at, key if type(key) is int else None)
                for at, key in enumerate(self.key_values)
            ],
            element_key=np.array(self.element_key, np.int64),
            element_value=self.element_value,
            read_key=np.array([key for key, _ in self.reads], np.int64),
            read_length=np.array(lengths, np.int64),
            read_trunk=np.array(on_trunk, np.bool_),
            odd_reads=odd,
            trunk_elements=np.concatenate([empty, *by_key]),
            trunks=np.concatenate([[0], np.cumsum([len(trunk) for trunk in by_key])]).astype(np.int64),
            duplicate_writes=self.duplicates,
            unknown_mops=builder._unknown,
            warnings=builder._warnings,
            operations=builder._operations,
            source=builder.source,
        )
