"""Load beside the clients: processes that keep processors busy, so that a session is now and then put off
its processor in the middle of a COMMIT."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

from txfuzz.common.closeable import Closeable

# Its standard input ends with the process that started it, however that ends
_BURN = (
    "import os, threading\n"
    "def wait():\n"
    "    os.read(0, 1)\n"
    "    os._exit(0)\n"
    "threading.Thread(target=wait, daemon=True).start()\n"
    "while True:\n"
    "    pass\n"
)
_PATIENCE = 5.0  # seconds


class Load(Closeable):
    """number: of processes."""

    def __init__(self, number: int) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(number):
                self._processes.append(_started())
        except BaseException:
            self.close()
            raise

    @property
    def running(self) -> int:
        return sum(each.poll() is None for each in self._processes)

    def close(self) -> None:
        processes, self._processes = self._processes, []
        for each in processes:
            with suppress(OSError):
                each.stdin.close()  # type: ignore[union-attr]  # it is a pipe
        for each in processes:
            try:
                each.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()


def _started() -> subprocess.Popen[bytes]:
    # A process group of its own: Ctrl-C is for the hunt, which then ends these
    return subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _BURN],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0,
    )  # fmt: skip
