"""The common part of injectors for database servers; see txfuzz.database.faults.Injectable."""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Collection, Mapping
from random import Random
from typing import Generic, Protocol, TypeVar

from txfuzz.errors import DatabaseUnavailable


class Cuttable(Protocol):
    """A session whose connection can be cut at its next COMMIT.

    Cut on the way back, the server receives the COMMIT but we get no response; cut on the way there, the
    server receives nothing. The client cannot tell the difference, which is the point.
    """

    @property
    def usable(self) -> bool:
        """Whether it is open."""

    @property
    def number(self) -> int:
        """The server's number for it."""

    def cut_next_commit(self, how: int) -> None:
        """how: socket.SHUT_RD cuts the way back, socket.SHUT_RDWR both ways."""


class Restartable(Protocol):
    """An embedded server."""

    def kill(self) -> int: ...

    def start(self) -> None: ...


SomeSession = TypeVar("SomeSession", bound=Cuttable)
SomeServer = TypeVar("SomeServer", bound=Restartable)


class ServerInjector(Generic[SomeSession, SomeServer]):
    """To be subclassed with the faults of each product.

    anywhere: abilities on any server. ours: abilities on an embedded server → a participle for messages
    ("killed"). server: the embedded one, or None for an external one.
    """

    def __init__(
        self, product: str, anywhere: Collection[str], ours: Mapping[str, str], server: SomeServer | None
    ) -> None:
        self._product = product
        self._anywhere = anywhere
        self._ours = ours
        self._server = server
        self._sessions: weakref.WeakSet[SomeSession] = weakref.WeakSet()
        self._guard = threading.Lock()

    def watch(self, session: SomeSession) -> None:
        """Add a session for faults; only a weak reference is kept."""
        with self._guard:
            self._sessions.add(session)

    def cannot(self, ability: str) -> str | None:
        if ability in self._anywhere or (ability in self._ours and self._server is not None):
            return None
        if ability in self._ours:
            return f"only a server started by txfuzz can be {self._ours[ability]}"
        return f"{self._product} does not support {ability!r}"

    def kill(self) -> int:
        return self.server().kill()

    def restart(self) -> None:
        self.server().start()

    def cut_commits(self, count: int, chance: Random) -> int:
        sessions = self.usable()
        chosen = chance.sample(sessions, min(count, len(sessions)))
        for session in chosen:
            session.cut_next_commit(chance.choice((socket.SHUT_RD, socket.SHUT_RDWR)))
        return len(chosen)

    def usable(self) -> list[SomeSession]:
        """The open sessions, in a reproducible order."""
        with self._guard:
            found = [session for session in self._sessions if session.usable]
        return sorted(found, key=lambda session: session.number)

    def server(self) -> SomeServer:
        if self._server is None:
            raise DatabaseUnavailable("this server was not started by txfuzz")
        return self._server
