"""Starting the embedded PostgreSQL server, which listens only on a unix socket in its own directory."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from txfuzz.plugin_api import (
    Account,
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
    server_processes,
)

from .files import ServerFiles, executable_for, find_server
from .template import copy_template, drop_template, store_template, template_path

SUPERUSER = "postgres"
PORT = 5432
SOCKET = ".s.PGSQL."
INITDB_SECONDS = 120.0
PREFIX = "txfuzz-pg-"
PRODUCT = "PostgreSQL"
QUIT = 3  # signal.SIGQUIT, for which Windows, where this module is imported too, has no name
# Fast shutdown: disconnect the clients, shut down in order. Immediate: drop everything.
STOPS = ((int(signal.SIGINT), 4.0), (QUIT, 3.0))

IN_USE = "pre-existing shared memory block"
LEFTOVER_SECONDS = 10.0

_ERROR = re.compile(r"\b(?:FATAL|PANIC|error):.*")

# The data is only needed during the campaign, so nothing has to survive a power failure.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # Segments in the data directory instead of /dev/shm are always removed with it.
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "deadlock_timeout": "10ms",
    "max_connections": "120",
    "max_pred_locks_per_transaction": "256",
    "jit": "off",
    # Aborted transactions are routine for a fuzzer and not worth logging.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


class EmbeddedServer(OwnServer):
    """A running embedded PostgreSQL.

    sockets: the path by which clients reach the directory of its socket, if that is not its own directory.
    """

    def __init__(
        self,
        files: ServerFiles,
        directory: Path,
        link: KeeperLink,
        settings: Mapping[str, str],
        sockets: Path | None = None,
    ) -> None:
        super().__init__(PRODUCT, directory, link, files.shown)
        self.files = files
        self.sockets = sockets or directory
        self._settings = settings

    @property
    def conninfo(self) -> dict[str, str]:
        """How libpq reaches it, as the superuser."""
        return {
            "host": str(self.sockets),
            "port": self._settings["port"],
            "user": SUPERUSER,
            "dbname": "postgres",
        }

    def start(self) -> None:
        """Run `postgres` on the data directory and wait until it accepts connections."""
        argv = [str(self.files.postgres), "-D", str(self.data)]
        for name, value in self._settings.items():
            argv += ["-c", f"{name}={value}"]
        until = time.monotonic() + LEFTOVER_SECONDS
        while True:
            try:
                return self.run(argv, look_every=0.005)
            except DatabaseUnavailable:
                # The processes of a server that was killed hold its memory until they notice
                if IN_USE not in self.last_words() or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def processes(self) -> list[int]:
        """The pids of the server, the postmaster's last."""
        return server_processes(self.pid)

    def pause(self, pids: Sequence[int]) -> int:
        """Stop these processes of the server; how many."""
        return pause_processes(pids)

    def resume(self, pids: Sequence[int]) -> None:
        """These and all current ones: processes started meanwhile may wait for them."""
        resume_processes({*pids, *self.processes()})

    def last_words(self) -> str:
        """The line of the server's log that says most about a failure."""
        return last_words(self.log)

    def answers(self) -> bool:
        from psycopg import pq
        from psycopg.conninfo import make_conninfo

        if not (self.sockets / (SOCKET + self._settings["port"])).exists():
            return False
        return pq.PGconn.ping(make_conninfo(**self.conninfo).encode()) == pq.Ping.OK


def launch(
    settings: Mapping[str, str] | None = None, version: str | None = None, below: str | None = None
) -> EmbeddedServer:
    """Find server files, make a data directory, start; DatabaseUnavailable with the reason if it fails.

    settings: added to SETTINGS, or overriding them. version, below: see find_server().
    """
    found = find_server(version, below)
    account = server_account(PRODUCT)
    directory = make_server_directory(account, PREFIX, SOCKET + "12345", separator=",")
    with keeper_for(PRODUCT, directory, account, STOPS, environment_without("PG")) as link:
        files = executable_for(found, account, directory / "server")
        server = EmbeddedServer(
            files, directory, link, {**SETTINGS, **socket_setting(directory), **(settings or {})}
        )
        start_anew(server, template_path(found), account, link)
    return server


def socket_setting(directory: Path) -> dict[str, str]:
    """A server with this setting has its socket in this directory."""
    return {"unix_socket_directories": '"' + str(directory).replace('"', '""') + '"'}


def start_anew(server: EmbeddedServer, template: Path | None, account: Account, link: KeeperLink) -> None:
    """Make its data, if possible from the template, and start it."""
    if template is None or not started_from(template, server, account):
        make_data(server, account, link)
        if template is not None:
            store_template(server.data, template)
        server.start()


def started_from(template: Path, server: EmbeddedServer, account: Account) -> bool:
    """Start on a copy of the template; False if there is none or the server does not start on it."""
    if not copy_template(template, server.data, account):
        return False
    try:
        server.start()
    except DatabaseUnavailable:
        if server.running():
            raise
        drop_template(template)
        shutil.rmtree(server.data)
        return False
    return True


def make_data(server: EmbeddedServer, account: Account, link: KeeperLink) -> None:
    """initdb into the server's data directory."""
    log = server.directory / "initdb.log"
    argv: list[str | Path] = [server.files.initdb, "-D", server.data, "-U", SUPERUSER, "--auth=trust"]
    # Small log segments make the template, which is copied for every campaign, a third smaller.
    argv += ["--no-sync", "--locale=C", "-E", "UTF8", "--wal-segsize=1"]
    if not account.has_name:
        argv = [
            sys.executable,
            "-I",
            "-S",
            Path(__file__).with_name("known_user.py"),
            *named_account(),
            *argv,
        ]
    if link.run(argv, log, INITDB_SECONDS) != 0:
        raise DatabaseUnavailable(f"initdb ({server.files.initdb}) failed: {last_words(log)}")


def named_account() -> tuple[str, str]:
    """A uid that has a name, and its gid, as strings."""
    if sys.platform == "win32":
        raise NotImplementedError
    import pwd

    for entry in pwd.getpwall():
        if entry.pw_uid != 0:
            return str(entry.pw_uid), str(entry.pw_gid)
    raise DatabaseUnavailable("initdb needs a named account, and this system has none but root")


def last_words(log: Path) -> str:
    """What a log of `postgres` or `initdb` says about a failure."""
    return error_in_log(log, _ERROR, first=False)
