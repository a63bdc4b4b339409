"""The piece of a history that is in memory: a window of bytes that moves along the file."""

from __future__ import annotations

from txfuzz.errors import HistoryError
from txfuzz.history.byte_source import Source

BLOCK = 1 << 20
LONGEST = 1 << 28  # bytes of one operation


class Window:
    """data: the bytes in memory. at: how far they have been understood."""

    def __init__(self, source: Source, name: str) -> None:
        self.name = name
        self.data = b""
        self.at = 0
        self._source = source
        self._counted = 0  # so far lines have been counted in the data
        self._lines = 0  # before that

    def more(self) -> bool:
        """Let go of what has been understood and read on; whether there was more."""
        self.check()
        self._lines = self.line(self.at) - 1
        rest = self.data[self.at :]
        if len(rest) > LONGEST:
            self._counted = self.at
            raise self.error(self.at, f"what begins here does not end within {LONGEST >> 20} MiB")
        self.at, self._counted = 0, 0
        # As much again as there is: looking at a long operation anew each time stays cheap.
        wanted = max(BLOCK, len(rest))
        pieces = [rest]
        while wanted and (piece := self._source.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        self.data = b"".join(pieces)
        return len(pieces) > 1

    def drop(self) -> None:
        """Let go of what has not been understood: it is the end of a history that was cut off."""
        self.data = self.data[: self.at]

    def check(self) -> None:
        """All that has been understood must be UTF-8, also where nobody looked at the characters."""
        if not self.data.isascii():
            try:
                self.data[: self.at].decode()
            except UnicodeDecodeError as error:
                found = self.data[error.start]
                raise self.error(error.start, f"expected UTF-8, found the byte 0x{found:02x}") from None

    def line(self, at: int) -> int:
        """The number of the line at that place of the data."""
        if at < self._counted:
            return self._lines - self.data.count(b"\n", at, self._counted) + 1
        self._lines += self.data.count(b"\n", self._counted, at)
        self._counted = at
        return self._lines + 1

    def error(self, at: int, sentence: str) -> HistoryError:
        return HistoryError(f"{self.name}:{self.line(at)}: {sentence}")
