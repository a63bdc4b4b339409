"""A terminal of a given size for commands, emulated, so that a test sees what a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyte

_SWITCH = re.compile(rb"\x1b\[\?1049([hl])")
_HOME = re.compile(rb"(?=\x1b\[H)")  # every drawing begins there
_INCOMPLETE = re.compile(rb"\x1b[^A-Za-z]*$")


class Emulated:
    """The terminal's two screens. frames: what its alternate one showed, each time that it had been drawn.
    taken: when that was entered first, in seconds; alternate: is it the one that is shown?"""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._began = time.monotonic()
        self._screens = [pyte.HistoryScreen(columns, lines, history=5000) for _ in range(2)]
        for each in self._screens:
            each.set_mode(pyte.modes.LNM)
        self._streams = [pyte.ByteStream(each) for each in self._screens]
        self._rest = b""
        self.alternate = False
        self.taken: float | None = None
        self.frames: list[list[str]] = []
        self.times: list[float] = []
        self.raw = b""

    def feed(self, data: bytes) -> None:
        self.raw += data
        data = self._rest + data
        cut = _INCOMPLETE.search(data)
        self._rest = data[cut.start() :] if cut else b""
        data = data[: cut.start()] if cut else data
        for place, part in enumerate(_SWITCH.split(data)):
            if place % 2:
                self.alternate = part == b"h"
                if self.alternate and self.taken is None:
                    self.taken = time.monotonic() - self._began
                continue
            for drawing in _HOME.split(part) if self.alternate else [part]:
                if drawing.startswith(b"\x1b[H"):
                    self._keep()
                self._streams[self.alternate].feed(drawing)

    def _keep(self) -> None:
        """What has been drawn is complete: the next drawing begins."""
        if any(map(str.strip, self.shown)):
            self.frames.append(self.shown)
            self.times.append(time.monotonic() - self._began)

    def resize(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        for each in self._screens:
            each.resize(lines, columns)

    @property
    def shown(self) -> list[str]:
        """The lines of the screen that is shown."""
        return [line.rstrip() for line in self._screens[self.alternate].display]

    @property
    def above(self) -> int:
        """Lines that have scrolled off the alternate screen."""
        return len(self._screens[1].history.top)

    @property
    def printed(self) -> str:
        """All that the normal screen has got, with what has scrolled off it."""
        screen = self._screens[0]
        above = ["".join(line[at].data for at in range(screen.columns)) for line in screen.history.top]
        return "\n".join(line.rstrip() for line in (*above, *screen.display)).rstrip()


@dataclass
class Ended:
    code: int
    terminal: Emulated
    seconds: float


@dataclass
class Command:
    """arguments: of txfuzz. at: seconds → what is done to the terminal then, with its file descriptor and the
    process."""

    arguments: Sequence[str]
    directory: Path
    size: tuple[int, int] = (80, 24)
    environment: Mapping[str, str] = field(default_factory=dict)
    program: Sequence[str] = (sys.executable, "-m", "txfuzz")

    def run(
        self, watch: Callable[[Emulated, int, int], None] = lambda *_: None, seconds: float = 120
    ) -> Ended:
        """watch: is called with the terminal, its descriptor and the process whenever something came."""
        master, slave = pty.openpty()
        set_size(slave, *self.size)
        modes = termios.tcgetattr(slave)
        modes[3] &= ~termios.ECHO  # what a test types is not to be shown
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        unwanted = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if name not in unwanted}
        environment = {**kept, "TERM": "xterm-256color", **self.environment}
        terminal, began = Emulated(*self.size), time.monotonic()
        process = subprocess.Popen(
            [*self.program, *self.arguments],
            cwd=self.directory, env=environment, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        try:
            while time.monotonic() - began < seconds:
                ready, _, _ = select.select([master], [], [], 0.2)
                try:
                    data = os.read(master, 1 << 16) if ready else b""
                except OSError:  # the other end is closed
                    break
                if ready and not data:
                    break
                if data:
                    terminal.feed(data)
                watch(terminal, master, process.pid)
            return Ended(process.wait(20), terminal, time.monotonic() - began)
        finally:
            process.kill()
            process.wait()
            os.close(master)


def set_size(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
