"""A primary with standbys, all in one directory under one keeper, which removes them together.

Clients reach the servers by paths that stay while servers change: `primary` and `standby1`, … are links to
the directory of whichever server has that role. A failover points `primary` elsewhere, as a virtual address
would be moved; a role that nobody has at the moment has no link, so that nobody is taken for another.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from txfuzz.plugin_api import (
    Account,
    DatabaseUnavailable,
    Endpoint,
    KeeperLink,
    UsageError,
    environment_without,
    keeper_for,
    make_server_directory,
    pause_processes,
    server_account,
)
from txfuzz_postgres.server.files import ServerFiles, executable_for, find_server
from txfuzz_postgres.server.launcher import (
    PREFIX,
    PRODUCT,
    SETTINGS,
    SOCKET,
    STOPS,
    SUPERUSER,
    EmbeddedServer,
    last_words,
    socket_setting,
    start_anew,
)
from txfuzz_postgres.server.template import template_path

if TYPE_CHECKING:
    import psycopg

PRIMARY = "primary"
STANDBY = "standby"  # followed by its number, from 1
COPY_SECONDS = 60.0
ASKED_AGAIN = 100
WHOSE_LOG = "SELECT system_identifier::text FROM pg_control_system()"
REPLAYED = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn OR NOT pg_is_in_recovery()"
IMMEDIATELY = STOPS[-1:]  # an orderly shutdown of a primary waits for its standbys
REPLICATING: Mapping[str, str] = {
    "wal_level": "replica",
    "max_wal_senders": "10",
    "wal_keep_size": "256MB",
    "hot_standby": "on",
    # A standby that has lost its primary looks for it again soon; the default is five seconds
    "wal_retrieve_retry_interval": "50ms",
    # A query on a standby that needs rows which the primary has removed holds up replay for this long
    "max_standby_streaming_delay": "200ms",
}


class Standby(EmbeddedServer):
    """number: from 0. It follows whoever is the primary."""

    def __init__(
        self,
        files: ServerFiles,
        directory: Path,
        link: KeeperLink,
        settings: Mapping[str, str],
        sockets: Path,
        number: int,
    ) -> None:
        super().__init__(files, directory, link, settings, sockets)
        self.number = number


class Cluster(EmbeddedServer):
    """The current primary, as an embedded server, and its standbys.

    root: the directory of all. settings: of all servers.
    """

    def __init__(
        self, files: ServerFiles, root: Path, link: KeeperLink, settings: Mapping[str, str], account: Account
    ) -> None:
        super().__init__(files, root, link, {**settings}, root / PRIMARY)
        self.standbys: list[Standby] = []
        self._common = dict(settings)
        self._account = account
        self._made = 0
        home = self._home()
        self._settings = {**self._common, **socket_setting(home)}
        self.data, self.log = home / "data", home / "server.log"
        point(self.sockets, home)

    def add_standby(self, number: int) -> None:
        """Copy the primary, start the copy, and wait until it can be read."""
        home = self._home()
        link = self.directory / f"{STANDBY}{number + 1}"
        follows = f"host={self.sockets} port={self._settings['port']} user={SUPERUSER}"
        settings = {
            **self._common,
            **socket_setting(home),
            "primary_conninfo": f"{follows} application_name={STANDBY}{number + 1}",
        }
        standby = Standby(self.files, home, self._link, settings, link, number)
        argv: list[str | Path] = [self.files.basebackup, "-D", standby.data, "-h", self.sockets]
        argv += ["-p", self._settings["port"], "-U", SUPERUSER, "-w", "-R", "-X", "stream"]
        argv += ["--checkpoint=fast", "--no-sync", "--no-manifest"]
        log = home / "basebackup.log"
        if self._link.run(argv, log, COPY_SECONDS) != 0:
            raise DatabaseUnavailable(f"pg_basebackup ({self.files.basebackup}) failed: {last_words(log)}")
        point(link, home)
        standby.start()
        self.standbys.append(standby)
        self.standbys.sort(key=lambda each: each.number)

    def standby(self, number: int) -> Mapping[str, str]:
        """How libpq reaches the standby of this number, from 0, if there is one at the moment."""
        return {**self.conninfo, "host": str(self.directory / f"{STANDBY}{number + 1}")}

    def stop_sending(self) -> int:
        """Suspend what sends the log to standbys, like a network that has failed; how many."""
        with connected(self.conninfo) as primary:
            pids = ask(primary, "SELECT coalesce(array_agg(pid), '{}') FROM pg_stat_replication")
        return pause_processes(pids)

    def fail_over(self, chosen: Standby) -> int:
        """kill -9 the primary, promote this standby, and make new standbys of it; how many connections the
        promoted one had."""
        others = [each for each in self.standbys if each is not chosen]
        self.kill()
        for each in self.standbys:
            each.sockets.unlink(missing_ok=True)
        old = self.data.parent
        with connected({**chosen.conninfo, "host": str(chosen.directory)}) as promoted:
            if not ask(promoted, "SELECT pg_promote(true, 60)"):
                raise DatabaseUnavailable("the standby was not promoted within 60 s")
            # They would go on reading from a primary, under the name of a standby
            ended = ask(
                promoted,
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
            )
        for each in others:
            each.kill()
        numbers = [each.number for each in self.standbys]
        gone = [old, *(each.directory for each in others)]
        self.data, self.log, self.pid = chosen.data, chosen.log, chosen.pid
        self._settings = chosen._settings
        point(self.sockets, chosen.directory)
        self.standbys = []
        for directory in gone:
            shutil.rmtree(directory, ignore_errors=True)
        for number in numbers:
            self.add_standby(number)
        return int(ended)

    def _home(self) -> Path:
        """A new directory for a server."""
        home = self.directory / f"server{self._made}"
        self._made += 1
        home.mkdir(mode=0o700)
        self._account.own(home)
        return home


def point(link: Path, target: Path) -> None:
    """Make the link, or point it elsewhere at once."""
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    os.symlink(target, new)
    os.replace(new, link)


def connected(conninfo: Mapping[str, str]) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of the superuser. Raises DatabaseUnavailable."""
    import psycopg

    try:
        return psycopg.connect(**conninfo, connect_timeout=10, autocommit=True)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise DatabaseUnavailable(" ".join(str(error).split())) from None


def ask(on: psycopg.Connection[tuple[Any, ...]], sql: str, *values: str) -> Any:
    """The first cell of the answer. Raises DatabaseUnavailable.

    A standby may cancel any query that is in the way of replay; then it is asked again.
    """
    import psycopg

    for attempt in range(ASKED_AGAIN):
        try:
            row = on.execute(sql.encode(), values).fetchone()
            return None if row is None else row[0]
        except psycopg.errors.SerializationFailure as error:
            if on.broken or attempt == ASKED_AGAIN - 1:
                raise DatabaseUnavailable(str(error.diag.message_primary)) from None
        except psycopg.Error as error:
            raise DatabaseUnavailable(" ".join(str(error).split())) from None
    return None


def launch_cluster(
    settings: Mapping[str, str],
    standbys: int,
    *,
    synchronous: bool,
    version: str | None = None,
    below: str | None = None,
) -> Cluster:
    """Start a primary and this many standbys. synchronous: COMMIT waits for all of them. version, below:
    see find_server()."""
    found = find_server(version, below)
    account = server_account(PRODUCT)
    directory = make_server_directory(account, PREFIX, f"{STANDBY}99/{SOCKET}12345", separator=",")
    names = ", ".join(f"{STANDBY}{number + 1}" for number in range(standbys))
    all_of_them = f"FIRST {standbys} ({names})" if synchronous else ""
    with keeper_for(PRODUCT, directory, account, IMMEDIATELY, environment_without("PG")) as link:
        files = executable_for(found, account, directory / "server")
        if not files.basebackup.is_file():
            raise DatabaseUnavailable(f"standbys need pg_basebackup, which is not in {found.bin}")
        common = {**SETTINGS, **REPLICATING, **settings, "synchronous_standby_names": all_of_them}
        cluster = Cluster(files, directory, link, common, account)
        start_anew(cluster, template_path(found), account, link)
        for number in range(standbys):
            cluster.add_standby(number)
    return cluster


def wait_for(conninfo: Mapping[str, str], position: str, seconds: float) -> bool:
    """Wait until a standby has replayed the log up to this position; whether it has in time."""
    until = time.monotonic() + seconds
    with connected(conninfo) as standby:
        while True:
            if ask(standby, REPLAYED, position):
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.003)


def refuse_stranger(endpoint: Endpoint, conninfo: Mapping[str, str], system: str | None) -> None:
    """UsageError for an endpoint by URL that is no standby of this system; None: not known which."""
    with connected(conninfo) as there:
        if not ask(there, "SELECT pg_is_in_recovery()"):
            raise UsageError(f"the server of the endpoint {endpoint.name!r} is no standby, but a primary")
        if system is not None and ask(there, WHOSE_LOG) != system:
            raise UsageError(
                f"the server of the endpoint {endpoint.name!r} is the standby of another server than the one "
                "that transactions write to"
            )
