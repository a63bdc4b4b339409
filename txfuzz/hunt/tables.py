"""The tables of a hunt: one set for each layout and each state of the rows, made when they are needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Self

from txfuzz.check.run import ProgramRunner
from txfuzz.common.closeable import Closeable
from txfuzz.database.api import SessionError
from txfuzz.database.reuse import CanRest, KeepsPlans, KeepsSettings, RunsAfterReset
from txfuzz.database.scenario import (
    AdoptedSession,
    ColumnFacts,
    HoldsScenarios,
    Rows,
    ScenarioSession,
    ScenarioTables,
)
from txfuzz.errors import DatabaseUnavailable
from txfuzz.hunt.form import RowState
from txfuzz.hunt.layout import Layout

MOST_OPEN = 8  # sets of tables
_PROGRAMS = 200  # that a runner is given before it is made anew: it remembers what each came to in series


class LayoutTables:
    """ScenarioTables whose sessions have the settings of a layout. anew: statements that make the tables
    anew after each reset, at this level. rows: statements that fill them, where the same tables are used
    with other rows, too; None: they are nobody else's."""

    def __init__(
        self,
        tables: ScenarioTables,
        settings: Sequence[str],
        anew: Sequence[str] = (),
        level: str = "",
        *,
        rows: Sequence[str] | None = None,
    ) -> None:
        self._tables, self._settings, self._anew, self._level = tables, tuple(settings), tuple(anew), level
        self._rows = rows
        self._filled = (
            tables.reset_and_run if rows and not anew and isinstance(tables, RunsAfterReset) else None
        )
        self._maker: ScenarioSession | None = None

    @property
    def retried(self) -> frozenset[str]:
        return self._tables.retried

    def facts(self) -> ColumnFacts:
        return self._tables.facts()

    def reset(self) -> None:
        if self._filled is not None and self._rows:
            self._filled(self._rows)
            return
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
        if isinstance(session, KeepsPlans) and not self._anew:
            session.keep_plans()
        return session

    def keep(self) -> None:
        self._tables.keep()

    def url(self) -> str:
        return self._tables.url()

    def adopt(self, connection: Any) -> AdoptedSession:
        return self._tables.adopt(connection)

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        return self._tables.waiting(sessions)

    def close(self) -> None:
        self._close_maker()
        if self._rows is None:
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

    def close(self) -> None:
        self._close_runner()
        self.close_sessions()
        if self._session is not None:
            self._session.close()
            self._session = None
        self.tables.close()


_Place = tuple[str, tuple[RowState, ...]]
_Base = tuple[str, int]  # a layout, and how many keys


class HuntTables(Closeable):
    """Runners for programs on any layout. serial_level: at which serial orders are run. revived: waits until
    a server that went down is back, and gives the database; without it, that is the end.

    Where the database can (CanRest, RunsAfterReset), the tables of a layout are made once, empty, and stay
    to the end: each reset fills them with the rows of the states that are wanted.
    """

    def __init__(
        self,
        database: HoldsScenarios,
        serial_level: str,
        revived: Callable[[], HoldsScenarios] | None = None,
    ) -> None:
        self._database, self._serial_level, self._revived = database, serial_level, revived
        self._open: OrderedDict[_Place, OpenTables] = OrderedDict()
        self._bases: dict[_Base, ScenarioTables] = {}
        self._shares = True  # until it has turned out that the database cannot
        self.renewed = 0  # how often tables were lost

    def runner(self, layout: Layout, states: tuple[RowState, ...]) -> ProgramRunner:
        """For one program: what it came to in series is remembered for a while."""
        return self.opened(layout, states).runner()

    def opened(self, layout: Layout, states: tuple[RowState, ...]) -> OpenTables:
        place = (layout.name, states)
        if place not in self._open:
            while len(self._open) >= MOST_OPEN:
                self._put_away(*self._open.popitem(last=False))
            self._open[place] = self._made(layout, states)
        self._open.move_to_end(place)
        return self._open[place]

    def _made(self, layout: Layout, states: tuple[RowState, ...]) -> OpenTables:
        base = self._base(layout, len(states))
        rows = tuple(layout.rows(states)) if base is not None else None
        tables = LayoutTables(
            base or self._database.scenario(layout.statements(states)),
            layout.settings,
            layout.anew(states),
            self._serial_level,
            rows=rows,
        )
        return OpenTables(tables, self._serial_level)

    def _base(self, layout: Layout, keys: int) -> ScenarioTables | None:
        """Its tables without rows; None where they cannot be used with any."""
        place = (layout.name, keys)
        if self._shares and place not in self._bases:
            made = self._database.scenario(layout.statements((RowState.ABSENT,) * keys))
            if isinstance(made, RunsAfterReset) and isinstance(made, CanRest):
                self._bases[place] = made
            else:
                self._shares = False
                made.close()
        return self._bases.get(place)

    def _put_away(self, place: _Place, tables: OpenTables) -> None:
        tables.close()
        layout, states = place
        base = self._bases.get((layout, len(states)))
        if isinstance(base, CanRest) and all(other != layout for other, _ in self._open):
            base.rest()

    def discard(self, layout: Layout, states: tuple[RowState, ...]) -> None:
        """These tables, which are then made anew: a session that is lost may still hold locks on them."""
        self.renewed += 1
        base = self._bases.pop((layout.name, len(states)), None)
        for name, others in list(self._open):
            if name == layout.name and (
                others == states or (base is not None and len(others) == len(states))
            ):
                _close_lost(self._open.pop((name, others)))
        if base is not None:
            _close_lost(base)

    def revive(self) -> None:
        """After the server went down: nothing that was open is of use any more. DatabaseUnavailable."""
        self.renewed += 1
        lost: list[OpenTables | ScenarioTables] = [*self._open.values(), *self._bases.values()]
        self._open, self._bases = OrderedDict(), {}
        for each in lost:
            _close_lost(each)
        if self._revived is None:
            raise DatabaseUnavailable("the server went down")
        self._database = self._revived()

    def close(self) -> None:
        with ExitStack() as stack:
            for base in self._bases.values():
                stack.callback(base.close)
            for each in self._open.values():
                stack.callback(each.close)
            self._open.clear()
            self._bases.clear()


def _close_lost(tables: OpenTables | ScenarioTables) -> None:
    with suppress(SessionError, DatabaseUnavailable):
        tables.close()
