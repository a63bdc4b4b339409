"""stdout and stderr while a command runs: text is sanitized, and failed writes are noticed."""

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
    """A text stream whose output cannot control a terminal.

    may_fail: ignore failed writes. True for stderr, since the verdict goes to stdout.
    failure: the first error of a write. gone: the error was that the reader closed the pipe.
    """

    def __init__(self, stream: TextIO, *, may_fail: bool) -> None:
        self.stream = stream
        self.gone = False
        self._may_fail = may_fail
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        if text == "":  # click writes this to find out whether the stream takes text
            return 0
        with self._arriving():
            try:
                self.stream.write(printable(text))
            except UnicodeEncodeError:
                encoding = self.stream.encoding or "ascii"
                self.stream.write(printable(text).encode(encoding, "replace").decode(encoding))
        return len(text)

    def styled(self, text: str, style: str) -> None:
        """Writes the text, sanitized like any other, in a style of the terminal (as ANSI has it: "1;31")."""
        with self._arriving():
            self.stream.write(f"\x1b[{style}m{printable(text)}\x1b[0m")

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
        raise OutputError(f"cannot write to stdout: {failure.strerror}")

    def _drop(self) -> None:
        """Send what follows to /dev/null: flushing at exit would fail again."""
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def safe_streams() -> Iterator[tuple[SafeStream, SafeStream]]:
    """stdout and stderr, replaced until the end of the `with`."""
    before = sys.stdout, sys.stderr
    out, err = SafeStream(before[0], may_fail=False), SafeStream(before[1], may_fail=True)
    sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = before


def open_streams() -> bool:
    """Open /dev/null in place of a closed stdin, stdout or stderr, so that no other file gets its
    descriptor. False if stdout was closed: no verdict could be printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    is_open = sys.stdout is not None
    for number, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    return is_open
