"""`python other_system.py win32|darwin ARGUMENT…`: txfuzz with what that system lacks taken away.

This is no Windows: paths, files and sockets are those of the system it runs on. But code that reaches for
what is not there fails here as it would fail there.
"""

from __future__ import annotations

import asyncio  # noqa: F401
import ctypes  # noqa: F401
import importlib
import os
import sqlite3  # noqa: F401
import subprocess  # noqa: F401
import sys
import sysconfig
import tempfile  # noqa: F401
import types
from typing import Any

import click._termui_impl  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import numpy  # noqa: F401

# The imports above choose by the system when they are imported, and are not ours
LINUX_ONLY = {
    "os": "memfd_create MFD_CLOEXEC sched_getaffinity sched_setaffinity eventfd pidfd_open",
    "signal": "sigwaitinfo sigtimedwait SIGPOLL",
    "select": "epoll",
}
POSIX_ONLY = {
    "os": "fork forkpty geteuid getuid getegid getgid getppid kill killpg setsid setpgid setuid setgid "
    "setgroups chown lchown pread pwrite mkfifo uname getpgid nice statvfs",
    "signal": "SIGHUP SIGKILL SIGSTOP SIGCONT SIGQUIT SIGCHLD SIGPIPE SIGALRM pthread_sigmask sigwait alarm",
    "select": "poll",
    "socket": "AF_UNIX",
}
POSIX_MODULES = ("fcntl", "grp", "pwd", "resource", "termios", "tty")


def take_away(names: dict[str, str]) -> None:
    for module, lacking in names.items():
        for name in lacking.split():
            if hasattr(importlib.import_module(module), name):
                delattr(importlib.import_module(module), name)


def msvcrt() -> types.ModuleType:
    """The part of Windows' module that is used, on the locks of this system."""
    import fcntl

    def locking(file: int, mode: int, _bytes: int) -> None:
        fcntl.flock(file, mode)

    made: Any = types.ModuleType("msvcrt")
    made.locking, made.LK_NBLCK, made.LK_UNLCK = locking, fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN
    return made


def become(system: str) -> None:
    if system == "win32":
        sys.modules["msvcrt"] = msvcrt()
        take_away(POSIX_ONLY)
        for name in POSIX_MODULES:
            sys.modules[name] = None  # type: ignore[assignment]
        os.O_BINARY = 0  # type: ignore[attr-defined]
    take_away(LINUX_ONLY)
    sysconfig.get_config_vars()  # keeps what it finds by the system's name
    sys.platform = system


if __name__ == "__main__":
    become(sys.argv.pop(1))
    from txfuzz.cli import main

    main()
