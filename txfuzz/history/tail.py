"""Reading a history while it is being written.

What is read while the clients wait for their database nobody has to wait for after the run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from txfuzz.history.byte_source import open_file
from txfuzz.history.model import History
from txfuzz.history.reader import Reader, read_history

BATCH = 1 << 16  # bytes that are read at a time, once there are so many: a millisecond
MOST = 1 << 27  # bytes of a history: from there on it is left until the run is over, and memory stays flat


class HistoryTail:
    """The history that a recorder writes to the path, each operation a line of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._reader: Reader | None = None
        self._over = False  # no more is read before `history`
        self._taken = 0  # bytes that the reader has
        self._allowed = 0  # bytes that it may have now

    def read_some(self, written: int) -> bool:
        """Read a batch, if so many bytes have been written since the last one; whether it did.

        written: bytes of whole operations so far. Never raises: `history` will.
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
        """All of it, once it has been written. Raises what `read_history` raises."""
        reader, file = self._reader, self._file
        try:
            if reader and file and os.path.samestat(os.stat(self.path), os.fstat(file.fileno())):
                self._allowed = sys.maxsize
                return reader.history()
        except Exception:
            pass  # whatever it was: one reading from the first line on finds the words for it
        finally:
            self._forget()
        return read_history(self.path)

    def read(self, size: int) -> bytes:
        """For the reader: the next bytes, of a batch only whole lines."""
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
