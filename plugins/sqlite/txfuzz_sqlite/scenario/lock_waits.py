"""Who waits for a lock, as the threads that wait say themselves.

SQLite's own way to wait is to try again and again inside the library, where nobody sees it. So sessions
here never wait there: they try again when another one has gone on, and until then are known to wait.

Where the library itself would not wait, they do not either. It asks a busy handler only at the first
statement of a transaction that takes a lock, and at COMMIT: whoever holds a lock already and wants a
stronger one is refused at once, since two of those would wait for each other.
https://www.sqlite.org/c3ref/busy_handler.html
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from ..codes import PRIMARY, code_of

Result = TypeVar("Result")
LONGEST = 0.02  # seconds until a lock is tried again that nobody is known to have let go
LONGEST_CALL = 2.0  # seconds that an interrupted call may take to end
_WORDS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*([a-z]+)\s*([a-z]*)", re.IGNORECASE | re.DOTALL)
_ENDING = frozenset({"commit", "end"})
_TAKES_NO_LOCK = frozenset({"savepoint", "release", "rollback"})


class LockUser:
    """One connection, and what is known of its locks.

    patient: it waits for locks; else it has told the library not to.
    """

    def __init__(self, connection: sqlite3.Connection, waits: LockWaits, *, patient: bool = True) -> None:
        self.connection, self._waits, self._patient = connection, waits, patient
        self._touched = False  # the transaction has run a statement and may hold locks
        self._running = threading.Lock()
        self.cancelled = False

    @property
    def holds(self) -> bool:
        return self._touched and self.connection.in_transaction

    def run(self, call: Callable[[], Result], statement: str) -> Result:
        """call: runs this statement; it is called again where it has to wait."""
        found = _WORDS.match(statement)
        word, second = (found[1].lower(), found[2].lower()) if found else ("", "")
        self._touched = self.holds
        self.cancelled = False

        def waits(error: sqlite3.Error) -> bool:
            code = code_of(error)
            if code & PRIMARY != sqlite3.SQLITE_BUSY or code == sqlite3.SQLITE_BUSY_SNAPSHOT:
                return False
            return self._patient and not self.cancelled and (word in _ENDING or not self._touched)

        def alone() -> Result:
            with self._running:
                return call()

        try:
            return self._waits.run(self, alone, waits)
        finally:
            takes = second in ("immediate", "exclusive") if word == "begin" else word not in _TAKES_NO_LOCK
            self._touched = self._touched or takes

    def close(self) -> None:
        """Close the connection, which must not happen under a call: one that does not end keeps it open."""
        if self._running.acquire(timeout=LONGEST_CALL):
            try:
                self.connection.close()
            finally:
                self._running.release()

    def cancel(self) -> None:
        """A call that waits raises the error for which it does. From another thread."""
        self.cancelled = True
        self._waits.wake()


class LockWaits:
    """Of the connections to one database. Those that wait try again one after the other, the one first that
    has waited longest, so that the same schedule comes to the same each time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._round = 0  # grows whenever somebody has gone on
        self._refused: dict[LockUser, int] = {}  # in which round last; in the order in which they came

    def run(
        self, user: LockUser, call: Callable[[], Result], waits: Callable[[sqlite3.Error], bool]
    ) -> Result:
        try:
            while True:
                seen = self._round
                try:
                    return call()
                except sqlite3.Error as error:
                    if not waits(error):
                        raise
                with self._changed:
                    self._refused[user] = seen
                    self._changed.notify_all()
                    while not (user.cancelled or self._may_try(user)):
                        told = self._changed.wait(LONGEST)
                        if not told and self._settled():
                            break
        finally:
            with self._changed:
                self._refused.pop(user, None)
                self._round += 1
                self._changed.notify_all()

    def _may_try(self, user: LockUser) -> bool:
        """Somebody has gone on since, and those who have waited longer have been refused again."""
        if self._refused[user] == self._round:
            return False
        for each, when in self._refused.items():
            if each is user:
                return True
            if when != self._round:
                return False
        return True

    def _settled(self) -> bool:
        return all(when == self._round for when in self._refused.values())

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def among(self, users: Sequence[LockUser]) -> Mapping[int, frozenset[int]]:
        """By place, those that wait → for which of the others."""
        with self._changed:
            waiting = {at for at, each in enumerate(users) if self._refused.get(each) == self._round}
        return {
            at: frozenset(other for other, each in enumerate(users) if other != at and each.holds)
            for at in waiting
        }
