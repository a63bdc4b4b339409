"""stdout and stderr while a command runs: what goes there is harmless, and whether it arrives is known."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from txfuzz.common.sanitize import printable
from txfuzz.errors import OutputError


class SafeStream:
    """A stream of text that does nothing to a terminal.

    may_fail: is it stderr, which may be full or gone: the verdict goes another way, so that is passed over.
    failure: why it takes no more, once it has not; gone: because whoever read it has gone.
    """

    def __init__(self, stream: TextIO, *, may_fail: bool) -> None:
        self.stream = stream
        self.gone = False
        self._may_fail = may_fail
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        if text == "":  # so click asks whether it is a stream of text
            return 0
        with self._arriving():
            try:
                self.stream.write(printable(text))
            except UnicodeEncodeError:
                encoding = self.stream.encoding or "ascii"
                self.stream.write(printable(text).encode(encoding, "replace").decode(encoding))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with self._arriving():
            self.stream.flush()

    @contextmanager
    def _arriving(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            self._drop()
        failure = self.failure
        if failure is None or self._may_fail:
            return
        if isinstance(failure, BrokenPipeError):
            self.gone = True
            raise failure
        raise OutputError(f"the output cannot be written: {failure.strerror}")

    def _drop(self) -> None:
        """Nothing more goes there, which would fail again when it is flushed in the end."""
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def safe_streams() -> Iterator[tuple[SafeStream, SafeStream]]:
    """stdout and stderr, until the end of the `with`."""
    before = sys.stdout, sys.stderr
    out, err = SafeStream(before[0], may_fail=False), SafeStream(before[1], may_fail=True)
    sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = before


def open_streams() -> bool:
    """Put /dev/null where stdin, stdout or stderr were closed before us, so that no file takes their
    numbers. False where stdout was: no verdict could be said."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
    there = sys.stdout is not None
    for number, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    return there
