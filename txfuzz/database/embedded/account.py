"""The account and directory of an embedded server, which never runs as root but as `nobody`."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from txfuzz.errors import DatabaseUnavailable

UNPRIVILEGED = "nobody"
SOCKET_BYTES = 103  # the smallest limit of the supported systems, without the final zero


@dataclass(frozen=True, slots=True)
class Account:
    """uid, gid: of the server process. drops: whether they differ from ours."""

    uid: int
    gid: int
    drops: bool

    @property
    def has_name(self) -> bool:
        """Whether the uid has an account, which some programs need."""
        if sys.platform == "win32":
            return True
        import pwd

        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            return False
        return True

    def can_enter(self, directory: Path) -> bool:
        """Whether the server could work in this directory."""
        if not self.drops:
            return os.access(directory, os.X_OK)
        try:
            return all(self._may_search(each.stat()) for each in (directory, *directory.parents))
        except OSError:
            return False

    def _may_search(self, found: os.stat_result) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)

    def own(self, path: Path) -> None:
        """Make the server the owner of a file or directory."""
        if self.drops and sys.platform != "win32":
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def require_linux(product: str) -> None:
    """Embedded servers need what only Linux has, above all a way to end with the process that started them.

    product: for messages. Raises DatabaseUnavailable on other systems.
    """
    if sys.platform != "linux":
        raise DatabaseUnavailable(
            f"{product}: an embedded server runs on Linux only; give the URL of a server with --database-url"
        )


def our_account() -> Account:
    """That of this process. Windows has no numbers for it; nothing there uses them."""
    if sys.platform == "win32":
        return Account(-1, -1, drops=False)
    return Account(os.geteuid(), os.getegid(), drops=False)


def server_account(product: str) -> Account:
    """Our own account, or `nobody` if we are root. product: for messages. Raises DatabaseUnavailable."""
    require_linux(product)
    if sys.platform == "win32" or os.geteuid() != 0:
        return our_account()
    import pwd

    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise DatabaseUnavailable(
            f"{product} cannot run as root and there is no account {UNPRIVILEGED!r} to run it as; "
            "run txfuzz as an ordinary user or give the URL of a server"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, drops=True)


def make_server_directory(account: Account, prefix: str, socket: str, *, separator: str = "") -> Path:
    """A new directory, owned by the account with mode 0700, whose path is short enough for a unix socket.

    prefix: of its name. socket: the longest name of a socket in it. separator: a character that the path
    must not contain.
    """
    tried = []
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")):
        longest = Path(base).absolute() / (prefix + "12345678") / socket
        if len(os.fsencode(longest)) > SOCKET_BYTES:
            tried.append(f"{base} is too long a path for a socket")
        elif separator and separator in base:
            tried.append(f"{base} contains {separator!r}")
        elif not account.can_enter(Path(base)):
            tried.append(f"{base} is not accessible to uid {account.uid}")
        else:
            try:
                directory = Path(tempfile.mkdtemp(prefix=prefix, dir=base)).absolute()
            except OSError as error:
                tried.append(str(error))
                continue
            account.own(directory)
            return directory
    raise DatabaseUnavailable("no directory for the data of an embedded server: " + "; ".join(tried))
