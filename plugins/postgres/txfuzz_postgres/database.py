"""An open PostgreSQL: a server, a schema in it, and sessions on that; see txfuzz.plugin_api.Database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from txfuzz.plugin_api import (
    TABLE_PREFIX,
    DatabaseUnavailable,
    Endpoint,
    Kind,
    PlayedSchedule,
    Script,
    ScriptFile,
    ServerDatabase,
    Session,
    SessionError,
    UsageError,
    require_linux,
    waits_by_place,
)

from .export.isolationtester import SPEC, isolation_spec, try_spec
from .export.scripts import NAME, psql_script
from .fault_injection import Injector
from .layouts import plan_settings
from .options import REPLICATION, PostgresOptions
from .protocol.connection import connect, reason
from .protocol.control import Control
from .protocol.lock_waits import LockWaits
from .protocol.session import PostgresSession
from .protocol.url import Target, parse_url
from .replicas.cluster import WHOSE_LOG, Cluster, refuse_stranger, wait_for
from .replicas.promises import PRIMARY, STANDBY
from .schemas import PostgresSchemas, PostgresTables
from .settings import (
    describe_settings,
    log_position,
    no_more_sessions,
    permitted,
    session_settings,
    settings_sql,
    warnings_about,
    write_record,
)

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

    from .drivers import PostgresDrivers
    from .scenario.connections import SpareConnections
    from .scenario.tables import PostgresExistingTables, PostgresScenario
    from .server.launcher import EmbeddedServer

SETTLE_SECONDS = 30.0
# The control connection takes no part in the test: it may be slow, and its work must survive a crash.
CONTROL_SETTINGS = {
    "synchronous_commit": "local",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "default_transaction_isolation": "read committed",
}

MOST_SPARE = 12  # connections of scenarios that are closed, kept for the next ones


class PostgresDatabase(ServerDatabase[Connection]):
    """Made by open_embedded() and open_url()."""

    maker = PostgresTables()
    schemas = PostgresSchemas()
    product = "PostgreSQL"

    def __init__(self, options: PostgresOptions, target: Target, server: EmbeddedServer | None) -> None:
        application = f"txfuzz {secrets.token_hex(5)}"  # identifies our connections in pg_stat_activity
        control = Control(target, application)
        self._waits = LockWaits(lambda: connect(target, application))
        super().__init__(
            target.shown, server, control, self._waits, schema=options.schema, count=options.tables
        )
        self._options = options
        self._target = target
        self._spare: SpareConnections | None = None
        self._programs = server.files.bin if server else None
        self._application = application
        self._injector = Injector(control, application, server)
        self._layout = options.layout
        wished = session_settings(options, self._schema, embedded=server is not None)
        try:
            # Of the wished settings, those that this role may change
            self._settings = self.run(lambda on: permitted(on, wished))
            self._facts = self.run(describe_settings)
            if options.standbys:
                count = "1 standby" if options.standbys == 1 else f"{options.standbys} standbys"
                self._facts = {**self._facts, "replication": f"{options.replication}, {count}"}
            self._warnings = warnings_about(self._facts, self._settings, embedded=server is not None)
            self.run(lambda on: permitted(on, CONTROL_SETTINGS))
            self.claim_schema()
        except BaseException:
            control.close()
            raise

    def vary(self, options: Mapping[str, Any]) -> None:
        """See txfuzz.plugin_api.TakesVariations."""
        self._options = replace(self._options, **options)
        self._count, self._layout = self._options.tables, self._options.layout

    def session(self, kind: Kind) -> PostgresSession:
        return self._session_on(self._connected(), kind)

    def session_at(self, kind: Kind, endpoint: Endpoint) -> PostgresSession:
        """See txfuzz.plugin_api.ReachesEndpoints."""
        if endpoint.role == PRIMARY and endpoint.url is None:
            return self.session(kind)
        conn = connect(self._target_of(endpoint), self._application)
        return self._session_on(conn, kind, on_standby=endpoint.role == STANDBY)

    def settle(self, endpoints: Sequence[Endpoint]) -> None:
        """See txfuzz.plugin_api.ReachesEndpoints."""
        self.run(write_record)
        position = self.run(log_position)
        for endpoint in endpoints:
            if endpoint.role != STANDBY:
                continue
            where = self._target_of(endpoint).parameters
            if endpoint.url is not None:
                refuse_stranger(endpoint, where, self._system())
            if not wait_for(where, position, SETTLE_SECONDS):
                raise DatabaseUnavailable(
                    f"the standby {endpoint.name!r} has not caught up with the primary within "
                    f"{SETTLE_SECONDS:.0f} s"
                )

    def _system(self) -> str | None:
        """Whose log the primary writes; None where this role may not see it."""
        with suppress(DatabaseUnavailable):
            return str(self.run(lambda on: on.scalar(text(WHOSE_LOG))))
        return None

    def _target_of(self, endpoint: Endpoint) -> Target:
        if endpoint.url is not None:
            return parse_url(endpoint.url)
        if isinstance(self._server, Cluster):
            where = self._server.standby(endpoint.number)
            return Target(f"the standby {endpoint.name!r}", where)
        raise UsageError(
            f"the endpoint {endpoint.name!r} needs a `url`: only the embedded server has standbys of its own"
        )

    def _session_on(self, conn: PGconn, kind: Kind, *, on_standby: bool = False) -> PostgresSession:
        waits = self._options.replication != REPLICATION[0]
        try:
            session = PostgresSession(
                conn,
                self.tables(kind),
                self._options.append,
                batch=self._options.batch,
                on_standby=on_standby,
                waits_for_standbys=waits,
            )
            session.configure(settings_sql({**self._settings, **plan_settings(self._options.plan)}))
        except SessionError as error:
            conn.finish()
            raise DatabaseUnavailable(error.message) from None
        self._injector.watch(session)
        return session

    def _connected(self) -> PGconn:
        try:
            return connect(self._target, self._application)
        except DatabaseUnavailable as error:
            with suppress(DatabaseUnavailable):
                error = self.run(no_more_sessions) or error
            raise error from None

    def injector(self) -> Injector:
        """See txfuzz.plugin_api.Breakable."""
        return self._injector

    def waiting(self, sessions: Sequence[Session]) -> Mapping[int, frozenset[int]]:
        """See txfuzz.plugin_api.SeesWaits."""
        numbers = {
            at: each.number
            for at, each in enumerate(sessions)
            if isinstance(each, PostgresSession) and not each.on_standby
        }
        return waits_by_place(numbers, self._waits.among)

    def scripts(self, script: Script) -> Mapping[str, ScriptFile]:
        """See txfuzz.plugin_api.WritesScripts."""
        found = {NAME: ScriptFile(psql_script(script, self._options))}
        spec = isolation_spec(script, self._options)
        if spec is not None:
            found[SPEC] = ScriptFile(spec, "the same for isolationtester")
        return found

    def try_scripts(
        self, script: Script, scripts: Mapping[str, ScriptFile]
    ) -> tuple[Mapping[str, ScriptFile], str]:
        """See txfuzz.plugin_api.WritesScripts. Only on the embedded server."""
        if SPEC not in scripts:
            return {}, f"There is no {SPEC}: isolationtester cannot handle braces in a statement."
        if self._programs is None:
            return {}, f"{SPEC} was not tried: it needs a server that nothing else is using."
        own = f"{TABLE_PREFIX}spec_{secrets.token_hex(3)}"
        self.run(lambda on: self.schemas.create_marked(on, own))
        try:
            return try_spec(self._programs, self._target, own, script, scripts[SPEC].text)
        finally:
            self.run(lambda on: self.schemas.drop(on, own))

    def existing(self) -> PostgresExistingTables:
        """See txfuzz.plugin_api.SeesTables. Closes this database with it."""
        import psycopg

        from .scenario.connections import SpareConnections
        from .scenario.tables import PostgresExistingTables

        def open_connection() -> psycopg.Connection[tuple[Any, ...]]:
            return psycopg.connect(self._target.conninfo(self._application), autocommit=True)

        try:
            with open_connection() as connection:
                found = connection.execute("SELECT current_schema()").fetchone()
        except psycopg.Error as error:
            raise DatabaseUnavailable(reason(str(error))) from None
        schema = found[0] if found and found[0] else "public"
        return PostgresExistingTables(
            schema,
            SpareConnections(open_connection, "", 0),
            self._waits.among,
            self.close,
            (),
            url=self._target.url_of_schemas(schema, "public"),
        )

    def begin_statements(
        self, isolation: str, *, read_only: bool = False, deferrable: bool = False
    ) -> tuple[str, ...]:
        """See txfuzz.plugin_api.WritesBegin."""
        from .statements import typed_begin

        return (typed_begin(isolation, read_only=read_only, deferrable=deferrable),)

    def plays(self, played: PlayedSchedule) -> Mapping[str, str]:
        """See txfuzz.plugin_api.WritesPlays."""
        from .export.played import played_spec

        spec = played_spec(played)
        return {} if spec is None else {SPEC: spec}

    def scenario(self, setup: Sequence[str]) -> PostgresScenario:
        """See txfuzz.plugin_api.HoldsScenarios."""
        from .scenario.tables import KEPT, PostgresScenario

        own = f"{TABLE_PREFIX}scenario_{secrets.token_hex(3)}"

        def drop() -> None:
            with suppress(DatabaseUnavailable):
                self.run(partial(self.schemas.end_transactions, name=own))
                for name in (own + KEPT, own):
                    self.run(partial(self._drop_soon, name=name))

        for name in (own, own + KEPT):
            self.run(partial(self.schemas.create_marked, name=name))
        # Types and functions of extensions are there; but a setup that says DROP TABLE must not find the
        # user's own
        shared = () if self.run(self.schemas.has_tables_in_public) else ("public",)
        return PostgresScenario(
            own,
            self._spare_connections(),
            self._waits.among,
            drop,
            setup,
            shared=shared,
            url=self._target.url_of_schemas(own, *shared),
            ours=self._programs is not None,
        )

    def _spare_connections(self) -> SpareConnections:
        import psycopg

        from .protocol.times import take_any_time
        from .scenario.connections import SpareConnections

        def open_connection() -> psycopg.Connection[tuple[Any, ...]]:
            made = psycopg.connect(self._target.conninfo(self._application), autocommit=True)
            take_any_time(made)
            made.prepare_threshold = None  # what psycopg has prepared is gone when a connection is given back
            return made

        if self._spare is None:
            self._spare = SpareConnections(open_connection, settings_sql(self._settings), MOST_SPARE)
        return self._spare

    def _drop_soon(self, on: Connection, name: str) -> None:
        """Or not at all: a process that does not react may hold a lock on something in it for ever."""
        on.execute(text("SET LOCAL lock_timeout = '10s'"))
        self.schemas.drop(on, name)

    def close(self) -> None:
        if self._spare is not None:
            self._spare.close()
        super().close()

    def drivers(self) -> PostgresDrivers:
        """See txfuzz.plugin_api.KnowsDrivers."""
        from .drivers import PostgresDrivers

        return PostgresDrivers()

    def reclaim(self, on: Connection) -> None:
        with on.begin():
            permitted(on, CONTROL_SETTINGS)
            super().reclaim(on)

    def leave(self, on: Connection) -> None:
        """Drop our schema, after ending our connections that still hold locks in it."""
        on.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = :name AND pid <> pg_backend_pid()"
            ),
            {"name": self._application},
        )
        on.execute(text("SET LOCAL lock_timeout = '10s'"))
        super().leave(on)


def open_url(options: PostgresOptions, url: str) -> PostgresDatabase:
    target = parse_url(url)
    if options.standbys:
        raise UsageError(
            "adapter 'postgres': `standbys` are those of the embedded server; name your own by the `url` of "
            "an endpoint"
        )
    try:
        return PostgresDatabase(options, target, None)
    except DatabaseUnavailable as error:
        raise DatabaseUnavailable(f"PostgreSQL at {target.shown}: {error}") from None


def open_embedded(options: PostgresOptions) -> PostgresDatabase:
    from .replicas.cluster import launch_cluster
    from .server.launcher import PRODUCT, launch

    require_linux(PRODUCT)
    options = options.with_room_for(0)
    settings = {
        "max_connections": str(options.max_connections),
        "deadlock_timeout": f"{options.deadlock_timeout_ms}ms",
        "fsync": "on" if options.fsync else "off",
        "full_page_writes": "on" if options.fsync else "off",
        "synchronous_commit": options.commits,
    }
    if options.standbys:
        waits = options.replication != REPLICATION[0]
        server: EmbeddedServer = launch_cluster(
            settings,
            options.standbys,
            synchronous=waits,
            version=options.wanted_version,
            below=options.server,
        )
    else:
        server = launch(settings, options.wanted_version, options.server)
    try:
        shown = f"postgresql://{server.conninfo['user']}@/{server.conninfo['dbname']}?host={server.sockets}"
        return PostgresDatabase(options, Target(shown, server.conninfo), server)
    except BaseException:
        server.close()
        raise
