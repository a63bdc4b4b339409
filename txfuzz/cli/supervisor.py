"""The command runs in a child process, and its exit code counts only where the command has said it.

Code of plugins, and the libraries beneath it, may end a process with any code at any time, which no
`except` sees. The command says its code over a pipe when it has come to its end; a process that ends
without having said one has not, whatever it ended with.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from txfuzz.errors import ExitCode

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LEAVING = 3.0  # seconds that a process gets to end after it has said its code
_TRACE = 400  # bytes of what the child was doing
_PR_SET_PDEATHSIG = 1


def supervised(work: Callable[[], int]) -> NoReturn:
    """Do the work in a child process, pass signals on to it, and end as it has ended."""
    reading, writing = os.pipe()
    doing = os.memfd_create("txfuzz-doing", os.MFD_CLOEXEC)
    passed_on = {number for number in ENDING_SIGNALS if signal.getsignal(number) != signal.SIG_IGN}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*passed_on, signal.SIGCHLD})
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _die_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _note_calls(doing)
        _say_when_giving_up(writing)
        code = int(work())
        os.write(writing, bytes([code]))
        _leave(code)
    os.close(writing)
    with contextlib.suppress(BaseException):
        os._exit(_outcome(_wait(child, passed_on), reading, doing))
    os._exit(ExitCode.INTERNAL)


def _wait(child: int, passed_on: set[signal.Signals]) -> int:
    """The status with which the child ended. Signals go on to it, but for those of the terminal, which
    every process in the foreground gets by itself."""
    while True:
        got = signal.sigwaitinfo({*passed_on, signal.SIGCHLD})
        if got.si_signo != signal.SIGCHLD:
            if got.si_code <= 0:  # by kill(); the kernel's own are positive
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, got.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status


def _outcome(status: int, reading: int, doing: int) -> int:
    """The exit code, where there is one; a process that a signal ended ends this one, too."""
    os.set_blocking(reading, False)
    with contextlib.suppress(BlockingIOError):
        if said := os.read(reading, 1):
            return said[0]
    what = os.pread(doing, _TRACE, 0).rstrip(b"\0").decode("utf-8", "replace")
    during = f" during {what}" if what else ""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        _say(f"ended by {signal.Signals(number).name}{during}")
        _end_by(number)
    _say(
        f"the process ended{during} with exit code {os.waitstatus_to_exitcode(status)} before the command "
        "had come to its end: a plugin, or a library that it uses, has ended it"
    )
    return ExitCode.USAGE


def _end_by(number: int) -> NoReturn:
    """As whoever started us expects it: by the same signal, without a second core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _say(sentence: str) -> None:
    from txfuzz.common.sanitize import one_line

    with contextlib.suppress(OSError, ValueError):
        print(f"txfuzz: {one_line(sentence)}", file=sys.stderr, flush=True)


def _die_with(parent: int) -> None:
    """Nobody would be told how a command ends whose parent was killed."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(ExitCode.INTERNAL)


def _note_calls(doing: int) -> None:
    """Leave a trace of which plugin has the word, for whoever finds this process dead."""
    from txfuzz.plugin import bounded_call as calling

    def note(what: str) -> None:
        os.pwrite(doing, what.encode("utf-8", "replace")[:_TRACE].ljust(_TRACE, b"\0"), 0)

    calling.noted_by(note)


def _say_when_giving_up(writing: int) -> None:
    """An end that waits for nothing is one that the command has come to."""
    from txfuzz.cli import interruption

    def end(code: int) -> None:
        os.write(writing, bytes([code]))
        os._exit(code)

    interruption.ends_by(end)


def _leave(code: int) -> NoReturn:
    """End; no thread that somebody has left behind keeps the process."""

    def at_last() -> None:
        time.sleep(_LEAVING)
        os._exit(code)

    threading.Thread(target=at_last, name="leaving", daemon=True).start()
    here = threading.current_thread()
    if any(each is not here and not each.daemon for each in threading.enumerate()):
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)
