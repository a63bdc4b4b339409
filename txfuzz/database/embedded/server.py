"""The common part of embedded servers: starting, stopping, and errors in their logs."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from txfuzz.common.closeable import Closeable
from txfuzz.database.embedded.account import Account
from txfuzz.database.embedded.keeper_pipe import KeeperLink
from txfuzz.database.embedded.processes import kill_all
from txfuzz.errors import DatabaseUnavailable

START_SECONDS = 60.0
GONE_SECONDS = 20.0

_NUMBERED = re.compile(r"\berror:? (\d+)\b")
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
_REASONS = tuple(os.strerror(number) for number in errno.errorcode)


class OwnServer(Closeable):
    """An embedded server in its own directory. close(), or our death, stops it and removes the directory.

    product: its name. data, log: its data directory and log file. files_shown: where its programs come from.
    """

    def __init__(self, product: str, directory: Path, link: KeeperLink, files_shown: str) -> None:
        self.product = product
        self.files_shown = files_shown
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "server.log"
        self.pid = 0
        self._link = link

    @abstractmethod
    def answers(self) -> bool:
        """Whether it accepts connections."""

    @abstractmethod
    def last_words(self) -> str:
        """The most informative line of its log about a failure."""

    def run(self, argv: Sequence[str | Path], *, look_every: float) -> None:
        """Start this program and wait until it accepts connections; DatabaseUnavailable if it does not."""
        self.pid = self._link.start(argv, self.log)
        until = time.monotonic() + START_SECONDS
        while not self.answers():
            if self._link.status(self.pid) is not None:
                raise DatabaseUnavailable(f"{self.product} ({argv[0]}) did not start: {self.last_words()}")
            if time.monotonic() > until:
                raise DatabaseUnavailable(
                    f"{self.product} ({argv[0]}) accepted no connections within {START_SECONDS:.0f} s: "
                    f"{self.last_words()}"
                )
            time.sleep(look_every)

    def running(self) -> bool:
        return self.pid != 0 and self._link.status(self.pid) is None

    def kill(self) -> int:
        """kill -9 all its processes and wait until they are gone; how many."""
        killed = kill_all(self.pid, GONE_SECONDS)
        while self._link.status(self.pid, 0.05) is None:
            pass  # its parent is about to report it
        return killed

    def close(self) -> None:
        """Stop it and remove everything; idempotent."""
        self._link.close()
        shutil.rmtree(self.directory, ignore_errors=True)  # if the keeper was killed


@contextmanager
def keeper_for(
    product: str,
    directory: Path,
    account: Account,
    stops: Sequence[tuple[int, float]],
    environment: Mapping[str, str],
) -> Iterator[KeeperLink]:
    """A keeper for the directory of a server. If the block fails, both are removed.

    The parameters are those of KeeperLink. An OSError becomes a DatabaseUnavailable.
    """
    link = None
    try:
        link = KeeperLink(directory, account, product, stops, environment)
        yield link
    except BaseException as error:
        if link is not None:
            link.close()
        shutil.rmtree(directory, ignore_errors=True)
        if isinstance(error, OSError):
            raise DatabaseUnavailable(f"the embedded {product} cannot be started: {error}") from None
        raise


def error_in_log(log: Path, error: re.Pattern[str], *, first: bool) -> str:
    """The most informative error in a log, else its last line; for a full disk with a hint.

    error: matches a line with an error; its last group, if any, is the part to show. The first error with a
    reason from the operating system is the cause of the others; without any, the `first` or last error is
    taken. Servers run with LC_ALL=C, so the reasons are in English.
    """
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    errors = [_spelt(found[found.lastindex or 0]) for line in lines if (found := error.search(line))]
    causes = [each for each in errors if each.endswith(_REASONS)]
    fallback = (errors[:1] if first else errors[-1:]) or lines[-1:] or ["it logged no message"]
    told = (causes or fallback)[0]
    if told.endswith(_FULL):
        told += f"; its files were in {log.parent}, and the environment variable TMPDIR selects another place"
    return told


def _spelt(text: str) -> str:
    """`… failed with error 28`, with the meaning of the number appended."""
    found = _NUMBERED.search(text)
    return f"{text}: {os.strerror(int(found[1]))}" if found and int(found[1]) in errno.errorcode else text
