"""The database in memory under `check`: transactions of reads and appends, and tables of lists.

With defects it shows that a check finds what is there, and without them that it finds nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from txfuzz.check.contract import Arguments
from txfuzz.check.scheduling.threads import Body, Stop
from txfuzz.check.serial.outcome import CallOutcome, Ending, StatementOutcome
from txfuzz.check.transaction import CommitPoint, StatementPoint
from txfuzz.common.closeable import Closeable
from txfuzz.common.kind import Kind
from txfuzz.database.api import Outcome, SessionError
from txfuzz.database.scenario import (
    Accesses,
    AdoptedSession,
    Cell,
    ColumnFacts,
    Rows,
    ScenarioSession,
    StatementAnswer,
)
from txfuzz.testing.memory.backend import CONFLICT, DEADLOCK, DEFAULT_LEVEL, LEVELS, Backend, refused
from txfuzz.testing.memory.database import MemoryDatabase

SERIALLY = "serializable, with no defect awake"  # the level of serial orders
TABLE = "lists"
_SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class MemoryTransaction:
    """A CheckedTransaction. steps: ("r" | "lock" | "append", key). number: tells its appends from those of
    other transactions; `by`, its one parameter, those of two calls."""

    name: str
    steps: tuple[tuple[str, int], ...]
    number: int = 1
    by: tuple[int, ...] = (1, 2)

    @property
    def params(self) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
        return (("by", self.by),)

    def call(self, label: str, arguments: Arguments, isolation: str) -> MemoryCall:
        return MemoryCall(label, self, arguments, isolation)


@dataclass(frozen=True)
class MemoryCall:
    label: str
    transaction: MemoryTransaction
    arguments: Arguments
    isolation: str

    def at(self, isolation: str) -> MemoryCall:
        return replace(self, isolation=isolation)

    @property
    def points(self) -> int:
        return len(self.transaction.steps) + 1

    def body(self, session: ScenarioSession, retried: frozenset[str]) -> Body:
        assert isinstance(session, MemoryCheckedSession)

        def run(stop: Stop) -> CallOutcome:
            seen: list[StatementOutcome] = []
            committing = False
            try:
                for number, (f, key) in enumerate(self.transaction.steps):
                    stop(StatementPoint(number, f"{f} {key}"))
                    if number == 0:
                        session.begin(self.isolation)
                    seen.append(self._step(session, number, f, key))
                stop(CommitPoint())
                committing = True
                session.commit()
            except SessionError as error:
                session.rollback()
                unknown = committing and error.outcome is Outcome.INFO
                ending = Ending.UNKNOWN if unknown else Ending.ABORTED
                return CallOutcome(ending, tuple(seen), error.code, message=error.message, lost=error.lost)
            return CallOutcome(Ending.COMMITTED, tuple(seen))

        return run

    def _step(self, session: MemoryCheckedSession, number: int, f: str, key: int) -> StatementOutcome:
        if f == "append":
            session.append(key, 100 * self.transaction.number + 10 * int(self.arguments["by"]) + number)
            return StatementOutcome(number, changed=1)
        return StatementOutcome(number, Rows(("value",), ((session.read(key, lock=f == "lock"),),)))


class MemoryTables(Closeable):
    """ScenarioTables of lists. commits: what transactions have appended before, one after the other."""

    retried = frozenset({CONFLICT, DEADLOCK})
    deadlocks = frozenset({DEADLOCK})

    def __init__(self, database: MemoryDatabase, commits: Sequence[Mapping[int, int]]) -> None:
        self._database, self._commits = database, tuple(commits)
        self._store, self.defects = database.internals(Kind.LIST_APPEND)
        self.reset()

    def facts(self) -> ColumnFacts:
        return ColumnFacts()

    def reset(self) -> None:
        self._store.clear()
        backend = self._store.connect()
        for commit in self._commits:
            self._store.begin(backend, DEFAULT_LEVEL)
            for key, value in commit.items():
                self._store.write(backend, key, value)
            self._store.commit(backend)
        self._store.disconnect(backend)

    def tables(self) -> Mapping[str, Rows]:
        return {TABLE: Rows(("key", "value"), tuple(self._store.newest().items()))}

    def query(self, sql: str) -> NoReturn:
        raise refused(f"the database in memory takes no SQL: {sql}")

    def session(self) -> MemoryCheckedSession:
        return MemoryCheckedSession(self, self._store.connect())

    def keep(self) -> NoReturn:
        raise refused("the database in memory keeps what it was given")

    def url(self) -> NoReturn:
        raise refused("the database in memory has no URL")

    def adopt(self, connection: Any) -> NoReturn:
        raise refused("the database in memory has no driver")

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        places = {
            each.backend: at for at, each in enumerate(sessions) if isinstance(each, MemoryCheckedSession)
        }
        return {
            places[waiter]: frozenset({places[owner]} if owner in places else ())
            for waiter, owner in self._store.waits().items()
            if waiter in places
        }

    def accesses(self, session: ScenarioSession | AdoptedSession) -> Accesses | None:
        """See SeesAccesses. A defect may look anywhere."""
        if self.defects.planted or not isinstance(session, MemoryCheckedSession):
            return None
        return session.accessed()

    def close(self) -> None:
        for backend in self._store.connected():
            self._store.disconnect(backend)


class MemoryCheckedSession:
    """A ScenarioSession whose statements are methods."""

    def __init__(self, tables: MemoryTables, backend: Backend) -> None:
        self._tables, self.backend = tables, backend
        self._store, _ = tables._database.internals(Kind.LIST_APPEND)
        self._read: set[str] = set()
        self._changed: set[str] = set()
        self._keys: set[tuple[int, bool]] = set()

    def begin(self, isolation: str, *, read_only: bool = False, deferrable: bool = False) -> None:
        self._tables.defects.asleep = isolation == SERIALLY
        level = DEFAULT_LEVEL if isolation == SERIALLY else isolation
        self._store.begin(self.backend, level)
        self._keys = set()
        if LEVELS[level].snapshot:
            self._read.add(_SNAPSHOT)

    def run(self, sql: str, arguments: Mapping[str, Cell]) -> StatementAnswer:
        raise refused(f"the database in memory takes no SQL: {sql}")

    def read(self, key: int, *, lock: bool) -> Cell:
        self._keys.add((key, lock))
        self._read.add(f"{key} committed")
        if lock:
            self._changed.add(f"{key}")
        elif self.backend.level.dirty:
            self._read.add(f"{key}")
        return self._store.read(self.backend, key, lock=lock)

    def append(self, key: int, value: int) -> None:
        self._keys.add((key, True))
        self._read.add(f"{key} committed")
        self._changed.add(f"{key}")
        self._store.write(self.backend, key, value)

    def commit(self) -> None:
        self._ends()
        self._store.commit(self.backend)

    def rollback(self) -> None:
        self._ends()
        self._store.rollback(self.backend)

    def _ends(self) -> None:
        written = {key for key, locked in self._keys if locked}
        self._changed |= {f"{key}" for key in written} | {f"{key} committed" for key in written}
        self._changed |= {_SNAPSHOT} if written else set()
        self._read |= {f"{key} committed" for key, _ in self._keys}

    def accessed(self) -> Accesses:
        found = Accesses(frozenset(self._read), frozenset(self._changed))
        self._read, self._changed = set(), set()
        return found

    def cancel(self) -> None:
        self._store.cancel(self.backend)

    def close(self) -> None:
        self._store.disconnect(self.backend)
