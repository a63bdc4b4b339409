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
from typing import Any, TypeVar

from ..codes import PRIMARY, code_of

Result = TypeVar("Result")
LONGEST = 0.02  # seconds until a lock is tried again that nobody is known to have let go
LONGEST_CALL = 2.0  # seconds that an interrupted call may take to end
_WORDS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*([a-z]+)\s*([a-z]*)", re.IGNORECASE | re.DOTALL)
_ENDING = frozenset({"commit", "end"})
_TAKES_NO_LOCK = frozenset({"savepoint", "release", "rollback"})


class Waiting:
    """What a call comes to that has to wait for a lock."""


class LockUser:
    """One connection, and what is known of its locks.

    patient: it waits for locks; else it has told the library not to.
    """

    def __init__(self, connection: sqlite3.Connection, waits: LockWaits, *, patient: bool = True) -> None:
        self.connection, self._waits, self._patient = connection, waits, patient
        self._touched = False  # the transaction has run a statement and may hold locks
        self._running = threading.Lock()
        self._tried: Callable[[], Any] = Waiting
        self.cancelled = False

    @property
    def holds(self) -> bool:
        return self._touched and self.connection.in_transaction

    def run(self, call: Callable[[], Result], statement: str) -> Result:
        """call: runs this statement; it is called again where it has to wait."""
        waits, ended = self._begun(statement)
        try:
            return self._waits.run(self, lambda: self._alone(call), waits)
        finally:
            ended()

    def start(self, call: Callable[[], Result], statement: str) -> None:
        """The same without waiting: tried() tells what it has come to."""
        waits, ended = self._begun(statement)

        def tried() -> Result | Waiting:
            try:
                found = self._waits.tried(self, lambda: self._alone(call), waits)
            except BaseException:
                ended()
                raise
            if not isinstance(found, Waiting):
                ended()
            return found

        self._tried = tried

    def tried(self) -> Any:
        """What the call returns that start() was given; Waiting as long as it has to wait. Not asked again
        after anything else."""
        return self._tried()

    def _begun(self, statement: str) -> tuple[Callable[[sqlite3.Error], bool], Callable[[], None]]:
        """Whether an error of this statement means that it waits, and what is to be noted at its end."""
        found = _WORDS.match(statement)
        word, second = (found[1].lower(), found[2].lower()) if found else ("", "")
        self._touched = self.holds
        self.cancelled = False

        def waits(error: sqlite3.Error) -> bool:
            code = code_of(error)
            if code & PRIMARY != sqlite3.SQLITE_BUSY or code == sqlite3.SQLITE_BUSY_SNAPSHOT:
                return False
            return self._patient and not self.cancelled and (word in _ENDING or not self._touched)

        def ended() -> None:
            takes = second in ("immediate", "exclusive") if word == "begin" else word not in _TAKES_NO_LOCK
            self._touched = self._touched or takes

        return waits, ended

    def _alone(self, call: Callable[[], Result]) -> Result:
        with self._running:
            return call()

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
            self._gone_on(user)

    def tried(
        self, user: LockUser, call: Callable[[], Result], waits: Callable[[sqlite3.Error], bool]
    ) -> Result | Waiting:
        """As run(), but that it returns where that would wait; then it is to be tried again."""
        with self._changed:
            if user in self._refused and not (user.cancelled or self._may_try(user)):
                return Waiting()
            seen = self._round
        try:
            found = call()
        except sqlite3.Error as error:
            if waits(error):
                with self._changed:
                    self._refused[user] = seen
                return Waiting()
            self._gone_on(user)
            raise
        self._gone_on(user)
        return found

    def _gone_on(self, user: LockUser) -> None:
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
