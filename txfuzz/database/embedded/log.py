"""Why a server of our own did not start: what its log says about that, in one line."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

_NUMBERED = re.compile(r"\berror:? (\d+)\b")
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


def reason_in(log: Path, error: re.Pattern[str], *, first: bool) -> str:
    """The error that says most, else the last line; where a disk is full, where that is and what to do.

    error: what a line has that tells an error; its group, if it has one, is what is worth telling. Of
    several the first one with a reason of the operating system is the cause of the others; of those
    without any, the `first` one or the last one. Servers run with LC_ALL=C: the reasons are in English.
    """
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    errors = [_spelt(found[found.lastindex or 0]) for line in lines if (found := error.search(line))]
    causes = [each for each in errors if each.endswith(_REASONS)]
    fallback = (errors[:1] if first else errors[-1:]) or lines[-1:] or ["it left no message"]
    told = (causes or fallback)[0]
    if told.endswith(_FULL):
        told += f"; its files were in {log.parent}, and the environment variable TMPDIR names another place"
    return told


def _spelt(text: str) -> str:
    """`… failed with error 28` with that error in words at its end."""
    found = _NUMBERED.search(text)
    return f"{text}: {os.strerror(int(found[1]))}" if found and int(found[1]) in errno.errorcode else text


_REASONS = tuple(os.strerror(number) for number in errno.errorcode)
