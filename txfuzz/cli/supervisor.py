"""Runs the command in a child process and trusts an exit code only if the command reported it.

A plugin, or a library under it, may end the process at any time with any exit code, and no `except` would
notice. So the command writes its exit code to a pipe when it is done; a child that ends without
doing so did not finish, whatever its status.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from txfuzz.cli.interruption import ENDING_SIGNALS
from txfuzz.cli.leaving import leave
from txfuzz.errors import ExitCode

assert sys.platform == "linux"  # see main(): elsewhere there are no such children

_TRACE = 400  # bytes of the name of the last call into a plugin
_PR_SET_PDEATHSIG = 1
_TERMINAL_AS_BEFORE = b"\x1b[?1049l\x1b[?25h"  # the normal screen, with a cursor


def supervised(work: Callable[[], int]) -> NoReturn:
    """Do the work in a child process, forward signals to it, and end as it ends."""
    reading, writing = os.pipe()
    doing = os.memfd_create("txfuzz-doing", os.MFD_CLOEXEC)
    passed_on = {number for number in ENDING_SIGNALS if signal.getsignal(number) != signal.SIG_IGN}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*passed_on, signal.SIGCHLD, signal.SIGTSTP})
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _die_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _note_calls(doing)
        _note_screen(doing)
        _report_when_giving_up(writing)
        code = int(work())
        os.write(writing, bytes([code]))
        leave(code)
    os.close(writing)
    with contextlib.suppress(BaseException):
        os._exit(_outcome(_wait(child, passed_on), reading, doing))
    os._exit(ExitCode.INTERNAL)


def _wait(child: int, passed_on: set[signal.Signals]) -> int:
    """The wait status of the child. Forwards signals to it, except those from the terminal, which every
    process in the foreground gets by itself. Ctrl-Z suspends this process after the child, which gives the
    terminal back before; else the shell would write on its screen."""
    suspending = False
    while True:
        got = signal.sigwaitinfo({*passed_on, signal.SIGCHLD, signal.SIGTSTP})
        if got.si_signo == signal.SIGTSTP:
            suspending = True
        elif got.si_signo != signal.SIGCHLD:
            if got.si_code <= 0:  # sent with kill(); those of the kernel are positive
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, got.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
        if ended and not os.WIFSTOPPED(status):
            return status
        if ended and suspending:
            suspending = False
            os.kill(os.getpid(), signal.SIGSTOP)


def _outcome(status: int, reading: int, doing: int) -> int:
    """The exit code. If a signal ended the child, ends this process with the same signal."""
    _give_back_terminal(doing)
    os.set_blocking(reading, False)
    with contextlib.suppress(BlockingIOError):
        if reported := os.read(reading, 1):
            return reported[0]
    what = os.pread(doing, _TRACE, 0).rstrip(b"\0").decode("utf-8", "replace")
    during = f" during {what}" if what else ""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        _say(f"ended by {signal.Signals(number).name}{during}")
        _end_by(number)
    _say(
        f"the process exited with code {os.waitstatus_to_exitcode(status)}{during} before the command had "
        "finished: a plugin, or a library that it uses, ended it"
    )
    return ExitCode.USAGE


def _end_by(number: int) -> NoReturn:
    """End by the same signal, as the parent process expects, without writing a second core file."""
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
    """End with the parent: without it nobody would learn how the command ended."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(ExitCode.INTERNAL)


def _note_calls(doing: int) -> None:
    """Note each call into a plugin, so that the parent can say during which one this process died."""
    from txfuzz.plugin import bounded_call

    def note(what: str) -> None:
        os.pwrite(doing, what.encode("utf-8", "replace")[:_TRACE].ljust(_TRACE, b"\0"), 0)

    bounded_call.noted_by(note)


def _note_screen(doing: int) -> None:
    """Note while a screen stands, so that the parent can give the terminal back if this process dies."""
    from txfuzz.cli.progress import taken

    def note(has_it: bool) -> None:
        os.pwrite(doing, bytes([has_it]), _TRACE)

    taken.noted_by(note)


def _give_back_terminal(doing: int) -> None:
    if os.pread(doing, 1, _TRACE) == b"\1":
        with contextlib.suppress(OSError):
            os.write(2, _TERMINAL_AS_BEFORE)


def _report_when_giving_up(writing: int) -> None:
    """Giving up on cleaning up is a proper end of the command, too, so its code is reported."""
    from txfuzz.cli import interruption

    def end(code: int) -> None:
        os.write(writing, bytes([code]))
        os._exit(code)

    interruption.ends_by(end)
