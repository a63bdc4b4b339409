"""The lock of a directory: held by an open file, and given up when that is closed or the process ends."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def hold(file: IO[bytes]) -> bool:
        """Lock it for this process alone; False if another process holds it."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def is_held(file: IO[bytes]) -> bool:
        """Whether a process holds it. file: opened for reading; nothing is locked afterwards."""
        if not hold(file):
            return True
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return False
else:
    import fcntl

    def hold(file: IO[bytes]) -> bool:
        """Lock it for this process alone; False if another process holds it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_held(file: IO[bytes]) -> bool:
        """Whether a process holds it. file: opened for reading; nothing is locked after it is closed."""
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
