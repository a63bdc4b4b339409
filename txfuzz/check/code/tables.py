"""The tables of a scenario while code of somebody's own works on them; see ScenarioTables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from threading import Thread
from typing import Any

from txfuzz.check.code.connections import Connections
from txfuzz.check.code.resources import Resources
from txfuzz.check.code.session import CodeSession, waiting_sessions
from txfuzz.common.closeable import Closeable
from txfuzz.database.drivers import Drivers
from txfuzz.database.error_meanings import constraint_codes, deadlock_codes
from txfuzz.database.scenario import (
    AdoptedSession,
    ColumnFacts,
    Rows,
    ScenarioSession,
    ScenarioTables,
)

SECONDS = 10.0


class CodeTables(Closeable):
    """The drivers' calls are met already. opened: all that is to be left with it, the tables among it.

    restore: puts the rows back before every attempt, where that is somebody else's affair than the tables'.
    state: what is to be compared in the end in the place of all rows. seconds: of a call that runs alone.
    strangers: threads that run nothing of what is checked.
    """

    def __init__(
        self,
        tables: ScenarioTables,
        drivers: Drivers,
        resources: Resources,
        *,
        restore: Callable[[], None] | None = None,
        state: Callable[[], Mapping[str, Rows]] | None = None,
        seconds: float = SECONDS,
        strangers: Collection[Thread] = (),
        opened: ExitStack,
    ) -> None:
        self._tables = tables
        self.resources = resources
        self._restore = restore or tables.reset
        self._state = state
        self._connections = Connections(drivers, tables.adopt, strangers)
        self._seconds, self._opened = seconds, opened

    @property
    def retried(self) -> frozenset[str]:
        return self._tables.retried

    @property
    def deadlocks(self) -> frozenset[str]:
        """See NamesDeadlocks."""
        return deadlock_codes(self._tables)

    @property
    def constraints(self) -> frozenset[str]:
        """See NamesConstraints."""
        return constraint_codes(self._tables)

    def facts(self) -> ColumnFacts:
        return self._tables.facts() if self._state is None else ColumnFacts()

    def reset(self) -> None:
        self._restore()

    def tables(self) -> Mapping[str, Rows]:
        return self._tables.tables() if self._state is None else self._state()

    def query(self, sql: str) -> Rows:
        return self._tables.query(sql)

    def session(self) -> CodeSession:
        return CodeSession(self._connections, self._tables.session, self.reset, self._seconds)

    def keep(self) -> None:
        self._tables.keep()

    def url(self) -> str:
        return self._tables.url()

    def adopt(self, connection: Any) -> AdoptedSession:
        return self._tables.adopt(connection)

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        return waiting_sessions(sessions, self._tables.waiting)

    def close(self) -> None:
        self._opened.close()
