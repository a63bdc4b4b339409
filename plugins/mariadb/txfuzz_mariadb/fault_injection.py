"""Faults in a server and its connections; see txfuzz.plugin_api.Injectable."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from txfuzz.plugin_api import ControlConnection, ServerInjector, UsageError

from .options import FAULTS_ANYWHERE, FAULTS_OF_OUR_OWN
from .protocol.connection import FAILURES, Link
from .protocol.session import MariadbSession

if TYPE_CHECKING:
    from .server.launcher import EmbeddedServer


class Injector(ServerInjector[MariadbSession, "EmbeddedServer"]):
    """Injects faults for one campaign. server: our own, or None if the server is not ours."""

    def __init__(self, control: ControlConnection[Link], server: EmbeddedServer | None) -> None:
        super().__init__("MariaDB", FAULTS_ANYWHERE, FAULTS_OF_OUR_OWN, server)
        self._control = control

    def terminate(self, share: float, chance: Random) -> int:
        sessions = self.usable()
        if not sessions:  # all are gone already
            return 0
        chosen = chance.sample(sessions, max(1, round(share * len(sessions))))

        def end(link: Link) -> int:
            ended = 0
            for session in chosen:
                try:
                    link.run(f"KILL CONNECTION {session.number:d}")
                    ended += 1
                except FAILURES:
                    if not link.open:
                        raise
            return ended

        return self._control.run(end)

    def pause(self, whom: str, chance: Random) -> int:
        if whom != "server":
            raise UsageError(f"MariaDB is a single process: it can only be paused as a whole, not its {whom}")
        return self.server().pause()

    def resume(self) -> None:
        self.server().resume()

    def limit(self, statement_ms: int, lock_ms: int) -> None:
        raise UsageError("MariaDB has no timeouts that take effect in open sessions")
