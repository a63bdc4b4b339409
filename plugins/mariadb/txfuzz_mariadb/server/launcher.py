"""Starting the embedded MariaDB server, which listens only on a unix socket in its own directory."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from txfuzz.plugin_api import (
    DatabaseUnavailable,
    KeeperLink,
    OwnServer,
    environment_without,
    error_in_log,
    keeper_for,
    make_server_directory,
    pause_processes,
    resume_processes,
    server_account,
)

from .files import ServerFiles, find_server

PRODUCT = "MariaDB"
PREFIX = "txfuzz-mariadb-"
SOCKET = "mariadb.sock"
SUPERUSER = "root"  # the server's, not the system's
INSTALL_SECONDS = 120.0
_ERROR = re.compile(r"\bERROR\b[\]:]?\s*(.+)")
KILL = 9  # signal.SIGKILL, for which Windows has no name
# The data is removed with the server, so there is nothing to flush first.
STOPS: tuple[tuple[int, float], ...] = ((KILL, 3.0),)

# The data is only needed during the campaign, so nothing has to survive a power failure.
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
    # Written at COMMIT but not synced: what is committed survives a killed server.
    "innodb_flush_log_at_trx_commit": "2",
    # A lock wait timeout rolls back the whole transaction, not only its last statement.
    "innodb_rollback_on_timeout": "ON",
    "innodb_lock_wait_timeout": "2",
    "innodb_deadlock_detect": "ON",
    "innodb_status_output_locks": "ON",  # so that it can be told who waits for whom
    "max_connections": "120",
    # Cut connections are routine for a fuzzer and not worth logging.
    "log_warnings": "0",
}


class EmbeddedServer(OwnServer):
    """A running embedded MariaDB."""

    def __init__(
        self, files: ServerFiles, directory: Path, link: KeeperLink, settings: Mapping[str, str]
    ) -> None:
        super().__init__(PRODUCT, directory, link, files.shown)
        self.files = files
        self.socket = directory / SOCKET
        self.user = SUPERUSER
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
        """Run `mariadbd` on the data directory and wait until it accepts connections."""
        argv = [str(self.files.mariadbd), "--no-defaults", f"--datadir={self.data}"]
        argv += [f"--socket={self.socket}", f"--pid-file={self.directory / 'pid'}"]
        argv += [f"--tmpdir={self.directory}"]
        argv += [f"--{name.replace('_', '-')}={value}" for name, value in self._settings.items()]
        self.run(argv, look_every=0.01)

    def pause(self) -> int:
        return pause_processes([self.pid])

    def resume(self) -> None:
        resume_processes([self.pid])

    def answers(self) -> bool:
        """A server that is ready sends a greeting on connection."""
        if sys.platform == "win32":
            raise NotImplementedError
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.settimeout(5.0)
            caller.connect(str(self.socket))
            return len(caller.recv(5)) == 5
        return False

    def last_words(self) -> str:
        return last_words(self.log)


def launch(
    settings: Mapping[str, str] | None = None, version: str | None = None, below: str | None = None
) -> EmbeddedServer:
    """Find server files, make a data directory, start; DatabaseUnavailable with the reason if it fails.

    settings: added to SETTINGS, or overriding them. version, below: see find_server().
    """
    files = find_server(version, below)
    account = server_account(PRODUCT)
    directory = make_server_directory(account, PREFIX, SOCKET)
    environment = environment_without("MYSQL", "MARIADB", "TMP") | {"TMPDIR": str(directory)}
    with keeper_for(PRODUCT, directory, account, STOPS, environment) as link:
        server = EmbeddedServer(files, directory, link, {**SETTINGS, **(settings or {})})
        server.install()
        server.start()
    return server


def last_words(log: Path) -> str:
    """The error in a log that is the cause of those that follow; else its last line."""
    return error_in_log(log, _ERROR, first=True)
