"""What a fault is, and what a database must let happen to it so that faults can be injected.

A fault is a plugin object: a frozen dataclass whose fields are its options. It says by one word
which ability it needs; an adapter lists the abilities of its databases in Capabilities.faults,
and an open database says whether this very server allows it. The words below are those of
Injectable; a plugin may bring faults and databases that agree on further ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, ClassVar, Protocol, runtime_checkable

from txfuzz.database.api import Database

KILL = "kill"
TERMINATE = "terminate"
PAUSE = "pause"
LIMIT = "limit"
CUT = "cut"

Done = Mapping[str, Any]  # what was done, as data for the history: text, numbers, lists of them


class Fault(Protocol):
    """Something that can go wrong on purpose.

    needs: the ability that the database must have.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    needs: ClassVar[str]

    @property
    def lasts(self) -> float:
        """Seconds from inject() to heal()."""

    def cautions(self, database: Database) -> tuple[str, ...]:
        """Sentences about settings under which this fault means something else than it seems."""

    def inject(self, injector: Any, chance: Random) -> Done:
        """Make it happen. A TxfuzzError ends the run, after heal() was tried."""

    def heal(self, injector: Any) -> Done:
        """Undo it, as far as it is to be undone; called once after every inject()."""


@runtime_checkable
class Breakable(Protocol):
    """A Database that faults can be injected into."""

    def injector(self) -> Injectable:
        """Does it; one for the whole life of the database."""


class Injectable(Protocol):
    """Does things to a server. Called from one thread, while sessions are in use.

    Sessions meanwhile fail as the database makes them fail; what they say must stay true.
    """

    def cannot(self, ability: str) -> str | None:
        """Why this server does not allow it, as a sentence; None where it does."""

    def kill(self) -> int:
        """KILL: end all processes of the server at once, as a crash would; how many."""

    def restart(self) -> None:
        """Start the killed server again on the same data, and wait until it takes connections."""

    def terminate(self, share: float, chance: Random) -> int:
        """TERMINATE: have the server end this share of our sessions, at least one; how many."""

    def pause(self, whom: str, chance: Random) -> int:
        """PAUSE: stop processes of the server without ending them; how many.

        whom: "server" (all), "session" (that of one of our sessions) or "background" (all others).
        """

    def resume(self) -> None:
        """Let the paused processes go on."""

    def limit(self, statement_ms: int, lock_ms: int) -> None:
        """LIMIT: how long a statement, and a wait for a lock, may last from now on; 0 for ever."""

    def cut_commits(self, count: int, chance: Random) -> int:
        """CUT: cut the connections of so many sessions when they next commit, with the COMMIT
        already sent or just lost; how many sessions that will befall."""
