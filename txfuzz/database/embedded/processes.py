"""Signals to the processes of an embedded server."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from txfuzz.errors import DatabaseUnavailable


def server_processes(server: int) -> list[int]:
    """The server's processes, the main one last; only that one if the system lists no children."""
    if sys.platform != "win32":
        from txfuzz.database.embedded.keeper import children_of

        return [*children_of(server), server]
    return [server]


def kill_all(server: int, seconds: float) -> int:
    """kill -9 all of them, practically at once, and wait until they are gone; how many.

    The main process is suspended first: otherwise it would treat the first death as a crash and shut the
    others down, or start new ones meanwhile. A remaining process would block the shared memory of the next
    server.
    """
    if sys.platform == "win32":
        raise NotImplementedError
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
    """Whether the process exists and is not a zombie."""
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
    if sys.platform == "win32":
        raise NotImplementedError
    return send(pids, signal.SIGSTOP)


def resume_processes(pids: Iterable[int]) -> int:
    if sys.platform == "win32":
        raise NotImplementedError
    return send(pids, signal.SIGCONT)


def send(pids: Iterable[int], number: int) -> int:
    """Send a signal; how many processes received it."""
    reached = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            reached += 1
    return reached
