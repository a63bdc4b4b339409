"""The tables of a hunt: one set for each layout and each state of the rows, made when they are needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Self

from txfuzz.check.run import ProgramRunner
from txfuzz.common.closeable import Closeable
from txfuzz.database.api import SessionError
from txfuzz.database.scenario import (
    AdoptedSession,
    CanRest,
    ColumnFacts,
    HoldsScenarios,
    KeepsSettings,
    Rows,
    ScenarioSession,
    ScenarioTables,
)
from txfuzz.errors import DatabaseUnavailable
from txfuzz.hunt.form import RowState
from txfuzz.hunt.layout import Layout

MOST_OPEN = 8  # sets of tables with connections
MOST_KEPT = 400  # sets that are there, where those that rest cost little
_PROGRAMS = 200  # that a runner is given before it is made anew: it remembers what each came to in series


class LayoutTables:
    """ScenarioTables whose sessions have the settings of a layout. anew: statements that make the tables
    anew after each reset, at this level."""

    def __init__(
        self, tables: ScenarioTables, settings: Sequence[str], anew: Sequence[str] = (), level: str = ""
    ) -> None:
        self._tables, self._settings, self._anew, self._level = tables, tuple(settings), tuple(anew), level
        self._maker: ScenarioSession | None = None

    @property
    def retried(self) -> frozenset[str]:
        return self._tables.retried

    def facts(self) -> ColumnFacts:
        return self._tables.facts()

    def reset(self) -> None:
        self._tables.reset()
        if not self._anew:
            return
        if self._maker is None:
            self._maker = self._tables.session()
        try:
            self._maker.begin(self._level)
            for each in self._anew:
                self._maker.run(each, {})
            self._maker.commit()
        except BaseException:
            self._close_maker()
            raise

    def tables(self) -> Mapping[str, Rows]:
        return self._tables.tables()

    def query(self, sql: str) -> Rows:
        return self._tables.query(sql)

    def session(self) -> ScenarioSession:
        session = self._tables.session()
        if isinstance(session, KeepsSettings):
            session.settle(self._settings)
        else:
            for each in self._settings:
                session.run(each, {})
        return session

    def keep(self) -> None:
        self._tables.keep()

    def url(self) -> str:
        return self._tables.url()

    def adopt(self, connection: Any) -> AdoptedSession:
        return self._tables.adopt(connection)

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        return self._tables.waiting(sessions)

    def rest(self) -> bool:
        """Whether they can; see CanRest."""
        self._close_maker()
        if not isinstance(self._tables, CanRest):
            return False
        self._tables.rest()
        return True

    def close(self) -> None:
        self._close_maker()
        self._tables.close()

    def _close_maker(self) -> None:
        if self._maker is not None:
            self._maker.close()
            self._maker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class OpenTables:
    """Tables with what uses them."""

    def __init__(self, tables: LayoutTables, serial_level: str) -> None:
        self.tables, self._serial_level = tables, serial_level
        self._runner: ProgramRunner | None = None
        self._given = 0
        self._session: ScenarioSession | None = None
        self._sessions: list[ScenarioSession] = []

    def runner(self) -> ProgramRunner:
        if self._runner is None or self._given == _PROGRAMS:
            self._close_runner()
            self._runner, self._given = ProgramRunner(self.tables, serial_level=self._serial_level), 0
        self._given += 1
        return self._runner

    def session(self) -> ScenarioSession:
        """The same each time, for one transaction after the other."""
        if self._session is None:
            self._session = self.tables.session()
        return self._session

    def sessions(self, number: int) -> list[ScenarioSession]:
        """So many, the same each time."""
        while len(self._sessions) < number:
            self._sessions.append(self.tables.session())
        return self._sessions[:number]

    def close_sessions(self) -> None:
        """Those of sessions(), which are then made anew."""
        for each in self._sessions:
            each.close()
        self._sessions = []

    def _close_runner(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def rest(self) -> bool:
        """Gives back connections; whether the tables can be used again."""
        self._close_runner()
        self.close_sessions()
        if self._session is not None:
            self._session.close()
            self._session = None
        return self.tables.rest()

    def close(self) -> None:
        self.rest()
        self.tables.close()


_Place = tuple[str, tuple[RowState, ...]]


class HuntTables(Closeable):
    """Runners for programs on any layout. serial_level: at which serial orders are run. revived: waits until
    a server that went down is back, and gives the database; without it, that is the end."""

    def __init__(
        self,
        database: HoldsScenarios,
        serial_level: str,
        revived: Callable[[], HoldsScenarios] | None = None,
    ) -> None:
        self._database, self._serial_level, self._revived = database, serial_level, revived
        self._open: OrderedDict[_Place, OpenTables] = OrderedDict()
        self._resting: OrderedDict[_Place, OpenTables] = OrderedDict()
        self.renewed = 0  # how often tables were lost

    def runner(self, layout: Layout, states: tuple[RowState, ...]) -> ProgramRunner:
        """For one program: what it came to in series is remembered for a while."""
        return self.opened(layout, states).runner()

    def opened(self, layout: Layout, states: tuple[RowState, ...]) -> OpenTables:
        place = (layout.name, states)
        if place not in self._open:
            while len(self._open) >= MOST_OPEN:
                self._put_away(*self._open.popitem(last=False))
            self._open[place] = self._resting.pop(place, None) or self._made(layout, states)
        self._open.move_to_end(place)
        return self._open[place]

    def _made(self, layout: Layout, states: tuple[RowState, ...]) -> OpenTables:
        tables = LayoutTables(
            self._database.scenario(layout.statements(states)),
            layout.settings,
            layout.anew(states),
            self._serial_level,
        )
        return OpenTables(tables, self._serial_level)

    def _put_away(self, place: _Place, tables: OpenTables) -> None:
        if not tables.rest():
            tables.close()
            return
        self._resting[place] = tables
        if len(self._resting) > MOST_KEPT:
            self._resting.popitem(last=False)[1].close()

    def discard(self, layout: Layout, states: tuple[RowState, ...]) -> None:
        """These tables, which are then made anew: a session that is lost may still hold locks on them."""
        self.renewed += 1
        found = self._open.pop((layout.name, states), None)
        if found is not None:
            _close_lost(found)

    def revive(self) -> None:
        """After the server went down: nothing that was open is of use any more. DatabaseUnavailable."""
        self.renewed += 1
        lost = [*self._open.values(), *self._resting.values()]
        self._open, self._resting = OrderedDict(), OrderedDict()
        for each in lost:
            _close_lost(each)
        if self._revived is None:
            raise DatabaseUnavailable("the server went down")
        self._database = self._revived()

    def close(self) -> None:
        with ExitStack() as stack:
            for each in (*self._open.values(), *self._resting.values()):
                stack.callback(each.close)
            self._open.clear()
            self._resting.clear()


def _close_lost(tables: OpenTables) -> None:
    with suppress(SessionError, DatabaseUnavailable):
        tables.close()
