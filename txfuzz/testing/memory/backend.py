"""The server side of one session: isolation level, lock waits and injected faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.database.api import Outcome, ReadValue, SessionError

CONFLICT = "conflict"
DEADLOCK = "deadlock"
CANCELLED = "cancelled"
TIMED_OUT = "timed-out"
NO_TRANSACTION = "no-transaction"
CONNECTION_LOST = "connection-lost"
REFUSED = "refused"


@dataclass(frozen=True)
class Level:
    """How a level keeps its promise. Every level holds write locks until the transaction ends.

    promises: the consistency model. dirty: reads see others' uncommitted writes.
    snapshot: reads see the state at the beginning, and the first of two writers of a key wins
    (Berenson et al., "A Critique of ANSI SQL Isolation Levels", 1995). validated: what a writing
    transaction read must still be the newest when it commits, so that it takes effect as a whole
    at that moment (Kung, Robinson, "On Optimistic Methods for Concurrency Control", 1981).
    """

    promises: str
    dirty: bool = False
    snapshot: bool = False
    validated: bool = False


LEVELS: Mapping[str, Level] = {
    "read uncommitted": Level("read-uncommitted", dirty=True),
    "read committed": Level("read-committed"),
    "snapshot": Level("strong-snapshot-isolation", snapshot=True),
    "serializable": Level("strict-serializable", snapshot=True, validated=True),
}
DEFAULT_LEVEL = "serializable"


class Backend:
    """Guarded by the store's lock (`turn`).

    open: a transaction is open and has had no error. began: the last commit before it began.
    hidden: commits that a defect hides from it. written: its own uncommitted versions.
    read: key → commit of the version that it should have seen. forgiven: keys on which a defect
    hides a conflict. waits_for: the key whose lock it waits for. stopped: why a blocked call must
    end. cut: where the connection is lost at the next COMMIT, on the way "there" or "back". form: of its
    last statement.
    """

    def __init__(self) -> None:
        self.open = False
        self.gone = False
        self.paused = False
        self.stopped = ""
        self.cut = ""
        self.form: str | None = None
        self.waits_for: int | None = None
        self.level: Level = LEVELS[DEFAULT_LEVEL]
        self.start(self.level, 0, frozenset())
        self.open = False

    def start(self, level: Level, began: int, hidden: frozenset[int]) -> None:
        """A new transaction."""
        self.open, self.level, self.began, self.hidden = True, level, began, hidden
        self.written: dict[int, ReadValue] = {}
        self.read: dict[int, int] = {}
        self.forgiven: set[int] = set()


def failed(code: str, message: str) -> SessionError:
    """The transaction certainly has no effect; the connection remains usable."""
    return SessionError(Outcome.FAIL, code, message)


def refused(message: str) -> SessionError:
    """The workload asks for something that this database does not support."""
    return SessionError(Outcome.BUG, REFUSED, message)


def lost(outcome: Outcome) -> SessionError:
    return SessionError(outcome, CONNECTION_LOST, "the connection is gone", lost=True)
