"""The bytes of a history: from a file, plain or compressed, or from memory, a piece at a time."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from typing import IO, Protocol

from txfuzz.errors import HistoryError

GZIP = b"\x1f\x8b"  # the first bytes of a compressed file


class Source(Protocol):
    """Where a history comes from."""

    def read(self, size: int) -> bytes:
        """The next bytes, at most that many; nothing at the end."""


class GzipSource:
    """A compressed history. What a cut-off file still gives is read, and `warn` is told."""

    def __init__(self, file: Source, name: str, warn: Callable[[str], None]) -> None:
        self._file = file
        self._name = name
        self._warn = warn
        self._unpack = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._done = False

    def read(self, size: int) -> bytes:
        # Never more than asked for at a time: a small file can hold gigabytes.
        while not self._done:
            packed = self._packed or self._file.read(1 << 16)
            if self._unpack.eof:
                packed = packed.lstrip(b"\0")  # padding between members and behind the last one
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
                self._warn("the compressed file is cut off")
                self._done = True
        return b""


def open_file(path: str | os.PathLike[str]) -> IO[bytes]:
    """The file, or HistoryError saying why not."""
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise HistoryError(f"{os.fspath(path)}: {reason or error}") from None
