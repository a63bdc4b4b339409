"""Reads a history while it is being written, which uses the time in which clients wait for their database."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from txfuzz.history.byte_source import open_file
from txfuzz.history.model import History
from txfuzz.history.reader import Reader, read_history

BATCH = 1 << 16  # bytes to read at a time: about a millisecond
MOST = 1 << 27  # bytes of a history to read during the run, which bounds memory


class HistoryTail:
    """A history that a recorder is writing, one operation per line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._reader: Reader | None = None
        self._over = False  # no more is read before `history`
        self._taken = 0  # bytes that the reader has
        self._allowed = 0  # bytes that it may have now

    def read_some(self, written: int) -> bool:
        """Read a batch if enough has been written since the last one; whether it did.

        written: bytes of complete operations so far. Never raises: errors are left to `history`.
        """
        if self._over or written - self._taken < BATCH or written > MOST:
            return False
        self._allowed = BATCH
        try:
            reader = self._opened()
            while reader.read_on():
                pass
            if reader.cut_off:  # by the end of the batch, and not of the history
                self._forget()
        except Exception:
            self._forget()
        return not self._over

    def history(self) -> History:
        """The complete history, after the run. Raises what `read_history` raises."""
        reader, file = self._reader, self._file
        try:
            if reader and file and os.path.samestat(os.stat(self.path), os.fstat(file.fileno())):
                self._allowed = sys.maxsize
                return reader.history()
        except Exception:
            pass  # reading from the start reports the error
        finally:
            self._forget()
        return read_history(self.path)

    def read(self, size: int) -> bytes:
        """For the reader: the next bytes; of a batch only complete lines."""
        if self._file is None or not self._allowed:
            return b""
        data = self._file.read(min(size, self._allowed))
        if len(data) == self._allowed:
            end = data.rfind(b"\n") + 1
            self._file.seek(end - len(data), os.SEEK_CUR)
            self._over = not end  # an operation longer than a batch
            self._allowed, data = 0, data[:end]
        else:
            self._allowed -= len(data)
        self._taken += len(data)
        return data

    def _opened(self) -> Reader:
        if self._reader is None:
            self._file = open_file(self.path)
            self._reader = Reader(self, str(self.path))
        return self._reader

    def _forget(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._reader = None
        self._over = True
