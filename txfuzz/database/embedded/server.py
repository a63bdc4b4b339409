"""What the servers that adapters start have in common, whatever their make."""

from __future__ import annotations

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


class OwnServer(Closeable):
    """A server of ours in a directory of its own. close() stops it and removes that; so does our death.

    product: what people call it. data, log: its data directory, and what it has said.
    """

    def __init__(self, product: str, directory: Path, link: KeeperLink) -> None:
        self.product = product
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "server.log"
        self.pid = 0
        self._link = link

    @abstractmethod
    def answers(self) -> bool:
        """Whether it takes connections."""

    @abstractmethod
    def last_words(self) -> str:
        """The line of its log that says most about a failure."""

    def run(self, argv: Sequence[str | Path], *, look_every: float) -> None:
        """Start this program and wait until it takes connections; DatabaseUnavailable if it never does."""
        self.pid = self._link.start(argv, self.log)
        until = time.monotonic() + START_SECONDS
        while not self.answers():
            if self._link.status(self.pid) is not None:
                raise DatabaseUnavailable(f"{self.product} ({argv[0]}) did not start: {self.last_words()}")
            if time.monotonic() > until:
                raise DatabaseUnavailable(
                    f"{self.product} ({argv[0]}) took no connection within {START_SECONDS:.0f} s: "
                    f"{self.last_words()}"
                )
            time.sleep(look_every)

    def running(self) -> bool:
        return self.pid != 0 and self._link.status(self.pid) is None

    def kill(self) -> int:
        """kill -9 of all its processes, and wait until they are gone; how many that were."""
        killed = kill_all(self.pid, GONE_SECONDS)
        while self._link.status(self.pid, 0.05) is None:
            pass  # its parent is about to say so
        return killed

    def close(self) -> None:
        """Stop it and remove everything; idempotent."""
        self._link.close()
        shutil.rmtree(self.directory, ignore_errors=True)  # if the keeper was killed, it is left to us


@contextmanager
def kept(
    product: str,
    directory: Path,
    account: Account,
    stops: Sequence[tuple[int, float]],
    environment: Mapping[str, str],
) -> Iterator[KeeperLink]:
    """A keeper for the directory, in which a server is to be started: if that fails, all of it goes.

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
