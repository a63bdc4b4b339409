"""Start a MariaDB server of our own, reachable through a unix socket in a directory of ours only."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from txfuzz.database.embedded.account import server_account
from txfuzz.database.embedded.directory import make_directory
from txfuzz.database.embedded.link import KeeperLink, environment_without
from txfuzz.database.embedded.log import reason_in
from txfuzz.database.embedded.processes import go_on, kill_all, stop
from txfuzz.errors import DatabaseUnavailable

from .files import ServerFiles, find_server

PRODUCT = "MariaDB"
PREFIX = "txfuzz-mariadb-"
SOCKET = "mariadb.sock"
SUPERUSER = "root"  # the server's, not the system's
INSTALL_SECONDS = 120.0
START_SECONDS = 60.0
GONE_SECONDS = 20.0
_ERROR = re.compile(r"\bERROR\b[\]:]?\s*(.+)")
# The data goes with the server, so nothing has to be written back before it ends.
STOPS: tuple[tuple[int, float], ...] = ((int(signal.SIGKILL), 3.0),)

# The data lives as long as the campaign, so nothing needs to survive a power failure.
SETTINGS: Mapping[str, str] = {
    "skip_networking": "ON",
    "skip_name_resolve": "ON",
    "skip_log_bin": "ON",
    "skip_ssl": "ON",
    "performance_schema": "OFF",
    "character_set_server": "utf8mb4",
    "default_storage_engine": "InnoDB",
    "innodb_buffer_pool_size": "64M",
    "innodb_buffer_pool_dump_at_shutdown": "OFF",
    "innodb_buffer_pool_load_at_startup": "OFF",
    "innodb_flush_method": "fsync",
    "innodb_log_file_size": "8M",
    # Written at COMMIT, and forced to the disk by nobody: what is committed survives a server that is killed.
    "innodb_flush_log_at_trx_commit": "2",
    # A wait that is given up undoes the whole transaction, not only its last statement.
    "innodb_rollback_on_timeout": "ON",
    "innodb_lock_wait_timeout": "2",
    "innodb_deadlock_detect": "ON",
    "max_connections": "120",
    # A connection that is cut is the daily bread of a fuzzer, not a line in a log.
    "log_warnings": "0",
}


class EmbeddedServer:
    """A running server of our own. close() stops it and removes its directory; so does our death."""

    def __init__(
        self, files: ServerFiles, directory: Path, link: KeeperLink, settings: Mapping[str, str]
    ) -> None:
        self.files = files
        self.directory = directory
        self.data = directory / "data"
        self.socket = directory / SOCKET
        self.log = directory / "server.log"
        self.user = SUPERUSER
        self.pid = 0
        self._link = link
        self._settings = settings

    def install(self) -> None:
        """Make the data directory."""
        log = self.directory / "install.log"
        argv: list[str | Path] = [self.files.installer, "--no-defaults", f"--datadir={self.data}"]
        argv += ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        argv += [f"--innodb-log-file-size={self._settings['innodb_log_file_size']}"]
        if self._link.run(argv, log, INSTALL_SECONDS) != 0:
            raise DatabaseUnavailable(f"{self.files.installer} failed: {last_words(log)}")

    def start(self) -> None:
        """Run `mariadbd` on the data directory and wait until it takes connections."""
        argv = [str(self.files.mariadbd), "--no-defaults", f"--datadir={self.data}"]
        argv += [f"--socket={self.socket}", f"--pid-file={self.directory / 'pid'}"]
        argv += [f"--tmpdir={self.directory}"]
        argv += [f"--{name.replace('_', '-')}={value}" for name, value in self._settings.items()]
        self.pid = self._link.start(argv, self.log)
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._link.status(self.pid) is not None:
                raise DatabaseUnavailable(
                    f"MariaDB ({self.files.mariadbd}) did not start: {last_words(self.log)}"
                )
            if time.monotonic() > until:
                raise DatabaseUnavailable(
                    f"MariaDB ({self.files.mariadbd}) took no connection within {START_SECONDS:.0f} s: "
                    f"{last_words(self.log)}"
                )
            time.sleep(0.01)

    def running(self) -> bool:
        return self.pid != 0 and self._link.status(self.pid) is None

    def kill(self) -> int:
        """kill -9, and wait until it is gone; how many processes that were."""
        killed = kill_all(self.pid, GONE_SECONDS)
        while self._link.status(self.pid, 0.05) is None:
            pass  # its parent is about to say so
        return killed

    def pause(self) -> int:
        return stop([self.pid])

    def resume(self) -> None:
        go_on([self.pid])

    def close(self) -> None:
        """Stop the server and remove everything; idempotent."""
        self._link.close()
        shutil.rmtree(self.directory, ignore_errors=True)  # if the keeper was killed, it is left to us

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(self) -> bool:
        """A server that is ready greets whoever connects."""
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.settimeout(5.0)
            caller.connect(str(self.socket))
            return len(caller.recv(5)) == 5
        return False


def launch(settings: Mapping[str, str] | None = None) -> EmbeddedServer:
    """Find server files, make a data directory, start; DatabaseUnavailable with the reason if it fails.

    settings: server settings on top of, or instead of, SETTINGS.
    """
    files = find_server()
    account = server_account(PRODUCT)
    directory = make_directory(account, PREFIX, SOCKET)
    link = None
    try:
        environment = environment_without("MYSQL", "MARIADB", "TMP") | {"TMPDIR": str(directory)}
        link = KeeperLink(directory, account, PRODUCT, STOPS, environment)
        server = EmbeddedServer(files, directory, link, {**SETTINGS, **(settings or {})})
        server.install()
        server.start()
        return server
    except BaseException as error:
        if link is not None:
            link.close()
        shutil.rmtree(directory, ignore_errors=True)
        if isinstance(error, OSError):
            raise DatabaseUnavailable(f"the embedded MariaDB cannot be started: {error}") from None
        raise


def last_words(log: Path) -> str:
    """The error in a log that is the cause of those that follow; else its last line."""
    return reason_in(log, _ERROR, first=True)
