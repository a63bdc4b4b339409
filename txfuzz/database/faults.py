"""Faults, and what a database must support so that faults can be injected.

A fault is a plugin object: a frozen dataclass whose fields are its options. It names the ability that it
needs; an adapter lists the abilities of its databases in Capabilities.faults, and an open database says
whether this server has it. The abilities below are those of Injectable; plugins may add others.
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

Done = Mapping[str, Any]  # details for the history: text, numbers, lists of them


class Fault(Protocol):
    """A fault to inject. needs: the ability that the database must have."""

    name: ClassVar[str]
    about: ClassVar[str]
    needs: ClassVar[str]

    @property
    def lasts(self) -> float:
        """Seconds from inject() to heal()."""

    def cautions(self, database: Database) -> tuple[str, ...]:
        """Warnings about settings that change the meaning of this fault."""

    def inject(self, injector: Any, chance: Random) -> Done:
        """Inject it. A TxfuzzError ends the run, after heal() was tried."""

    def heal(self, injector: Any) -> Done:
        """Undo it, if necessary; called once after every inject()."""


@runtime_checkable
class MayExcuse(Protocol):
    """A Fault after which the database may break its promise, if its settings allow that."""

    def excuses(self, database: Database) -> str:
        """Why it may, under these settings, in a clause; empty if it may not."""


@runtime_checkable
class Breakable(Protocol):
    """A Database that faults can be injected into."""

    def injector(self) -> Injectable:
        """The injector, the same for the whole lifetime of the database."""


class Injectable(Protocol):
    """Injects faults into a server. Called from one thread while sessions are in use.

    Sessions may fail meanwhile, but their outcomes must stay correct.
    """

    def cannot(self, ability: str) -> str | None:
        """Why this server does not support it, as a sentence; None if it does."""

    def kill(self) -> int:
        """KILL: kill all processes of the server at once, as in a crash; how many."""

    def restart(self) -> None:
        """Restart the killed server on the same data, and wait until it accepts connections."""

    def terminate(self, share: float, chance: Random) -> int:
        """TERMINATE: have the server terminate this share of our sessions, at least one; how many."""

    def pause(self, whom: str, chance: Random) -> int:
        """PAUSE: suspend processes of the server; how many.

        whom: "server" (all), "session" (that of one of our sessions) or "background" (all others).
        """

    def resume(self) -> None:
        """Resume the paused processes."""

    def limit(self, statement_ms: int, lock_ms: int) -> None:
        """LIMIT: set the timeouts of statements and of waits for locks; 0 for none."""

    def cut_commits(self, count: int, chance: Random) -> int:
        """CUT: cut the connections of this many sessions at their next COMMIT, before or after it reaches
        the server; how many sessions that will affect."""
