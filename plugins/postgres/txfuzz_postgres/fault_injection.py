"""Faults in a server and its connections; see txfuzz.plugin_api.Injectable."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING

from sqlalchemy import text

from txfuzz.plugin_api import DatabaseUnavailable, ServerInjector

from .options import FAULTS_ANYWHERE, FAULTS_OF_OUR_OWN
from .protocol.control import Control
from .protocol.session import PostgresSession
from .replicas.cluster import Cluster, Standby, ask, connected
from .replicas.promises import FAIL_OVER, KILL_STANDBY, LAG

if TYPE_CHECKING:
    from .server.launcher import EmbeddedServer


class Injector(ServerInjector[PostgresSession, "EmbeddedServer"]):
    """Injects faults for one campaign. server: our own, or None if the server is not ours."""

    def __init__(self, control: Control, application: str, server: EmbeddedServer | None) -> None:
        super().__init__("PostgreSQL", FAULTS_ANYWHERE, FAULTS_OF_OUR_OWN, server)
        self._control = control
        self._application = application
        self._paused: list[int] = []
        self._killed: Standby | None = None
        self._successor: Standby | None = None

    def cannot(self, ability: str) -> str | None:
        if ability not in (LAG, KILL_STANDBY, FAIL_OVER):
            return super().cannot(ability)
        if isinstance(self._server, Cluster):
            return None
        return "it needs a standby that txfuzz has started: set `standbys: 1` under `database:`"

    # -- standbys: the abilities LAG, KILL_STANDBY and FAIL_OVER ------------------------------

    def pause_replay(self) -> int:
        """Have the standbys receive the log and not replay it; how many."""
        return self._on_standbys("SELECT pg_wal_replay_pause()")

    def resume_replay(self) -> None:
        self._on_standbys("SELECT pg_wal_replay_resume()")

    def kill_standby(self, chance: Random) -> int:
        """kill -9 all processes of a standby; how many."""
        self._killed = chance.choice(self.cluster().standbys)
        return self._killed.kill()

    def restart_standby(self) -> None:
        if self._killed is not None:
            self._killed.start()
        self._killed = None

    def stop_sending(self, chance: Random) -> int:
        """Have the primary send nothing to its standbys, one of which is to take over; how many."""
        cluster = self.cluster()
        self._successor = chance.choice(cluster.standbys)
        return cluster.stop_sending()

    def fail_over(self) -> int:
        """Kill the primary and promote the standby that is to take over; how many connections that had."""
        successor, self._successor = self._successor, None
        return 0 if successor is None else self.cluster().fail_over(successor)

    def cluster(self) -> Cluster:
        if not isinstance(self._server, Cluster):
            raise DatabaseUnavailable("this server has no standbys")
        return self._server

    def _on_standbys(self, sql: str) -> int:
        for standby in self.cluster().standbys:
            with connected(standby.conninfo) as on:
                ask(on, sql)
        return len(self.cluster().standbys)

    # -- any server -----------------------------------------------------------------------------

    def terminate(self, share: float, chance: Random) -> int:
        pids = self._backends()
        if not pids:  # all are gone already
            return 0
        chosen = chance.sample(pids, max(1, round(share * len(pids))))
        ended = text("SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM unnest(:pids) AS pid")
        return int(self._control.run(lambda on: on.scalar(ended, {"pids": chosen})) or 0)

    def pause(self, whom: str, chance: Random) -> int:
        server = self.server()
        backends = self._backends() if whom != "server" else []
        if whom == "session":
            pids = chance.sample(backends, min(1, len(backends)))
        else:
            pids = [pid for pid in server.processes() if pid not in backends]
        if whom == "background":  # the postmaster and our control connection keep running
            pids = [pid for pid in pids if pid not in (server.pid, self._control_pid())]
        self._paused = pids
        return server.pause(pids)

    def resume(self) -> None:
        pids, self._paused = self._paused, []
        self.server().resume(pids)

    def limit(self, statement_ms: int, lock_ms: int) -> None:
        """For all sessions, including open ones, from their next statement on."""
        wished = {"statement_timeout": statement_ms, "lock_timeout": lock_ms}
        changes = [
            f"ALTER SYSTEM SET {name} = {value}" if value else f"ALTER SYSTEM RESET {name}"
            for name, value in wished.items()
        ]
        self._control.run_alone([*changes, "SELECT pg_reload_conf()"])

    def _backends(self) -> list[int]:
        """The processes of our sessions, excluding the control connection."""
        found = text(
            "SELECT pid FROM pg_stat_activity WHERE application_name = :name AND pid <> pg_backend_pid() "
            "ORDER BY pid"
        )
        rows: Iterable[int] = self._control.run(
            lambda on: on.scalars(found, {"name": self._application}).all()
        )
        return list(rows)

    def _control_pid(self) -> int:
        return int(self._control.run(lambda on: on.scalar(text("SELECT pg_backend_pid()"))) or 0)
