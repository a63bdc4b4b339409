"""What can be done to a server and its connections on purpose; see txfuzz.database.faults.Injectable."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import weakref
from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING

from sqlalchemy import text

from txfuzz.errors import DatabaseUnavailable

from .abilities import why_not
from .connection import BAD
from .control import Control
from .session import PostgresSession

if TYPE_CHECKING:
    from .server.launcher import EmbeddedServer


class Cuttable(PostgresSession):
    """A session whose connection can be cut at its next COMMIT.

    Cut on the way back, the server gets the COMMIT and we get no answer; cut on the way there, the
    server gets none. To the client both look alike, which is the point.
    """

    _cut: int | None = None

    @property
    def usable(self) -> bool:
        return self._conn.status != BAD

    def cut_next_commit(self, how: int) -> None:
        """how: socket.SHUT_RD cuts the way back, socket.SHUT_RDWR both ways."""
        self._cut = how

    def _before_commit(self) -> None:
        super()._before_commit()
        how, self._cut = self._cut, None
        if how is not None:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._conn.socket)) as double:
                double.shutdown(how)


class Injector:
    """Does it, to the server of one campaign. server: ours, or None for somebody else's."""

    def __init__(self, control: Control, application: str, server: EmbeddedServer | None) -> None:
        self._control = control
        self._application = application
        self._server = server
        self._sessions: weakref.WeakSet[Cuttable] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._paused: list[int] = []

    def watch(self, session: Cuttable) -> None:
        """Sessions that commits can be cut of; forgotten with them."""
        with self._guard:
            self._sessions.add(session)

    def cannot(self, ability: str) -> str | None:
        return why_not(ability, embedded=self._server is not None)

    def kill(self) -> int:
        return self._own().kill()

    def restart(self) -> None:
        self._own().start()

    def terminate(self, share: float, chance: Random) -> int:
        pids = self._backends()
        if not pids:  # all of them are away already
            return 0
        chosen = chance.sample(pids, max(1, round(share * len(pids))))
        ended = text("SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM unnest(:pids) AS pid")
        return int(self._control.run(lambda on: on.scalar(ended, {"pids": chosen})) or 0)

    def pause(self, whom: str, chance: Random) -> int:
        server = self._own()
        backends = self._backends() if whom != "server" else []
        if whom == "session":
            pids = chance.sample(backends, min(1, len(backends)))
        else:
            pids = [pid for pid in server.processes() if pid not in backends]
        if whom == "background":  # the postmaster and our own control connection go on
            pids = [pid for pid in pids if pid not in (server.pid, self._control_pid())]
        self._paused = pids
        return server.pause(pids)

    def resume(self) -> None:
        pids, self._paused = self._paused, []
        self._own().resume(pids)

    def limit(self, statement_ms: int, lock_ms: int) -> None:
        """For all sessions at once, those that are open included: from their next statement on."""
        wished = {"statement_timeout": statement_ms, "lock_timeout": lock_ms}
        changes = [
            f"ALTER SYSTEM SET {name} = {value}" if value else f"ALTER SYSTEM RESET {name}"
            for name, value in wished.items()
        ]
        self._control.run_alone([*changes, "SELECT pg_reload_conf()"])

    def cut_commits(self, count: int, chance: Random) -> int:
        with self._guard:
            sessions = [session for session in self._sessions if session.usable]
        chosen = chance.sample(sessions, min(count, len(sessions)))
        for session in chosen:
            session.cut_next_commit(chance.choice((socket.SHUT_RD, socket.SHUT_RDWR)))
        return len(chosen)

    def _own(self) -> EmbeddedServer:
        if self._server is None:
            raise DatabaseUnavailable("this is somebody else's server")
        return self._server

    def _backends(self) -> list[int]:
        """The processes of our sessions, without the control connection's."""
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
