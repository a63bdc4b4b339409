"""A directory for the data and the socket of a server of our own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from txfuzz.database.embedded.account import Account
from txfuzz.errors import DatabaseUnavailable

SOCKET_BYTES = 103  # the smallest limit of the supported systems, less its final zero


def make_directory(account: Account, prefix: str, socket: str, *, separator: str = "") -> Path:
    """A new directory, 0700 and the account's own, whose path is fit for a unix socket.

    prefix: of its name. socket: the longest name that a socket in it may have. separator: a
    character that the path may not contain.
    """
    tried = []
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")):
        longest = Path(base).absolute() / (prefix + "12345678") / socket
        if len(os.fsencode(longest)) > SOCKET_BYTES:
            tried.append(f"{base} is too long a path for a socket")
        elif separator and separator in base:
            tried.append(f"{base} has {separator!r} in it")
        elif not account.can_enter(Path(base)):
            tried.append(f"{base} is closed to uid {account.uid}")
        else:
            try:
                directory = Path(tempfile.mkdtemp(prefix=prefix, dir=base)).absolute()
            except OSError as error:
                tried.append(str(error))
                continue
            account.own(directory)
            return directory
    raise DatabaseUnavailable("no place for the data of an embedded server: " + "; ".join(tried))
