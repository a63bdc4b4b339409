"""The server's end of one session: its transaction, what it waits for, and what was done to it."""

from __future__ import annotations

from txfuzz.database.api import Outcome, ReadValue, SessionError
from txfuzz.testing.memory.levels import DEFAULT, LEVELS, Level

CONFLICT = "conflict"
DEADLOCK = "deadlock"
CANCELLED = "cancelled"
TIMED_OUT = "timed-out"
NO_TRANSACTION = "no-transaction"
CONNECTION_LOST = "connection-lost"
REFUSED = "refused"


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
        self.level: Level = LEVELS[DEFAULT]
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
