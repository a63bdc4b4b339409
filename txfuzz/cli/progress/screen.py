"""A screen that stands in the terminal while a command runs.

It has the terminal's alternate screen, as editors have: its size is the terminal's from start to end, nothing
scrolls above it, and at the end the terminal is as it was, followed by what was said meanwhile. What other
code prints while it stands becomes a message on it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from txfuzz.cli.progress.panel import LEAST_COLUMNS, LEAST_LINES, panel
from txfuzz.cli.progress.taken import note_taken
from txfuzz.common.sanitize import one_line
from txfuzz.report.text.status import Frame, Row, clock

if TYPE_CHECKING:
    from rich.live import Live

_REDRAWS = 4  # per second
_KEPT = 1000  # messages


def doing(title: str, what: str) -> Callable[[float], Frame]:
    """The frame of a command of which nothing is known yet, but what it is doing."""
    return lambda seconds: Frame(title, [Row("time", clock(seconds)), Row("now", what)])


def has_room() -> bool:
    """Is stderr a terminal in which a screen can stand, is it large enough, and ours at the moment?"""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return False
    if not _in_foreground():
        return False
    if "utf" not in (sys.stderr.encoding or "").lower():
        return False
    size = shutil.get_terminal_size()
    return size.columns >= LEAST_COLUMNS and size.lines >= LEAST_LINES


def _in_foreground() -> bool:
    """Not so for `txfuzz run &`, which must not cover what its user does meanwhile."""
    if sys.platform == "win32":  # which has no jobs
        return True
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
    except (OSError, ValueError):  # it controls no process, or is no file
        return True


class Screen:
    """frame: makes what it shows, from the seconds since it began; it is called by a thread."""

    def __init__(self, frame: Callable[[float], Frame]) -> None:
        self.frame = frame
        self.standing = False
        self._began = time.monotonic()
        self._messages: dict[str, str] = {}  # → when they were said
        self._live: Live | None = None
        self._before: tuple[TextIO, TextIO] | None = None
        self._closing = threading.Lock()
        self._on_suspension: Any = None  # what was done before

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def open(self) -> None:
        """Take the terminal, unless it has no room."""
        if not has_room():
            return
        from rich.console import Console
        from rich.live import Live

        # Not the sanitizing stream: the screen moves the cursor. Texts are sanitized one by one
        console = Console(file=getattr(sys.stderr, "stream", sys.stderr))
        self._live = Live(
            console=console,
            screen=True,
            refresh_per_second=_REDRAWS,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=lambda: panel(self.frame(self.seconds), self.messages, console),
        )
        note_taken(True)
        self.standing = True
        self._live.start(refresh=True)
        self._before = sys.stdout, sys.stderr
        sys.stderr = cast(TextIO, _Caught(sys.stderr, self.say))
        if sys.stdout.isatty():
            sys.stdout = cast(TextIO, _Caught(sys.stdout, self.say))
        if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
            self._on_suspension = signal.signal(signal.SIGTSTP, self._suspend)

    def say(self, line: str) -> None:
        """Show a message, which is printed again when the screen is gone. Safe in a signal handler."""
        text = one_line(line).strip()
        if text and text not in self._messages and len(self._messages) < _KEPT:
            self._messages[text] = clock(self.seconds)

    def _suspend(self, number: int, where: object) -> None:
        """Ctrl-Z: give the terminal back, stop, and take it again if `fg` goes on, and not `bg`."""
        if sys.platform == "win32":
            return
        live = self._live
        if live is not None:
            live.stop()
        os.kill(os.getpid(), signal.SIGSTOP)
        if live is not None and live is self._live:
            if _in_foreground():
                live.start(refresh=True)
            else:
                self.close()

    def close(self) -> None:
        """Give the terminal back, and print what was said."""
        if sys.platform != "win32":
            in_main = threading.current_thread() is threading.main_thread()
            if self._on_suspension is not None and in_main:
                signal.signal(signal.SIGTSTP, self._on_suspension)
                self._on_suspension = None
        with self._closing:
            if self._live is None:
                return
            live, self._live = self._live, None
        try:
            live.stop()
        finally:
            self.standing = False
            if self._before is not None:
                sys.stdout, sys.stderr = self._before
            note_taken(False)
        if not self._messages:
            return
        from txfuzz.cli.terminal import wrapped

        for text in self._messages:
            for line in wrapped(text, sys.stderr):
                sys.stderr.write(f"{line}\n")
        self._messages.clear()
        sys.stderr.flush()

    def shrunk(self) -> bool:
        """Has the terminal become too small since? Then it is given back."""
        if self._live is None or has_room_in(self._live.console.size):
            return False
        self.close()
        return True

    @property
    def messages(self) -> list[str]:
        """With the times at which they were said."""
        return [f"{at}  {text}" for text, at in list(self._messages.items())]


@contextmanager
def unless(unwanted: bool, screen: Screen) -> Iterator[Screen]:
    """The screen, until the end of the `with`; it never stands if it is unwanted."""
    try:
        if not unwanted:
            screen.open()
        yield screen
    finally:
        screen.close()


def has_room_in(size: tuple[int, int]) -> bool:
    """size: columns and lines."""
    return size[0] >= LEAST_COLUMNS and size[1] >= LEAST_LINES


class _Caught:
    """In place of stdout or stderr while a screen stands: whole lines become messages."""

    def __init__(self, stream: TextIO, say: Callable[[str], None]) -> None:
        self._stream, self._say = stream, say
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._say(line)
        return len(text)

    def styled(self, text: str, style: str) -> None:
        self.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
