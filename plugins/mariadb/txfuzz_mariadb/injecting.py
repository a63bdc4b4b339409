"""What can be done to a server and its connections on purpose; see txfuzz.database.faults.Injectable."""

from __future__ import annotations

import socket
import threading
import weakref
from random import Random
from typing import TYPE_CHECKING

from txfuzz.errors import DatabaseUnavailable, UsageError

from .abilities import why_not
from .connection import FAILURES, Link
from .control import Control
from .session import MariadbSession

if TYPE_CHECKING:
    from .server.launcher import EmbeddedServer


class Cuttable(MariadbSession):
    """A session whose connection can be cut at its next COMMIT.

    Cut on the way back, the server gets the COMMIT and we get no answer; cut on the way there, the
    server gets none. To the client both look alike, which is the point.
    """

    _cut: int | None = None

    def cut_next_commit(self, how: int) -> None:
        """how: socket.SHUT_RD cuts the way back, socket.SHUT_RDWR both ways."""
        self._cut = how

    def _before_commit(self) -> None:
        super()._before_commit()
        how, self._cut = self._cut, None
        if how is not None:
            self._link.cut(how)


class Injector:
    """Does it, to the server of one campaign. server: ours, or None for somebody else's."""

    def __init__(self, control: Control, server: EmbeddedServer | None) -> None:
        self._control = control
        self._server = server
        self._sessions: weakref.WeakSet[Cuttable] = weakref.WeakSet()
        self._guard = threading.Lock()

    def watch(self, session: Cuttable) -> None:
        """A session that faults can befall; forgotten with it."""
        with self._guard:
            self._sessions.add(session)

    def cannot(self, ability: str) -> str | None:
        return why_not(ability, embedded=self._server is not None)

    def kill(self) -> int:
        return self._own().kill()

    def restart(self) -> None:
        self._own().start()

    def terminate(self, share: float, chance: Random) -> int:
        sessions = self._usable()
        if not sessions:  # all of them are away already
            return 0
        chosen = chance.sample(sessions, max(1, round(share * len(sessions))))

        def end(link: Link) -> int:
            ended = 0
            for session in chosen:
                try:
                    link.run(f"KILL CONNECTION {session.thread_id:d}")
                    ended += 1
                except FAILURES:
                    if not link.open:
                        raise
            return ended

        return self._control.run(end)

    def pause(self, whom: str, chance: Random) -> int:
        if whom != "server":
            raise UsageError(f"MariaDB is one process, which can only be paused as a whole, not its {whom}")
        return self._own().pause()

    def resume(self) -> None:
        self._own().resume()

    def limit(self, statement_ms: int, lock_ms: int) -> None:
        raise UsageError("MariaDB has no time-outs that sessions take over while they are open")

    def cut_commits(self, count: int, chance: Random) -> int:
        sessions = self._usable()
        chosen = chance.sample(sessions, min(count, len(sessions)))
        for session in chosen:
            session.cut_next_commit(chance.choice((socket.SHUT_RD, socket.SHUT_RDWR)))
        return len(chosen)

    def _usable(self) -> list[Cuttable]:
        with self._guard:
            found = [session for session in self._sessions if session.usable]
        return sorted(found, key=lambda session: session.thread_id)

    def _own(self) -> EmbeddedServer:
        if self._server is None:
            raise DatabaseUnavailable("this is somebody else's server")
        return self._server
