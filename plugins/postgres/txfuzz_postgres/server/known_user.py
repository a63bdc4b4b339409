"""Run a program as if our uid had a name: `python -I -S known_user.py UID GID PROGRAM ARGUMENT…`.

initdb refuses to run under a uid unknown to the system, as in some containers. It works in a user
namespace in which our uid and gid appear as a pair with a name, and the files that it creates belong
to us. Linux only, where such namespaces are allowed.
"""

from __future__ import annotations

import os
import sys

assert sys.platform == "linux"

CLONE_NEWUSER = 0x10000000


def main() -> None:
    import ctypes

    shown_uid, shown_gid, *command = sys.argv[1:]
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        reason = os.strerror(ctypes.get_errno())
        sys.exit(f"FATAL: uid {uid} has no name on this system and no user namespace is allowed: {reason}")
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{shown_uid} {uid} 1"),
        ("gid_map", f"{shown_gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as control:
            control.write(content)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
