"""Records the history of a run: every operation gets its index and time and is written at once.

A line is written by one unbuffered call, so a killed run loses at most its last line, and a full disk loses
only the line that did not fit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from ctypes import PyDLL, c_char_p, c_int, c_size_t, c_ssize_t, get_errno
from errno import EINTR
from pathlib import Path
from typing import Any

from txfuzz.common.closeable import Closeable
from txfuzz.errors import OutputError
from txfuzz.execution.raw_transaction import RecordedMop
from txfuzz.history.writer import Mop, complete_line, event_line, invoke_line
from txfuzz.workload.generator import BoundTransaction

Append = Callable[[int, bytes], int]  # (file descriptor, data) → bytes written, or OSError


def appender() -> Append:
    """Like os.write(), but keeps the interpreter lock; os.write() itself if there is no C library.

    os.write() releases the lock for the microsecond that a line takes. With many clients, every release wakes
    one that waits for the lock, which costs both far more than the write.
    """
    try:
        write = PyDLL(None, use_errno=True).write
    except (OSError, AttributeError, TypeError):
        return os.write
    write.argtypes = (c_int, c_char_p, c_size_t)
    write.restype = c_ssize_t

    def append(file: int, data: bytes) -> int:
        while (written := write(file, data, len(data))) < 0:
            error = get_errno()
            if error != EINTR:
                raise OSError(error, os.strerror(error))
        return int(written)

    return append


append = appender()


# Windows would end lines in its own way
_AS_IT_IS: int = getattr(os, "O_BINARY", 0)


class Recorder(Closeable):
    """Writes one history. Thread-safe. OutputError if the file cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._index = 0
        self.written = 0  # bytes of whole operations
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _AS_IT_IS, 0o644)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
        self._start = time.perf_counter_ns()

    def now(self) -> int:
        """Nanoseconds since the start of the run."""
        return time.perf_counter_ns() - self._start

    def invoke(self, process: int, transaction: BoundTransaction, mops: Sequence[Mop]) -> None:
        with self._lock:
            self._write(
                invoke_line(
                    self._index,
                    process,
                    self.now(),
                    transaction.name,
                    transaction.numbers,
                    transaction.logical,
                    mops,
                    at=transaction.mode.endpoint,
                )
            )

    def complete(
        self, type: str, process: int, mops: Sequence[Mop], error: tuple[str, str] | None = None
    ) -> None:
        """type: "ok", "fail" or "info"; error: (code, phase) unless ok."""
        with self._lock:
            self._write(complete_line(self._index, type, process, self.now(), mops, error))

    def complete_seen(
        self, type: str, process: int, seen: Sequence[RecordedMop], error: tuple[str, str] | None = None
    ) -> None:
        """Like complete(), for transactions whose keys the invocation could not name."""
        with self._lock:
            self._write(
                complete_line(
                    self._index,
                    type,
                    process,
                    self.now(),
                    [each.mop for each in seen],
                    error,
                    steps=[each.step for each in seen],
                    logical=[each.logical for each in seen],
                )
            )

    def event(self, f: str, value: Any) -> None:
        """Record an event that is not a transaction; checkers ignore it."""
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
                f"{self.path}: {error.strerror}; the first {self._index:,} operations are written"
            ) from None
        self.written += len(line)
        self._index += 1

    def _cut_back(self) -> None:
        """Remove a partial line."""
        try:
            os.ftruncate(self._file, self.written)
        except OSError:
            return  # readers tolerate a partial last line

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class HistoryFile(Closeable):
    """Keeps a history file open, so that its contents can be saved if it is moved or deleted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY | _AS_IT_IS)

    def gone(self) -> bool:
        """Was the file moved, deleted or replaced?"""
        try:
            return not os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except OSError:
            return True

    def loss(self) -> OutputError | None:
        """None if the file is still there; otherwise an error that says where it was moved or copied to. Call
        it when writing is finished."""
        if not self.gone():
            return None
        said = f"{self.path.parent}: the directory disappeared during the run"
        if os.fstat(self._file).st_nlink:
            return OutputError(f"{said}; the history was moved to {self._name()}")
        try:
            copy = self._copy()
        except OSError as error:
            return OutputError(f"{said}, and the history could not be saved elsewhere: {error.strerror}")
        return OutputError(f"{said}; the recorded history was saved as {copy}")

    def _name(self) -> str:
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/self/fd/{self._file}")
        return "an unknown path"

    def _copy(self) -> str:
        target, name = tempfile.mkstemp(prefix="txfuzz-history-", suffix=".edn")
        with open(self._file, "rb", closefd=False) as source, open(target, "wb") as copy:
            source.seek(0)
            shutil.copyfileobj(source, copy)
        return name

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
