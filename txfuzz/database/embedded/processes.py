"""Signals to the processes of a server of our own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from txfuzz.database.embedded.keeper import children_of
from txfuzz.errors import DatabaseUnavailable


def server_processes(server: int) -> list[int]:
    """The server's processes, the first one last. Only it where the system names no children."""
    return [*children_of(server), server]


def kill_all(server: int, seconds: float) -> int:
    """kill -9 of them all, as good as at once, and wait until they are gone; how many.

    The first process is stopped first: else it would take the death of the first child for a crash
    and have the others shut down in order, or start new ones while we look. A process that lingers
    would keep the next server from its shared memory.
    """
    send([server], signal.SIGSTOP)
    pids = server_processes(server)
    killed = send(pids, signal.SIGKILL)
    until = time.monotonic() + seconds
    while any(map(lives, pids)):
        if time.monotonic() > until:
            raise DatabaseUnavailable(f"the server (process {server}) survived kill -9")
        time.sleep(0.002)
    return killed


def lives(pid: int) -> bool:
    """Not when it is dead and only waits for its parent to notice."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as found:
            return found.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        if os.path.isdir("/proc/self"):
            return False
    except OSError:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pause_processes(pids: Iterable[int]) -> int:
    return send(pids, signal.SIGSTOP)


def resume_processes(pids: Iterable[int]) -> int:
    return send(pids, signal.SIGCONT)


def send(pids: Iterable[int], number: int) -> int:
    """How many of them were still there."""
    reached = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            reached += 1
    return reached
