"""Append to a file without letting go of the interpreter's lock.

os.write() releases the lock for the microsecond that a line takes. With many clients every release
wakes one that waits for the lock, and that costs both of them far more than the line does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from ctypes import PyDLL, c_char_p, c_int, c_size_t, c_ssize_t, get_errno
from errno import EINTR

Append = Callable[[int, bytes], int]  # (file descriptor, data) → bytes written, or OSError


def appender() -> Append:
    """As os.write(), and that itself where the C library is not to be had."""
    try:
        write = PyDLL(None, use_errno=True).write
    except (OSError, AttributeError, TypeError):
        return os.write
    write.argtypes = (c_int, c_char_p, c_size_t)
    write.restype = c_ssize_t

    def append(file: int, data: bytes) -> int:
        while (written := write(file, data, len(data))) < 0:
            error = get_errno()
            if error != EINTR:
                raise OSError(error, os.strerror(error))
        return int(written)

    return append


append = appender()
