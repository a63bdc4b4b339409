"""The bytes of a history, piece by piece: from a plain or compressed file, or from memory."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from typing import IO, Protocol

from txfuzz.errors import HistoryError

GZIP = b"\x1f\x8b"  # the first bytes of a compressed file
BLOCK = 1 << 20
LONGEST = 1 << 28  # bytes of one operation


class ByteSource(Protocol):
    """The source of a history."""

    def read(self, size: int) -> bytes:
        """The next bytes, at most this many; empty at the end."""


class GzipSource:
    """A compressed history. Truncated files are read as far as possible, with a warning."""

    def __init__(self, file: ByteSource, name: str, warn: Callable[[str], None]) -> None:
        self._file = file
        self._name = name
        self._warn = warn
        self._unpack = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._done = False

    def read(self, size: int) -> bytes:
        # Never more than requested at a time: a small file can contain gigabytes.
        while not self._done:
            packed = self._packed or self._file.read(1 << 16)
            if self._unpack.eof:
                packed = packed.lstrip(b"\0")  # padding between and after members
                self._done = not packed
                self._unpack = zlib.decompressobj(wbits=31)
                self._packed = packed
                continue
            try:
                data = self._unpack.decompress(packed, size)
            except zlib.error as error:
                raise HistoryError(f"{self._name}: damaged gzip data ({error})") from None
            self._packed = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail
            if data:
                return data
            if not packed and not self._unpack.eof:
                self._warn("the compressed file is truncated")
                self._done = True
        return b""


def open_file(path: str | os.PathLike[str]) -> IO[bytes]:
    """The open file; HistoryError with the reason if it cannot be opened."""
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise HistoryError(f"{os.fspath(path)}: {reason or error}") from None


class Window:
    """The part of a history in memory, which moves along the file.

    data: the bytes in memory. at: up to here they have been processed.
    """

    def __init__(self, source: ByteSource, name: str) -> None:
        self.name = name
        self.data = b""
        self.at = 0
        self._source = source
        self._counted = 0  # up to here lines have been counted in the data
        self._lines = 0  # number of lines before that

    def more(self) -> bool:
        """Drop what has been processed and read more; whether there was more."""
        self.check()
        self._lines = self.line(self.at) - 1
        rest = self.data[self.at :]
        if len(rest) > LONGEST:
            self._counted = self.at
            raise self.error(
                self.at, f"the operation that begins here does not end within {LONGEST >> 20} MiB"
            )
        self.at, self._counted = 0, 0
        # As much again as is in memory, so that rescanning a long operation stays cheap.
        wanted = max(BLOCK, len(rest))
        pieces = [rest]
        while wanted and (piece := self._source.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        self.data = b"".join(pieces)
        return len(pieces) > 1

    def drop(self) -> None:
        """Drop the unprocessed rest: the end of a truncated history."""
        self.data = self.data[: self.at]

    def check(self) -> None:
        """Check that all processed bytes are UTF-8, even where the characters were not examined."""
        if not self.data.isascii():
            try:
                self.data[: self.at].decode()
            except UnicodeDecodeError as error:
                found = self.data[error.start]
                raise self.error(error.start, f"expected UTF-8, found the byte 0x{found:02x}") from None

    def line(self, at: int) -> int:
        """The line number at this position of the data."""
        if at < self._counted:
            return self._lines - self.data.count(b"\n", at, self._counted) + 1
        self._lines += self.data.count(b"\n", self._counted, at)
        self._counted = at
        return self._lines + 1

    def error(self, at: int, sentence: str) -> HistoryError:
        return HistoryError(f"{self.name}:{self.line(at)}: {sentence}")
