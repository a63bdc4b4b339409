"""Tables that the user designed, in a schema of ours; see txfuzz.plugin_api.ScenarioTables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakSet

import psycopg
from psycopg import abc, sql
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult

from txfuzz.plugin_api import (
    Accesses,
    AdoptedSession,
    Cell,
    Closeable,
    ColumnFacts,
    DatabaseUnavailable,
    Rows,
    ScenarioSession,
    run_setup,
)

from ..protocol.accesses import INT4, NAME, QUERY, held_locks, locks_tell
from ..protocol.connection import reason
from ..protocol.scripts import Scripts
from .connections import Plain, SpareConnections
from .sequences import origin_of_number, read_numbers, read_origins
from .session import PostgresAdoptedSession, PostgresScenarioSession, checked

DEADLOCKS = frozenset({"40P01"})
RETRIED = frozenset({"40001"}) | DEADLOCKS
CONSTRAINTS = frozenset(
    {
        "23001",  # RESTRICT of a foreign key
        "23502",  # NOT NULL
        "23503",  # foreign key
        "23505",  # unique
        "23514",  # CHECK
        "23P01",  # EXCLUDE
    }
)
KEPT = "_kept"  # what the schema with the copies has behind its name
_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random)\(|"
    r"\b(current_(timestamp|date|time)|localtime(stamp)?)\b",
    re.IGNORECASE,
)
_TEXT = re.compile(r"'(?:[^']|'')*'")  # in which nothing is called
_GENERATED = re.compile(r"\b(nextval|gen_random_uuid|uuid_generate_v\w+|uuidv[47])\(", re.IGNORECASE)
_COLUMNS = """
SELECT c.oid, c.relname, a.attnum, a.attname, a.attidentity <> '', a.attgenerated <> '',
       pg_get_expr(d.adbin, d.adrelid), c.relkind = 'p', c.relispartition
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r' OR
      c.relnamespace = to_regnamespace(%s) AND c.relkind = 'p'
ORDER BY c.relname, a.attnum
"""
_REFERENCES = """
SELECT conrelid, unnest(conkey), confrelid, unnest(confkey)
FROM pg_constraint WHERE contype = 'f' AND connamespace = to_regnamespace(%s)
"""
# Whether anything runs by itself where rows are restored: triggers, foreign keys and rules
_DISTURBS = """
SELECT EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE c.relnamespace = to_regnamespace(%(schema)s)) OR
       EXISTS (SELECT FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
               WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace(%(schema)s))
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r'"


class _Control(NamedTuple):
    """A connection outside of all transactions, with what reads its results and runs its scripts."""

    connection: Plain
    values: abc.Transformer
    scripts: Scripts


class PostgresScenario(Closeable):
    """Made by PostgresDatabase.scenario().

    schema: for its tables, and with `_kept` behind it for the copies of their rows; both are there, and
    `drop` takes them away. connections: with our settings, in autocommit. shared: schemas that are
    searched behind it. url: of the schema, as SQLAlchemy reads it. ours: the server is, so that its processes
    may be moved to other processors.
    """

    retried = RETRIED
    deadlocks = DEADLOCKS
    constraints = CONSTRAINTS

    def __init__(
        self,
        schema: str,
        connections: SpareConnections,
        waits: Callable[[Sequence[int]], Mapping[int, frozenset[int]]],
        drop: Callable[[], None],
        setup: Sequence[str],
        *,
        shared: Sequence[str] = ("public",),
        url: str,
        ours: bool = False,
    ) -> None:
        self._schema, self._copies, self._shared, self._ours = schema, schema + KEPT, shared, ours
        self._connections, self._waits, self._drop, self._url = connections, waits, drop, url
        self._opened: WeakSet[PostgresScenarioSession] = WeakSet()
        self._awake: _Control | None = None
        self._altered = False  # since _DISTURBS was asked
        self._adopts = False  # so that not all statements are seen
        try:
            run_setup(setup, lambda statement: checked(partial(self._control.execute, statement)))
            self.keep()
        except psycopg.Error as error:
            self.close()
            raise DatabaseUnavailable(reason(str(error))) from None
        except BaseException:
            self.close()
            raise

    @property
    def _control(self) -> Plain:
        return self._woken().connection

    def _woken(self) -> _Control:
        if self._awake is None:
            connection = self._ready()
            connection.pgconn.prepare(NAME, QUERY, [INT4])
            self._awake = _Control(connection, Transformer(connection), Scripts(connection.pgconn))
        return self._awake

    def rest(self) -> None:
        """See txfuzz.plugin_api.CanRest."""
        if self._awake is not None:
            self._connections.give(self._awake.connection)
            self._awake = None

    def close(self) -> None:
        self.rest()
        self._drop()

    # -- what the schema says -----------------------------------------------------------------

    def _read_schema(self) -> None:
        self._stored: dict[str, list[tuple[str, bool]]] = {}  # columns, and whether they are computed
        self._shown: dict[str, sql.Composed] = {}
        self._places: dict[tuple[int, int], str] = {}
        clocks, generated = set(), {}
        rows = self._control.execute(_COLUMNS, (self._schema, self._schema)).fetchall()
        for table_oid, table, number, column, identity, computed, default, parted, partition in rows:
            if not parted:
                self._stored.setdefault(table, []).append((column, computed))
            if partition:
                continue  # its rows are shown with those of its table
            place, default = f"{table}.{column}", _TEXT.sub("", default or "")
            self._places[table_oid, number] = place
            self._shown[table] = sql.SQL("SELECT * FROM {}{}").format(
                sql.SQL("" if parted else "ONLY "), sql.Identifier(self._schema, table)
            )
            if identity or (not computed and _GENERATED.search(default)):
                generated[place] = place
            elif not computed and _CLOCK.search(default):
                clocks.add(place)
        references = self._control.execute(_REFERENCES, (self._schema,)).fetchall()
        for _ in references:  # a foreign key to a foreign key, and so on
            for oid, column, other, referred in references:
                domain = generated.get(self._places.get((other, referred), ""))
                if domain is not None and (oid, column) in self._places:
                    generated.setdefault(self._places[oid, column], domain)
        self._asked = read_origins(self._control, self._schema)
        clocks |= {place for place in self._asked.values() if place not in generated}
        self._select = [each.as_string(self._control) for each in self._shown.values()]
        self._facts = ColumnFacts(frozenset(clocks), generated)
        self._locks_tell = locks_tell(self._control, self._schema)

    def facts(self) -> ColumnFacts:
        return self._facts

    def url(self) -> str:
        return self._url

    # -- rows ---------------------------------------------------------------------------------

    def keep(self) -> None:
        for (table,) in self._control.execute(_TABLES, (self._copies,)).fetchall():
            self._control.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(self._copies, table)))
        self._read_schema()
        self._keep_rows()

    def _keep_rows(self) -> None:
        """Copies of all tables, and the statements that restore them."""
        restores: list[sql.Composable] = []
        backwards: list[sql.Composable] = []
        for table, columns in self._stored.items():
            ours, copy = sql.Identifier(self._schema, table), sql.Identifier(self._copies, table)
            made = sql.SQL("CREATE TABLE {} AS SELECT * FROM ONLY {}").format(copy, ours)
            rows = self._control.execute(made).rowcount
            emptied = sql.SQL("DELETE FROM ONLY {}").format(ours)
            restores.append(emptied)
            backwards.append(emptied)
            if not rows:
                continue
            stored = sql.SQL(", ").join(sql.Identifier(name) for name, computed in columns if not computed)
            filled = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}").format(
                ours, stored, stored, copy
            )
            restores.append(filled)
            backwards.append(filled + sql.SQL(" ORDER BY ctid DESC"))
        numbers = read_numbers(self._control, self._schema)
        self._move = "; ".join(of.moved for of in numbers if of.moved)
        self._move_back = "; ".join(of.moved_back for of in numbers if of.moved)
        self._moved = False
        self._restore, self._restore_reversed = (
            (*(each.as_string(self._control) for each in script), *(of.restored for of in numbers), "COMMIT")
            for script in (restores, backwards)
        )
        self._look_for_disturbance()

    def _look_for_disturbance(self) -> None:
        found = self._control.execute(_DISTURBS, {"schema": self._schema}).fetchall()
        self._undisturbed, self._altered = not found[0][0], False

    def reset(self) -> None:
        self._reset(self._restore)

    def _reset(self, restore: Sequence[str], then: Sequence[str] = ()) -> None:
        for session in self._opened:
            session.renew()
        if self._moved:
            checked(lambda: self._control.execute(self._move_back))
            self._moved = False
        if self._altered or self._adopts:
            checked(self._look_for_disturbance)
        checked(lambda: self._run_restore((*restore, *then)))

    def _run_restore(self, statements: Sequence[str]) -> None:
        scripts = self._woken().scripts
        if self._undisturbed:
            scripts.run(("BEGIN", *statements))
        else:  # the setting that keeps triggers from running throws away all plans that were kept
            scripts.run_plain(("BEGIN", "SET LOCAL session_replication_role = replica", *statements))

    def reset_and_run(self, statements: Sequence[str]) -> None:
        """See txfuzz.plugin_api.RunsAfterReset."""
        self._reset(self._restore, statements)

    def reset_reversed(self) -> None:
        """See txfuzz.plugin_api.ReversesRows."""
        self._reset(self._restore_reversed)

    @property
    def moves_numbers(self) -> bool:
        return bool(self._move)

    def reset_numbers_moved(self) -> None:
        """See txfuzz.plugin_api.MovesNumbers."""
        self._reset(self._restore)
        checked(lambda: self._control.execute(self._move))
        self._moved = True

    def tables(self) -> Mapping[str, Rows]:
        return dict(zip(self._shown, checked(self._all_rows), strict=True))

    def _all_rows(self) -> list[Rows]:
        """Of each table. Without what a cursor does, since it is done after every schedule."""
        control, found = self._woken(), []
        for result in control.scripts.run(self._select) if self._select else ():
            control.values.set_pgresult(result)
            columns = tuple((result.fname(number) or b"").decode() for number in range(result.nfields))
            found.append(Rows(columns, tuple(control.values.load_rows(0, result.ntuples, tuple))))
        return found

    def query(self, query: str) -> Rows:
        cursor = checked(lambda: self._control.execute(query))
        return self._rows(cursor.pgresult, tuple(cursor.fetchall()) if cursor.description else ())

    def _rows(self, result: PGresult, rows: tuple[tuple[Cell, ...], ...]) -> Rows:
        numbers = range(result.nfields)
        columns = tuple((result.fname(number) or b"").decode() for number in numbers)
        places = self._places
        origins = tuple(places.get((result.ftable(number), result.ftablecol(number))) for number in numbers)
        return Rows(columns, rows, origins=origins)

    # -- sessions -----------------------------------------------------------------------------

    def session(self) -> PostgresScenarioSession:
        made = PostgresScenarioSession(
            self._ready, self._connections.give, self._answer, self._alters, ours=self._ours
        )
        self._opened.add(made)
        return made

    def _alters(self) -> None:
        self._altered = True

    def _ready(self) -> Plain:
        return self._connections.take(self._schema, *self._shared)

    def _answer(self, result: PGresult, rows: tuple[tuple[Cell, ...], ...], query: str) -> Rows:
        found = self._rows(result, rows)
        if found.origins == (None,):
            return replace(found, origins=(origin_of_number(query, self._asked),))
        return found

    def adopt(self, connection: Any) -> PostgresAdoptedSession:
        self._adopts = True
        return PostgresAdoptedSession(connection)

    def accesses(self, session: ScenarioSession | AdoptedSession) -> Accesses | None:
        """See txfuzz.plugin_api.SeesAccesses. What code of the user's own does in a step is not followed."""
        if not self._locks_tell or not isinstance(session, PostgresScenarioSession):
            return None
        found: Accesses | None = checked(
            lambda: session.steps.step(lambda: held_locks(self._control.pgconn, session.pid))
        )
        return found

    def waiting(self, sessions: Sequence[ScenarioSession | AdoptedSession]) -> Mapping[int, frozenset[int]]:
        ours = PostgresScenarioSession | PostgresAdoptedSession
        pids = {each.pid: at for at, each in enumerate(sessions) if isinstance(each, ours)}
        told = self._waits(list(pids))
        return {
            pids[pid]: frozenset(pids[other] for other in others if other in pids)
            for pid, others in told.items()
            if pid in pids
        }


class PostgresExistingTables(PostgresScenario):
    """Made by PostgresDatabase.existing(). schema: the user's own. drop: what is to be closed with this."""

    moves_numbers = False

    def keep(self) -> None:
        self._read_schema()

    def reset(self) -> None:
        pass
