"""Our end of the pipe to the keeper."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from txfuzz.common.closeable import Closeable
from txfuzz.database.embedded.account import Account, our_account
from txfuzz.errors import DatabaseUnavailable

CLOSE_SECONDS = 20.0


class KeeperLink(Closeable):
    """Starts a keeper for `directory`; closing it, or dying, ends what it runs and removes the directory.

    product: for messages. stops: signals that stop the server, gentlest first, each with a time limit in
    seconds; kill -9 comes last. environment: of its programs.
    """

    def __init__(
        self,
        directory: Path,
        account: Account,
        product: str,
        stops: Sequence[tuple[int, float]],
        environment: Mapping[str, str],
    ) -> None:
        script = Path(__file__).with_name("keeper.py")
        self._directory = directory
        self._product = product
        self._environment = dict(environment)
        self._received = b""
        self._statuses: dict[int, int] = {}
        self._lock = threading.RLock()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                script,
                directory,
                str(account.uid),
                str(account.gid),
                json.dumps(stops),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal is for txfuzz alone
        )

    def start(self, argv: Sequence[str | Path], log: Path) -> int:
        """Start the server; its pid."""
        return self._spawn("start", argv, log)

    def run(self, argv: Sequence[str | Path], log: Path, timeout: float) -> int:
        """Run a program to its end; its exit code."""
        pid = self._spawn("run", argv, log)
        until = time.monotonic() + timeout
        while (status := self.status(pid, until - time.monotonic())) is None:
            if time.monotonic() > until:
                raise DatabaseUnavailable(f"{argv[0]} did not finish within {timeout:.0f} s")
        return status

    def status(self, pid: int, timeout: float = 0.0) -> int | None:
        """The exit code of a process that the keeper started; None while it runs."""
        with self._lock:
            while pid not in self._statuses:
                event = self._event(timeout)
                if event is None:
                    return None
                if "status" in event:
                    self._statuses[int(event["pid"])] = int(event["status"])
            return self._statuses[pid]

    def close(self) -> None:
        """Stop and remove everything; idempotent."""
        with self._lock:
            if self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()
            try:
                self._process.wait(CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _spawn(self, kind: str, argv: Sequence[str | Path], log: Path) -> int:
        order = {"do": kind, "argv": [str(word) for word in argv], "env": self._environment, "log": str(log)}
        with self._lock:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(json.dumps(order).encode() + b"\n")
            except OSError:
                raise DatabaseUnavailable(
                    f"the process supervising the {self._product} server has died"
                ) from None
            while True:
                event = self._event(10.0)
                if event is None:
                    raise DatabaseUnavailable(
                        f"the process supervising the {self._product} server does not respond"
                    )
                if "error" in event:
                    raise DatabaseUnavailable(f"cannot start {argv[0]}: {event['error']}")
                if "status" not in event:
                    return int(event["pid"])
                self._statuses[int(event["pid"])] = int(event["status"])

    def _event(self, timeout: float) -> dict[str, int | str] | None:
        """The next message of the keeper; None after the timeout."""
        assert self._process.stdout is not None
        until = time.monotonic() + timeout
        while b"\n" not in self._received:
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                return None
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise DatabaseUnavailable(f"the process supervising the {self._product} server has died")
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        event: dict[str, int | str] = json.loads(line)
        return event


class _OwnDirectory(Closeable):
    """A directory without a keeper: removed when it is closed, or when this process ends in order."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        atexit.register(self.close)

    def close(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)
        atexit.unregister(self.close)


def kept_directory(product: str, prefix: str) -> tuple[Path, Closeable]:
    """A new directory, which is removed when what is beside it is closed or we die; on Windows, where there
    is no keeper, not if we are killed.

    product: for messages. prefix: of its name. Raises DatabaseUnavailable.
    """
    try:
        directory = Path(tempfile.mkdtemp(prefix=prefix)).absolute()
        if sys.platform == "win32":
            return directory, _OwnDirectory(directory)
        return directory, KeeperLink(directory, our_account(), product, (), environment_without())
    except OSError as error:
        raise DatabaseUnavailable(f"no directory for a {product} database: {error}") from None


def environment_without(*prefixes: str) -> dict[str, str]:
    """Our environment without variables that affect a server: locale, time zone, and these prefixes."""
    unwanted = ("LC_", "LANG", "TZ", "PYTHON", "DATABASE_URL", *prefixes)
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | {
        "LC_ALL": "C"
    }
