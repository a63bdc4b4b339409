"""The history as it happens: every operation gets its index and time, and goes to disk at once.

A line is written by one unbuffered call, so a killed run loses at most its last line, and a
full disk loses the line that did not fit.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from txfuzz.common.closeable import Closing
from txfuzz.errors import OutputError
from txfuzz.execution.file_append import append
from txfuzz.execution.raw_transaction import Seen
from txfuzz.history.writer import Mop, complete_line, event_line, invoke_line
from txfuzz.workload.generator import Asked


def seen_line(
    index: int,
    type: str,
    process: int,
    time: int,
    seen: Sequence[Seen],
    error: tuple[str, str] | None = None,
) -> bytes:
    """The completion of a transaction whose keys are known only now; see `complete_line`."""
    return complete_line(
        index,
        type,
        process,
        time,
        [each.mop for each in seen],
        error,
        steps=[each.step for each in seen],
        logical=[each.logical for each in seen],
    )


class Recorder(Closing):
    """Writes one history; any thread may record. OutputError where the file takes no more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._index = 0
        self.written = 0  # bytes of whole operations
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
        self._start = time.perf_counter_ns()

    def now(self) -> int:
        """Nanoseconds since the start of the run."""
        return time.perf_counter_ns() - self._start

    def invoke(self, process: int, asked: Asked, mops: Sequence[Mop]) -> None:
        with self._lock:
            self._write(
                invoke_line(self._index, process, self.now(), asked.name, asked.numbers, asked.logical, mops)
            )

    def complete(
        self, type: str, process: int, mops: Sequence[Mop], error: tuple[str, str] | None = None
    ) -> None:
        """type: "ok", "fail" or "info"; error: (code, phase) where it is not ok."""
        with self._lock:
            self._write(complete_line(self._index, type, process, self.now(), mops, error))

    def complete_seen(
        self, type: str, process: int, seen: Sequence[Seen], error: tuple[str, str] | None = None
    ) -> None:
        """As complete(), where the invocation has not said which keys it would be about."""
        with self._lock:
            self._write(seen_line(self._index, type, process, self.now(), seen, error))

    def event(self, f: str, value: Any) -> None:
        """Something that happened beside the transactions; checkers ignore it."""
        with self._lock:
            self._write(event_line(self._index, self.now(), f, value))

    def _write(self, line: bytes) -> None:
        try:
            written = append(self._file, line)
            while written < len(line):
                written += append(self._file, line[written:])
        except OSError as error:
            self._cut_back()
            raise OutputError(
                f"{self.path}: {error.strerror}; the {self._index:,} operations before are written"
            ) from None
        self.written += len(line)
        self._index += 1

    def _cut_back(self) -> None:
        """Leave no half line behind."""
        try:
            os.ftruncate(self._file, self.written)
        except OSError:
            return  # readers put up with a torn last line

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
