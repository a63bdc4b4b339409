"""What a process has at hand that a database may have left behind: threads, files, children."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path


def left_behind(before: dict[str, int], patience: float) -> str:
    """What there is more of than before, in words; empty when nothing is.

    patience: seconds that what was asked to end may take for it.
    """
    until = time.monotonic() + patience
    while True:
        now = held()
        more = [f"{now[what] - count} more {what}" for what, count in before.items() if now[what] > count]
        if not more or time.monotonic() > until:
            return ", ".join(more)
        time.sleep(0.02)


def held() -> dict[str, int]:
    """How many threads, open files and child processes this process has, as far as the system tells."""
    found = {"threads": threading.active_count()}
    files = Path("/proc/self/fd")
    if files.is_dir():
        found["open files"] = len(os.listdir(files))
    children = list(Path("/proc/self/task").glob("*/children"))
    if children:
        found["child processes"] = sum(len(_words(path)) for path in children)
    return found


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:  # the thread has ended
        return []
