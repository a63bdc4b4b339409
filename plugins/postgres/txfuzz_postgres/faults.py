"""The faults for PostgreSQL; fault_injection.py carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from txfuzz.plugin_api import (
    CUT,
    KILL,
    LIMIT,
    PAUSE,
    TERMINATE,
    Database,
    Injectable,
    check_options,
    option,
)

Done = Mapping[str, int | str]


@dataclass(frozen=True)
class PostgresFault:
    """The defaults: options are checked, nothing lasts, nothing to warn about or heal."""

    name: ClassVar[str]

    def __post_init__(self) -> None:
        check_options(self, f"fault {self.name!r}")

    @property
    def lasts(self) -> float:
        return 0.0

    def cautions(self, database: Database) -> tuple[str, ...]:
        return ()

    def heal(self, injector: Any) -> Done:
        return {}


@dataclass(frozen=True)
class KillServer(PostgresFault):
    """A crash: kill -9 of every process, then a restart on the same data."""

    name: ClassVar[str] = "kill-server"
    about: ClassVar[str] = "kill -9 of all processes of the embedded server, then a restart on the same data"
    needs: ClassVar[str] = KILL

    down: float = option(0.1, "seconds until it is restarted", least=0)

    @property
    def lasts(self) -> float:
        return self.down

    def cautions(self, database: Database) -> tuple[str, ...]:
        """What was acknowledged but not written may legitimately be lost."""
        found = database.describe()
        unsafe = [name for name in ("synchronous_commit", "fsync") if found.get(name) == "off"]
        if not unsafe:
            return ()
        are = "are" if len(unsafe) > 1 else "is"
        wanted = " and ".join(f"`{name}: {'on' if name != 'fsync' else 'true'}`" for name in unsafe)
        return (
            f"{' and '.join(unsafe)} {are} off, so a killed server may lose transactions that it has "
            f"acknowledged; set {wanted} under `database:` unless that is what you are testing",
        )

    def excuses(self, database: Database) -> str:
        """kill -9 leaves what the operating system has been given, so fsync makes no difference to it."""
        if database.describe().get("synchronous_commit") != "off":
            return ""
        return "synchronous_commit is off, so the killed server may have lost what it had acknowledged"

    def inject(self, injector: Injectable, chance: Random) -> Done:
        return {"killed": injector.kill()}

    def heal(self, injector: Injectable) -> Done:
        injector.restart()
        return {}


@dataclass(frozen=True)
class TerminateBackends(PostgresFault):
    """What an administrator or a failing network does to connections."""

    name: ClassVar[str] = "terminate-backends"
    about: ClassVar[str] = "the server terminates client connections (pg_terminate_backend)"
    needs: ClassVar[str] = TERMINATE

    share: float = option(1.0, "share of the connections, at least one; 1 for all", least=0)

    def inject(self, injector: Injectable, chance: Random) -> Done:
        return {"terminated": injector.terminate(min(self.share, 1.0), chance)}


@dataclass(frozen=True)
class PauseServer(PostgresFault):
    """A machine that stalls: nothing fails, but everything is late."""

    name: ClassVar[str] = "pause-server"
    about: ClassVar[str] = "SIGSTOP, and after a while SIGCONT, to processes of the embedded server"
    needs: ClassVar[str] = PAUSE

    whom: str = option(
        "server",
        "all processes, one session's, or all except the sessions'",
        choices=("server", "session", "background"),
    )
    seconds: float = option(0.3, "seconds until they are resumed", least=0)

    @property
    def lasts(self) -> float:
        return self.seconds

    def inject(self, injector: Injectable, chance: Random) -> Done:
        return {"paused": injector.pause(self.whom, chance), "whom": self.whom}

    def heal(self, injector: Injectable) -> Done:
        injector.resume()
        return {}


@dataclass(frozen=True)
class Timeouts(PostgresFault):
    """Statements and lock waits that the server cancels."""

    name: ClassVar[str] = "timeouts"
    about: ClassVar[str] = "statement and lock timeouts that are too short, for a while (embedded server)"
    needs: ClassVar[str] = LIMIT

    statement_ms: int = option(1, "statement_timeout during the fault; 0 leaves it unchanged", least=0)
    lock_ms: int = option(1, "lock_timeout during the fault; 0 leaves it unchanged", least=0)
    seconds: float = option(0.5, "seconds until the timeouts are lifted", least=0)

    @property
    def lasts(self) -> float:
        return self.seconds

    def inject(self, injector: Injectable, chance: Random) -> Done:
        injector.limit(self.statement_ms, self.lock_ms)
        return {"statement_ms": self.statement_ms, "lock_ms": self.lock_ms}

    def heal(self, injector: Injectable) -> Done:
        injector.limit(0, 0)
        return {}


@dataclass(frozen=True)
class CutCommit(PostgresFault):
    """The one moment at which a client cannot know whether its transaction committed."""

    name: ClassVar[str] = "cut-commit"
    about: ClassVar[str] = "cuts connections while COMMIT is in flight, on the way there or back"
    needs: ClassVar[str] = CUT

    connections: int = option(1, "how many connections to cut", least=1)

    def inject(self, injector: Injectable, chance: Random) -> Done:
        return {"cut": injector.cut_commits(self.connections, chance)}


FAULTS = (KillServer, TerminateBackends, PauseServer, Timeouts, CutCommit)
