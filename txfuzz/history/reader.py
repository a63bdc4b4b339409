"""Reads a history file, in any form that Elle or elle-cli accepts, into a History.

EDN or JSON, recognised by content; one operation per line or one vector; plain or gzip. The file is streamed
and never held in memory as a whole.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from txfuzz.common.progress import come_to, is_watched
from txfuzz.errors import HistoryError
from txfuzz.history.builder import HistoryBuilder, asked
from txfuzz.history.byte_source import GZIP, ByteSource, GzipSource, Window, open_file
from txfuzz.history.columns.growing import FULL
from txfuzz.history.formats.boundaries import BLANKS, Incomplete, Malformed, Unclosed, end_of, normal, shown
from txfuzz.history.formats.edn import EdnParser
from txfuzz.history.formats.edn_lines import FastLines
from txfuzz.history.formats.json_operations import parse_json
from txfuzz.history.formats.parsed_operation import add_operation, is_list, to_mops
from txfuzz.history.model import History
from txfuzz.history.values import Mop

READING = "reading"  # as whoever watches is told
LONGEST_PARSED = 1 << 24  # bytes for a real parser, which takes seconds and some hundred MB for them

Add: TypeAlias = Callable[[HistoryBuilder, Any, int], None]  # a parsed operation and its line

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_VECTOR = re.compile(rb"(?:#[A-Za-z][^\s{}()\[\]\",;]*[ \t\r\n]*)?([\[(])")
_JSON = re.compile(rb'\{[ \t\r\n]*"')
_CLOSING = {b"[": b"]", b"(": b")"}
_ZEROS = b"\0 \t\r\n,"


def read_history(path: str | os.PathLike[str]) -> History:
    """Read a history file. Raises HistoryError, one sentence with the line, if it is invalid."""
    name = os.fspath(path)
    with open_file(path) as file:
        source = _Watched(file, os.fstat(file.fileno()).st_size) if is_watched() else file
        try:
            return Reader(source, name).history()
        except OSError as error:
            raise HistoryError(f"{name}: {error.strerror or error}") from None


def read_history_bytes(data: bytes, name: str = "history", *, fast: bool = True) -> History:
    """Read a history from memory. name: for messages. fast=False: use only the real parser."""
    return Reader(io.BytesIO(data), name, fast=fast).history()


@cache
def _edn() -> EdnParser:
    return EdnParser()


class Reader:
    """One reading of one file.

    add: called for operations read by the real parser; for all of them without the fast path.
    cut_off: the source ended within an operation, which was skipped.
    """

    def __init__(self, file: ByteSource, name: str, *, fast: bool = True, add: Add = add_operation) -> None:
        self._name = name
        self._add = add
        self._builder = HistoryBuilder(name, decode=lambda token: _edn().scalar(token))
        self._fast = FastLines(self._builder) if fast else None
        self._json: bool | None = None  # unknown before the first operation
        self._closing = b""  # the bracket that ends the vector of operations, if they are in one
        self._closed = False
        self._begun = False
        self.cut_off = False
        first = file.read(len(GZIP))
        source: ByteSource = _Joined(first, file)
        if first == GZIP:
            source = GzipSource(source, name, self._builder.warn)
        self._window = Window(source, name)

    def history(self) -> History:
        """All of it."""
        return self.read().finish()

    def read(self) -> HistoryBuilder:
        """Read all of it into the builder."""
        while self.read_on():
            pass
        if self._closing and not self._closed:
            self._builder.warn("the history is truncated: the end of its vector is missing")
        if not self._builder.operations:
            why = "".join(f" ({warning})" for warning in self._builder.warnings)
            raise HistoryError(f"{self._name}: expected operations, found none{why}")
        return self._builder

    def read_on(self) -> bool:
        """Read a piece; False if the source has no more (for now)."""
        window = self._window
        if not self._begun and not self._begin():
            return False
        if self._fast is not None and self._json is not True and not self._closed:
            window.at = self._fast.run(window.data, window.at)
        blanks = BLANKS.match(window.data, window.at)
        window.at = blanks.end() if blanks else window.at
        if window.at == len(window.data):
            return self._more()
        if not self._between():
            self._operation()
        return True

    def _begin(self) -> bool:
        """Examine the first bytes."""
        window = self._window
        self._begun = window.more()
        if window.data.startswith(_UTF_16):
            raise HistoryError(f"{self._name}:1: expected UTF-8, found UTF-16")
        if window.data.startswith(_BYTE_ORDER_MARK):
            window.at = len(_BYTE_ORDER_MARK)
        return self._begun

    def _more(self) -> bool:
        self._confirm_invocations()
        self._builder.columns.flush(FULL)
        return self._window.more()

    def _confirm_invocations(self) -> None:
        if self._fast is not None:
            self._fast.confirm_invocations(self._mops, self._window.line)

    def _between(self) -> bool:
        """Skip a comment or a bracket of the vector between operations; whether there was one."""
        window = self._window
        data, at = window.data, window.at
        if data.startswith(b";", at):
            while (end := window.data.find(b"\n", window.at)) < 0 and self._more():
                pass
            if end < 0:
                window.drop()
            else:
                window.at = end
            return True
        if self._closing and not self._closed and data.startswith(self._closing, at):
            self._closed = True
            window.at += 1
            return True
        vector = _VECTOR.match(data, at)
        if vector and not self._closing and not self._builder.operations:
            self._closing = _CLOSING[vector[1]]
            window.at = vector.end()
            return True
        return False

    def _operation(self) -> None:
        """Read an operation that the fast path cannot, or the end of a truncated history."""
        window = self._window
        at = window.at
        try:
            end = end_of(window.data, at)
        except Incomplete:
            if not self._more():
                self._cut_off()
            return
        except Unclosed as unclosed:
            raise window.error(
                at,
                f"expected a complete operation, found {shown(window.data[at:])}, which is not closed "
                f"before the next one begins on line {window.line(unclosed.args[0])}",
            ) from None
        except Malformed as malformed:
            if window.data[at:].strip(_ZEROS):
                found, place = malformed.args
                raise window.error(place, f"expected an operation map, found {found}") from None
            if not self._more():  # a full disk or a power failure leaves zeros
                self._cut_off()
            return
        if self._closed:
            raise window.error(at, f"expected nothing after the vector, found {shown(window.data[at:end])}")
        if self._json is None:
            self._json = _JSON.match(window.data, at) is not None
        line = window.line(at)
        self._confirm_invocations()
        if self._again(window.data[at:end], line):
            return
        window.at = end
        for form in self._parsed(window.data[at:end], line):
            self._add(self._builder, form, line)

    def _again(self, text: bytes, line: int) -> bool:
        """Whether the fast path can read the operation after learning its shape or normalising its blanks."""
        if self._fast is None or self._json:
            return False
        if self._fast.learn(text):
            return True  # the shape is new: the next run sees it where it stands
        tidy = normal(text) if len(text) <= LONGEST_PARSED else None
        if tidy is None or tidy == text:
            return False
        if not self._fast.takes(tidy) and not (self._fast.learn(tidy) and self._fast.takes(tidy)):
            return False
        self._fast.confirm_invocations(self._mops, lambda _: line)
        self._window.at += len(text)
        return True

    def _parsed(self, text: bytes, line: int) -> list[object]:
        what = "JSON" if self._json else "EDN"
        if len(text) > LONGEST_PARSED:
            raise HistoryError(
                f"{self._name}:{line}: expected an operation of at most {LONGEST_PARSED >> 20} MiB in this "
                f"form, found one of {len(text) >> 20} MiB"
            )
        try:
            return [parse_json(text)] if self._json else _edn().parse(text)
        except UnicodeDecodeError as error:
            found = text[error.start]
            raise HistoryError(f"{self._name}:{line}: expected UTF-8, found the byte 0x{found:02x}") from None
        except (ValueError, RecursionError) as error:
            raise HistoryError(
                f"{self._name}:{line}: expected an operation in {what}, found {shown(text)}: {error}"
            ) from None

    def _mops(self, text: bytes, line: int) -> tuple[list[Mop], bool]:
        """Known micro-operations of an invocation that the fast path could not confirm; whether all."""
        value, *more = self._parsed(text, line)
        if more:
            raise HistoryError(
                f"{self._name}:{line}: expected a vector of micro-operations, found {shown(text)}, "
                "whose brackets do not match"
            )
        mops = self._builder.known(asked(to_mops(self._builder, value, line)), line)
        return mops, is_list(value) and len(mops) == len(value)

    def _cut_off(self) -> None:
        window = self._window
        found = shown(window.data[window.at :])
        self._builder.warn(f"line {window.line(window.at)} is truncated and was skipped: {found}")
        window.drop()
        self._closed = bool(self._closing)  # already reported
        self.cut_off = True


class _Watched:
    """A file of which it is told how much has been read. size: in bytes."""

    def __init__(self, file: ByteSource, size: int) -> None:
        self._file, self._size = file, size
        self._taken = 0

    def read(self, size: int) -> bytes:
        come_to(READING, min(1.0, self._taken / self._size) if self._size else 0.0)
        piece = self._file.read(size)
        self._taken += len(piece)
        return piece


class _Joined:
    """A file whose first bytes have already been read."""

    def __init__(self, first: bytes, file: ByteSource) -> None:
        self._first = first
        self._file = file

    def read(self, size: int) -> bytes:
        first, self._first = self._first, b""
        return first or self._file.read(size)
