"""Tables that the user designed, in a database of ours; see txfuzz.plugin_api.ScenarioTables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakSet

from txfuzz.plugin_api import (
    AdoptedSession,
    Closeable,
    ColumnFacts,
    Rows,
    ScenarioSession,
    StatementResult,
    run_setup,
    waits_by_place,
)

from ..protocol.codes import DEADLOCK, LOCK_WAIT_TIMEOUT, RECORD_CHANGED
from ..protocol.connection import FAILURES, Link, session_error
from ..schemas import MARK_TABLE
from ..statements import quoted
from .schema import read_schema
from .server import ScenarioServer
from .sessions import MariadbAdoptedSession, MariadbScenarioSession

DEADLOCKS = frozenset({str(DEADLOCK)})
RETRIED = frozenset(map(str, (DEADLOCK, LOCK_WAIT_TIMEOUT, RECORD_CHANGED)))
CONSTRAINTS = frozenset(
    {
        "1048",  # NOT NULL
        "1062",  # unique
        "1216",  # foreign keys, without details
        "1217",
        "1451",  # foreign keys
        "1452",
        "1586",  # unique, with the name of the key
        "3819",  # CHECK of MySQL
        "4025",  # CHECK
    }
)
AWAY = 10  # numbers that are left out, so that no new one is one that is there
KEPT = "_kept"  # what the database with the copies has behind its name
# What is restored is as it was, whatever it would be for a session of the user's
_AS_IT_WAS = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0",
    "SET SESSION check_constraint_checks = 0",  # MariaDB's alone
    "SET SESSION lock_wait_timeout = 10",
)


class MariadbScenario(Closeable):
    """Made by MariadbDatabase.scenario(). name: of the database; with `_kept` behind it, of its copies."""

    retried = RETRIED
    deadlocks = DEADLOCKS
    constraints = CONSTRAINTS

    def __init__(self, server: ScenarioServer, name: str, setup: Sequence[str]) -> None:
        self._server, self._name, self._copies = server, name, name + KEPT
        self._links: list[Link] = []
        self._opened: WeakSet[MariadbScenarioSession] = WeakSet()
        try:
            self._keeper = self._link(server.connect(None, several=True))
            for database in (name, self._copies):
                server.make(self._keeper, database)
            self._control = self._link(server.connect(name))
            for statement in _AS_IT_WAS:
                _permitted(self._keeper, statement)
            run_setup(setup, self._run)
            self.keep()
        except BaseException:
            self.close()
            raise

    def _link(self, made: Link) -> Link:
        self._links.append(made)
        return made

    def close(self) -> None:
        for link in self._links:
            link.close()
        self._server.drop((self._copies, self._name))

    def facts(self) -> ColumnFacts:
        return self._schema.facts

    def url(self) -> str:
        return self._server.url(self._name)

    # -- rows ---------------------------------------------------------------------------------

    def keep(self) -> None:
        _checked(self._keeper, self._keep)

    def _keep(self) -> None:
        keeper = self._keeper
        copies = keeper.rows(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME <> %s",
            (self._copies, MARK_TABLE),
        )
        for (table,) in copies:
            keeper.run(f"DROP TABLE {self._copy(table)}")
        self._schema = schema = read_schema(keeper, self._name)
        restore, select = ["START TRANSACTION"], []
        for table, columns in schema.stored.items():
            ours, copy = self._ours(table), self._copy(table)
            names = ", ".join(map(quoted, columns))
            keeper.run(f"CREATE TABLE {copy} ENGINE = InnoDB AS SELECT {names} FROM {ours}")
            restore += [f"DELETE FROM {ours}", f"INSERT INTO {ours} ({names}) SELECT {names} FROM {copy}"]
        for table, columns in schema.shown.items():
            select.append(f"SELECT {', '.join(map(quoted, columns))} FROM {self._ours(table)}")
        restore += ["COMMIT", *map(self._next_number, schema.numbered)]
        restore += (f"SELECT next_not_cached_value FROM {self._ours(each)}" for each in schema.sequences)
        self._restore, self._select = "; ".join(restore), "; ".join(select)
        self._numbers = {table: self._first(self._next_number(table)) for table in schema.numbered}
        self._nexts: dict[str, int] = {}
        for name in schema.sequences:
            self._nexts[name] = self._first(f"SELECT NEXTVAL({self._ours(name)})")
            keeper.run(f"ALTER SEQUENCE {self._ours(name)} RESTART WITH {self._nexts[name]:d}")

    def _next_number(self, table: str) -> str:
        name = table.replace("\\", "\\\\").replace("'", "''")
        return (
            "SELECT AUTO_INCREMENT FROM information_schema.TABLES "
            f"WHERE TABLE_SCHEMA = '{self._name}' AND TABLE_NAME = '{name}'"
        )

    def _first(self, query: str) -> int:
        return int(self._keeper.rows(query)[0][0])

    def _ours(self, table: str) -> str:
        return f"{quoted(self._name)}.{quoted(table)}"

    def _copy(self, table: str) -> str:
        return f"{quoted(self._copies)}.{quoted(table)}"

    def reset(self) -> None:
        for session in self._opened:
            session.renew()
        _checked(self._keeper, self._reset)

    def _reset(self) -> None:
        keeper, schema = self._keeper, self._schema
        for trigger in schema.triggers:
            keeper.run(f"DROP TRIGGER IF EXISTS {self._ours(trigger.name)}")
        try:
            found = [result.rows[0][0] for result in keeper.run_several(self._restore)]
        except FAILURES:
            if keeper.open:
                keeper.run("ROLLBACK")
            raise
        finally:
            if keeper.open:
                schema.make_triggers(keeper, self._name)
        for (table, wanted), got in zip(self._numbers.items(), found, strict=False):
            if got != wanted:
                keeper.run(f"ALTER TABLE {self._ours(table)} AUTO_INCREMENT = {wanted:d}")
        for (name, wanted), got in zip(self._nexts.items(), found[len(self._numbers) :], strict=True):
            if got != wanted:
                keeper.run(f"ALTER SEQUENCE {self._ours(name)} RESTART WITH {wanted:d}")

    @property
    def moves_numbers(self) -> bool:
        return bool(self._numbers or self._nexts)

    def reset_numbers_moved(self) -> None:
        """See txfuzz.plugin_api.MovesNumbers. They cannot go backwards here."""
        self.reset()
        for table, number in self._numbers.items():
            self._alter(f"ALTER TABLE {self._ours(table)} AUTO_INCREMENT = {number + AWAY:d}")
        for name, number in self._nexts.items():
            self._alter(f"ALTER SEQUENCE {self._ours(name)} RESTART WITH {number + AWAY:d}")

    def _alter(self, statement: str) -> None:
        """Where there is no room for it, the numbers stay."""
        _checked(self._keeper, partial(_permitted, self._keeper, statement))

    def tables(self) -> Mapping[str, Rows]:
        if not self._select:
            return {}
        results: list[StatementResult] = _checked(
            self._keeper, partial(self._keeper.run_several, self._select)
        )
        return {
            table: Rows(columns, tuple(result.rows))
            for (table, columns), result in zip(self._schema.shown.items(), results, strict=True)
        }

    def query(self, sql: str) -> Rows:
        result = self._run(sql)
        return Rows(result.columns, tuple(result.rows), origins=self._origins(self._control))

    def _run(self, sql: str) -> StatementResult:
        result: StatementResult = _checked(self._control, partial(self._control.run, sql))
        return result

    def _origins(self, link: Link) -> tuple[str | None, ...]:
        return tuple(
            f"{table}.{column}"
            if database == self._name and column in self._schema.shown.get(table, ())
            else None
            for database, table, column in link.origins()
        )

    # -- sessions -----------------------------------------------------------------------------

    def session(self) -> MariadbScenarioSession:
        made = MariadbScenarioSession(
            partial(self._server.connect, self._name),
            self._origins,
            self._server.kill,
            self._schema.numbers(),
        )
        self._opened.add(made)
        return made

    def adopt(self, connection: Any) -> MariadbAdoptedSession:
        return MariadbAdoptedSession(connection, self._server.kill)

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        ours = MariadbScenarioSession | MariadbAdoptedSession
        numbers = {at: each.number for at, each in enumerate(sessions) if isinstance(each, ours)}
        return waits_by_place(numbers, self._server.waits)


class MariadbExistingTables(MariadbScenario):
    """Made by MariadbDatabase.existing(). name: of the user's own database. close: what is closed with it."""

    moves_numbers = False

    def __init__(self, server: ScenarioServer, name: str, close: Callable[[], None]) -> None:
        self._server, self._name, self._close = server, name, close
        self._links: list[Link] = []
        self._keeper = self._link(server.connect(name, several=True))
        self._control = self._link(server.connect(name))
        self.keep()

    def keep(self) -> None:
        self._schema = read_schema(self._keeper, self._name)
        self._select = "; ".join(
            f"SELECT {', '.join(map(quoted, columns))} FROM {self._ours(table)}"
            for table, columns in self._schema.shown.items()
        )

    def reset(self) -> None:
        pass

    def close(self) -> None:
        for link in self._links:
            link.close()
        self._close()


def _permitted(link: Link, statement: str) -> None:
    try:
        link.run(statement)
    except FAILURES:
        if not link.open:
            raise


def _checked(link: Link, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except FAILURES as error:
        raise session_error(link, error, committing=False) from None
