"""The server's end of one session: the levels of its transactions, what it waits for, what was done to it."""

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
    """How a level keeps its promise. Every level holds write locks to the end of the transaction.

    promises: the consistency model. dirty: reads see what others have written and not committed.
    snapshot: reads see the state at the beginning, and of two that write a key the first wins
    (Berenson et al., "A Critique of ANSI SQL Isolation Levels", 1995). validated: what a writing
    transaction read must still be the newest when it commits, so that it takes place at that
    moment as a whole (Kung, Robinson, "On Optimistic Methods for Concurrency Control", 1981).
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
    """Everything in it is guarded by the store's turn.

    open: a transaction is open and has met no error. began: the last commit before it began.
    hidden: commits that it does not see, by a defect. written: its own versions, not committed.
    read: key → commit of the version that it should have seen. forgiven: keys on which a defect
    hides a conflict. waits_for: the key whose lock it waits for. stopped: why a blocked call is to
    end. cut: what becomes of the next COMMIT's connection, "there" or "back".
    """

    def __init__(self) -> None:
        self.open = False
        self.gone = False
        self.paused = False
        self.stopped = ""
        self.cut = ""
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
    """The transaction certainly has no effect; the connection can be used further."""
    return SessionError(Outcome.FAIL, code, message)


def refused(message: str) -> SessionError:
    """The workload asks for what this database never does."""
    return SessionError(Outcome.BUG, REFUSED, message)


def lost(outcome: Outcome) -> SessionError:
    return SessionError(outcome, CONNECTION_LOST, "the connection is gone", lost=True)
