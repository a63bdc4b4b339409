"""The keeper: a small process between txfuzz and an embedded server.

It is the server's parent, in its own session, and holds one end of a pipe. When the other end closes, because
txfuzz has finished or was killed, the keeper stops the server and removes the directory: a normal close and
a kill -9 take the same path. Being single-threaded, it can safely set the parent-death signal (which Linux
binds to the forking thread), so that the server does not outlive a killed keeper either.

Run as a script, `python -I -S keeper.py DIRECTORY UID GID STOPS`, so it cannot import txfuzz. STOPS is a JSON
list of signals that stop a server, gentlest first, each with a time limit in seconds; kill -9 follows. The
last one is also the parent-death signal.

stdin has a JSON object per line: {"do": "run" | "start", "argv": [...], "env": {...}, "log": path}. So has
stdout: {"pid": n} when it runs, {"pid": n, "status": s} when it has ended (as os.waitstatus_to_exitcode,
negative for a signal), {"error": text} if it cannot run.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any

assert sys.platform != "win32"  # kept_directory() does without it

DYING_SECONDS = 3.0  # after kill -9
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IPC_RMID = 0


class Keeper:
    """Children by pid, each either a program that runs to completion ("run") or a server ("start")."""

    def __init__(self, directory: str, uid: int, gid: int, stops: list[tuple[int, float]]) -> None:
        self.directory = directory
        self.uid = uid
        self.gid = gid
        self.stops = stops
        self.began = time.time()
        self.spawned: set[int] = set()
        self.children: dict[int, str] = {}
        self.libc: Any = None
        if sys.platform == "linux":
            import ctypes

            self.libc = ctypes.CDLL(None)
            # Adopt the children of a killed server, so that they do not stay as zombies.
            self.libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def spawn(self, order: dict[str, Any]) -> int:
        """Fork and exec in a new process group, as the given user."""
        keeper = os.getpid()
        pid = os.fork()
        if pid:
            self.children[pid] = order["do"]
            self.spawned.add(pid)
            return pid
        try:
            self._become(order, keeper)
            os.execve(order["argv"][0], order["argv"], order["env"])
        except BaseException as error:
            os.write(2, f"cannot run {order['argv'][0]}: {error}\n".encode())
        os._exit(127)

    def _become(self, order: dict[str, Any], keeper: int) -> None:
        """In the child: log file, process group, user, parent-death signal, ordinary signals."""
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.setpgid(0, 0)
        os.umask(0o077)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)
        os.chdir(self.directory)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        # After the change of user, which clears it.
        if self.libc is not None:
            death = self.stops[-1][0] if self.stops else int(signal.SIGKILL)
            self.libc.prctl(PR_SET_PDEATHSIG, death, 0, 0, 0)
            if os.getppid() != keeper:  # it died before the signal was set
                os._exit(127)

    def reap(self) -> list[tuple[int, int]]:
        """Children that have ended since the last call, with their exit codes."""
        ended = []
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if self.children.pop(pid, None):
                ended.append((pid, os.waitstatus_to_exitcode(status)))
        return ended

    def stop(self) -> None:
        """Stop all children and their descendants, increasingly forcefully."""
        descendants = [child for pid in self.children for child in children_of(pid)]
        for pid, kind in list(self.children.items()):
            if kind == "run":
                send(-pid, signal.SIGKILL)
        # A paused server must be resumed to stop properly.
        for pid in [*descendants, *self.children]:
            send(pid, signal.SIGCONT)
        for number, seconds in self.stops:
            for pid in self.children:
                send(pid, number)
            self._wait(seconds)
        if self.children:
            descendants += [child for pid in self.children for child in children_of(pid)]
            for pid in [*self.children, *descendants]:
                send(pid, signal.SIGKILL)
            self._wait(DYING_SECONDS)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.children and time.monotonic() < until:
            self.reap()
            time.sleep(0.005)

    def remove(self) -> None:
        """Remove the directory; a last process may still be writing into it."""
        import shutil

        self._remove_segments()
        for _ in range(20):
            shutil.rmtree(self.directory, ignore_errors=True)
            if not os.path.lexists(self.directory):
                return
            time.sleep(0.1)

    def _remove_segments(self) -> None:
        """Remove System V shared memory that a killed server left behind, identified by its creator."""
        if self.libc is None:
            return
        with suppress(OSError, ValueError, KeyError):
            with open("/proc/sysvipc/shm", encoding="ascii") as listing:
                names, *rows = (line.split() for line in listing)
            for row in rows:
                found = dict(zip(names, map(int, row), strict=False))
                ours = found["cpid"] in self.spawned and found["ctime"] >= int(self.began)
                if ours and found["uid"] == self.uid and found["nattch"] == 0:
                    self.libc.shmctl(found["shmid"], IPC_RMID, None)


def children_of(pid: int) -> list[int]:
    """Direct children, if the system lists them (Linux)."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listing:
            return [int(word) for word in listing.read().split()]
    except OSError:
        return []


def send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def say(message: dict[str, Any]) -> None:
    with suppress(OSError):  # without a reader, stdin will end, too
        os.write(1, json.dumps(message).encode() + b"\n")


def serve(keeper: Keeper) -> None:
    """Follow orders until the end of stdin or SIGTERM."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    terminated = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            terminated.append(number)

    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    pending = b""
    while not terminated:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            for pid, status in keeper.reap():
                say({"pid": pid, "status": status})
        if 0 in readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                try:
                    say({"pid": keeper.spawn(json.loads(line))})
                except OSError as error:
                    say({"error": str(error)})


def main() -> None:
    stops = [(int(number), float(seconds)) for number, seconds in json.loads(sys.argv[4])]
    keeper = Keeper(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), stops)
    try:
        serve(keeper)
    finally:
        signal.set_wakeup_fd(-1)
        keeper.stop()
        keeper.remove()


if __name__ == "__main__":
    main()
