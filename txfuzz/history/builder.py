"""Builds a History from operations, one at a time.

The builder pairs invocations with completions. `add` takes plain Python values; the fast path for EDN lines
(`formats.edn_lines`) writes the same columns directly. `columns.history_tables` makes the History.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from txfuzz.common.kind import Kind
from txfuzz.errors import HistoryError
from txfuzz.history.columns.growing import FULL, MISSING, GrowingColumns
from txfuzz.history.columns.history_tables import history_of
from txfuzz.history.columns.interning import (
    READ_ELEMENT,
    READ_EMPTY,
    READ_NIL,
    READ_UNKNOWN,
    WROTE,
    WROTE_APPEND,
    Codes,
    Decode,
    Keys,
    Lists,
    Processes,
    no_decode,
)
from txfuzz.history.model import FAIL, INFO, OK, History
from txfuzz.history.values import Keyword, Mop, display_name, edn

if TYPE_CHECKING:
    from re import Match

Steps: TypeAlias = tuple[int, ...] | None
Logical: TypeAlias = bytes | tuple[int | None, ...] | None
Coded: TypeAlias = tuple[list[int], list[int]]  # micro-operations: codes and values

TYPES = {"ok": OK, "fail": FAIL, "info": INFO}
FUNCTIONS = ("r", "append", "w")
LISTED = 100  # unknown micro-operations that are listed; further ones are only counted
SHOWN = 200  # characters of one


class Open(NamedTuple):
    """An invocation without a completion so far.

    text: its micro-operations as seen by the fast path, "r 1 nil] [:append 1 2"; None if they are in `mops`
    (if both are None, the invocation has no value). match: the origin of the text, until it is confirmed.
    """

    row: int
    text: bytes | None
    steps: Steps
    logical: Logical
    match: Match[bytes] | None = None
    mops: list[Mop] | None = None


# The same as a plain tuple, which is faster to create.
OpenTuple: TypeAlias = "tuple[int, bytes | None, Steps, Logical, Match[bytes] | None, list[Mop] | None]"


class HistoryBuilder:
    """Collects operations in the order of the history; `finish` gives the History.

    add("invoke", 0, [("r", 1, None), ("append", 1, 2)], time=10)
    add("ok", 0, [("r", 1, (5,)), ("append", 1, 2)], time=20)

    source: for messages. decode: parses the text of a scalar.
    """

    def __init__(self, source: str = "", decode: Decode = no_decode) -> None:
        self.source = source
        self.kind: Kind | None = None
        self.keys = Keys(decode)
        self.codes = Codes(decode)
        self.lists = Lists()
        self.columns = GrowingColumns()
        self.processes = Processes()
        self.open: dict[bytes, OpenTuple] = {}
        self.templates: dict[str, int] = {}
        self.operations = 0
        self.passed_over: dict[str, int] = {}  # by process, as the file has it
        self.valueless_reads = 0  # reads of committed transactions without a value
        self.uninvoked = 0  # completions without an invocation
        self.warnings: list[str] = []
        self.unknown_mops: list[tuple[int, str]] = []
        self._more_unknown = 0

    def add(
        self,
        type: str,
        process: Any,
        mops: Sequence[Mop] | None,
        *,
        index: int | None = None,
        time: int | None = None,
        txn: str | None = None,
        steps: Sequence[int] | None = None,
        logical: Sequence[int | None] | None = None,
        line: int = 0,
    ) -> None:
        """One operation of a client. type: "invoke", "ok", "fail" or "info".

        process: an integer or any other name; operations without one (None) count as one process.
        mops: (f, key, value); the value of a read is None, an element or a tuple of elements. None for an
        operation without a value.
        steps, logical: step and logical key of each micro-operation; those of a completion take precedence.
        line: for messages.
        """
        token = self._token(process)
        event = (
            b"%d" % (self.operations if index is None else index),
            b"-1" if time is None else b"%d" % time,
        )
        if mops is not None:
            if type == "invoke":
                mops = asked(mops)
            known = self.known(mops, line)
            if len(known) < len(mops):
                steps = logical = None
            mops = known
        if type == "invoke":
            self._invoke(token, event, txn, steps, logical, mops, line)
        else:
            self._complete(token, TYPES[type], event, mops, steps, logical)
        self.operations += 1
        self.columns.flush(FULL)

    def pass_over(self, process: Any) -> None:
        """Count an operation that does not belong to a client."""
        self.operations += 1
        name = display_name(process)
        self.passed_over[name] = self.passed_over.get(name, 0) + 1

    def is_open(self, process: Any) -> bool:
        """Whether the process has an open transaction."""
        return self._token(process) in self.open

    def _token(self, process: Any) -> bytes:
        if process is None:
            return MISSING
        return b"%d" % process if type(process) is int else self.processes.token(process)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def template(self, name: str) -> int:
        return self.templates.setdefault(name, len(self.templates))

    def known(self, mops: Sequence[Mop], line: int) -> list[Mop]:
        """The micro-operations that the checker knows; others are noted."""
        return [mop for mop in mops if self._known(mop, line)]

    def unknown(self, line: int, text: str) -> None:
        """Note a micro-operation that the checker does not know."""
        if len(self.unknown_mops) < LISTED:
            self.unknown_mops.append((line, text if len(text) <= SHOWN else text[:SHOWN] + " …"))
        else:
            self._more_unknown += 1

    def finish(self) -> History:
        """The history of all operations. The builder cannot be used afterwards."""
        for opened in [Open(*fields) for fields in self.open.values()]:
            self.complete(opened, INFO, -1, (b"-1", b"-1"), self.invoked(opened), None)
        self.open.clear()
        self.columns.flush()
        if self.uninvoked:
            self.warn(f"completions without an invocation: {self.uninvoked}")
        if self.valueless_reads:
            self.warn(
                "reads of committed transactions without a value, treated as reads of nothing: "
                f"{self.valueless_reads}"
            )
        if self._more_unknown:
            self.warn(f"further unknown micro-operations, not listed: {self._more_unknown}")
        self.unknown_mops.sort()
        history = history_of(
            self.kind,
            list(self.templates),
            self.keys,
            self.codes,
            self.lists,
            self.columns,
            self.processes,
        )
        self._warn_of_order(history)
        return replace(
            history,
            unknown_mops=self.unknown_mops,
            warnings=self.warnings,
            operations=self.operations,
            passed_over=dict(self.passed_over),
            source=self.source,
        )

    def complete(
        self, opened: Open, type: int, at: int, event: tuple[bytes, bytes], mops: Coded, invoked: Coded | None
    ) -> None:
        """Complete an open transaction. invoked: its micro-operations in the invocation, if known."""
        self.columns.completion(opened.row, type, at, event, opened.steps, mops)
        if self.keys.unset and opened.logical is not None:
            self.keys.set_logical(mops[0], opened.logical)
        if invoked is not None and (wrote := writes(invoked)) != writes(mops):
            self.columns.invoked_else[opened.row] = wrote

    def begin_uninvoked(self, process: bytes) -> Open:
        """A row for a completion without an invocation."""
        self.uninvoked += 1
        return Open(self.columns.invocation(process, -1, b"-1", b"-1", -1), None, None, None)

    def invoked(self, opened: Open) -> Coded:
        """The micro-operations of an invocation, without values for reads."""
        if opened.text is not None:
            return self.unread(opened.text)
        return self.encode(opened.mops or (), FAIL)

    def unread(self, text: bytes) -> Coded:
        """Like `invoked`, from text; ValueError if that needs a real parser."""
        codes: list[int] = []
        values: list[int] = []
        write, number = self.write()
        for mop in text.split(b"] [:"):
            f, key_text, *value = mop.split(b" ", 2)
            key = self.keys.token(key_text)
            if f == b"r" and value in ([], [b"nil"]):
                codes.append(key.base + READ_UNKNOWN)
                values.append(0)
            elif f == write and value and value != [b"nil"]:
                codes.append(key.base + number)
                values.append(self.codes.token(value[0]))
            else:
                raise ValueError(text)
        return codes, values

    def write(self) -> tuple[bytes | None, int]:
        """The name of a write in this kind of history, and its code."""
        if self.kind is Kind.LIST_APPEND:
            return b"append", WROTE_APPEND
        return (b"w", WROTE) if self.kind is Kind.RW_REGISTER else (None, 0)

    def encode(self, mops: Sequence[Mop], type: int) -> Coded:
        """Known micro-operations of a completion of that type (FAIL: nothing was read)."""
        codes: list[int] = []
        values: list[int] = []
        for f, key_value, value in mops:
            key = self.keys.key(key_value)
            if f == "append":
                code, stored = key.base + WROTE_APPEND, self.codes.code(value)
            elif f == "w":
                code, stored = key.base + WROTE, self.codes.code(value)
            elif type == FAIL or (type == INFO and value is None):
                code, stored = key.base + READ_UNKNOWN, 0
            elif value is None:
                code, stored = key.base + READ_NIL, 0
            elif self.kind is Kind.RW_REGISTER:
                code, stored = key.base + READ_ELEMENT, self.codes.code(value)
            elif not value:
                code, stored = key.base + READ_EMPTY, 0
            else:
                code, stored = self.lists.read(key, self.codes.values_text(value))
            codes.append(code)
            values.append(stored)
        return codes, values

    def _warn_of_order(self, history: History) -> None:
        """Warn if indices contradict the order of operations."""
        index = np.zeros(self.columns.position, np.int64)
        for at, of_index in (
            (history.invoke_at, history.invoke_index),
            (history.complete_at, history.complete_index),
        ):
            index[at[at >= 0]] = of_index[at >= 0]
        falls = int((np.diff(index) <= 0).sum())
        if falls:
            self.warn(
                f"operations whose :index does not increase: {falls}; their order in the history counts, "
                "not the index"
            )

    def _invoke(
        self,
        token: bytes,
        event: tuple[bytes, bytes],
        txn: str | None,
        steps: Sequence[int] | None,
        logical: Sequence[int | None] | None,
        mops: list[Mop] | Sequence[Mop] | None,
        line: int,
    ) -> None:
        if token in self.open:
            raise HistoryError(
                f"{self.source}:{line}: {self.processes.text(token)} invokes a transaction while its "
                "previous one is still open; expected its completion first"
            )
        template = -1 if txn is None else self.template(txn)
        row = self.columns.invocation(token, self.columns.position, *event, template)
        self.columns.position += 1
        self.open[token] = Open(
            row,
            None,
            None if steps is None else tuple(steps),
            None if logical is None else tuple(logical),
            mops=None if mops is None else list(mops),
        )

    def _complete(
        self,
        token: bytes,
        type: int,
        event: tuple[bytes, bytes],
        mops: Sequence[Mop] | None,
        steps: Sequence[int] | None,
        logical: Sequence[int | None] | None,
    ) -> None:
        opened = Open(*self.open.pop(token)) if token in self.open else self.begin_uninvoked(token)
        if steps is not None:
            opened = opened._replace(steps=tuple(steps))
        if logical is not None:
            opened = opened._replace(logical=tuple(logical))
        says = opened.text is not None or opened.mops is not None
        invoked = self.invoked(opened) if says else None
        # A completion without a value does not say what was read.
        done = self.encode(mops, type) if mops is not None else invoked or ([], [])
        self.complete(opened, type, self.columns.position, event, done, invoked)
        self.columns.position += 1

    def _known(self, mop: Mop, line: int) -> bool:
        """Whether the checker knows such a micro-operation in a history of this kind.

        The first distinctive one decides the kind. A written nil is refused: it could not be distinguished
        from an unwritten register.
        """
        f, _, value = mop
        told = None
        if f == "append":
            told = Kind.LIST_APPEND
        elif f == "w":
            told = Kind.RW_REGISTER
        elif f == "r" and value is not None and self.kind is not Kind.RW_REGISTER:
            told = Kind.LIST_APPEND if isinstance(value, tuple | list) else Kind.RW_REGISTER
        self.kind = self.kind or told
        if f in FUNCTIONS and (told is None or told is self.kind) and not (f == "w" and value is None):
            return True
        self.unknown(line, edn([Keyword(f), *mop[1:]]))
        return False


def asked(mops: Iterable[Mop]) -> list[Mop]:
    """Micro-operations as in an invocation: without values for reads."""
    return [("r", key, None) if f == "r" else (f, key, value) for f, key, value in mops]


def writes(mops: Coded) -> list[tuple[int, int]]:
    return [(code, value) for code, value in zip(*mops, strict=True) if code & 7 in (WROTE_APPEND, WROTE)]
