"""The errors of txfuzz, grouped by what the caller can do about them, and the exit codes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    NOTHING_FOUND = 0  # the history is consistent with the expected model
    VIOLATED = 1  # the expected model is violated
    USAGE = 2  # the command line, a workload, a plugin, a history or an artefact is unusable
    UNKNOWN = 3  # no verdict: nothing committed, duplicate values, undecided
    UNAVAILABLE = 4  # no database could be reached or started, or it stopped answering
    INTERNAL = 70  # a bug in txfuzz
    INTERRUPTED = 130  # Ctrl-C, SIGTERM, SIGHUP; what was recorded is kept
    UNREAD = 141  # stdout was closed by its reader, as after SIGPIPE


class TxfuzzError(Exception):
    """Base of all errors that end a command with one sentence instead of a traceback."""

    exit_code = ExitCode.INTERNAL


class UsageError(TxfuzzError):
    """The user asked for something that cannot be done as asked."""

    exit_code = ExitCode.USAGE


class WorkloadError(UsageError):
    """A workload file that cannot be used; the message starts with file:line:column."""


class PluginError(UsageError):
    """A plugin that is missing, broken or clashes with another one.

    culprit: the object that caused the error, or its class, if the message does not name its plugin.
    """

    def __init__(self, message: str, culprit: object = None) -> None:
        super().__init__(message)
        self.culprit = culprit


class HistoryError(UsageError):
    """A history that cannot be read; the message starts with file:line."""


class OutputError(UsageError):
    """A file or directory that cannot be written."""


class DatabaseUnavailable(TxfuzzError):
    """The database could not be reached or started; nothing was sent to it."""

    exit_code = ExitCode.UNAVAILABLE


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error message: the closest known word, or else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return "none is known"
    return "known: " + ", ".join(names)
