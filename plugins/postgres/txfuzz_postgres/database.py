"""An open PostgreSQL: a server, a schema in it, and sessions on that; see txfuzz.database.api.Database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from txfuzz.plugin_api import (
    Closing,
    DatabaseUnavailable,
    Kind,
    Script,
    Session,
    SessionError,
    Tables,
    waits_by_place,
)

from . import schema as places
from .advice import warnings_about
from .connection import connect
from .control import Control
from .injecting import Cuttable, Injector
from .room import no_room
from .scripts import SPEC, write_scripts
from .session import PostgresSession
from .settings import describe_settings, permitted, session_settings, settings_sql
from .tester import try_spec
from .url import Target, parse_url
from .waits import Waits

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

    from .adapter import PostgresAdapter
    from .server.launcher import EmbeddedServer

# What the control connection does is no experiment: it may take its time, and must survive a crash.
CONTROL_SETTINGS = {
    "synchronous_commit": "local",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "default_transaction_isolation": "read committed",
}


class PostgresDatabase(Closing):
    """Made by open_embedded() and open_url()."""

    def __init__(self, adapter: PostgresAdapter, target: Target, server: EmbeddedServer | None) -> None:
        token = secrets.token_hex(5)
        self._adapter = adapter
        self._target = target
        self._server = server
        self._keeps_schema = adapter.schema is not None
        self._schema = adapter.schema or places.PREFIX + token
        self._application = f"txfuzz {token}"  # by which views of activity name our connections
        self._closed = False
        self._control = Control(target, self._application)
        self._injector = Injector(self._control, self._application, server)
        self._waits = Waits(lambda: connect(target, self._application))
        try:
            self._settings = self._control.run(self._choose_settings)
            self._facts = self._control.run(describe_settings)
            self._warnings = warnings_about(self._facts, self._settings, embedded=server is not None)
            self._control.run(lambda connection: permitted(connection, CONTROL_SETTINGS))
            self._claim_schema()
        except BaseException:
            self._control.close()
            raise

    # -- the port -------------------------------------------------------------------------

    def describe(self) -> Mapping[str, str]:
        facts = dict(self._facts)
        found = {
            "product": "PostgreSQL",
            "version": facts.pop("server_version"),
            "server": "embedded" if self._server else self._target.shown,
        }
        if self._server:
            found["server_files"] = f"{self._server.files.origin}: {self._server.files.bin}"
        return {**found, "url": self._target.shown, "schema": self._schema, **facts}

    def warnings(self) -> tuple[str, ...]:
        return self._warnings

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        tables = self._tables(kind)
        return self._control.run(lambda connection: places.prepare_tables(connection, tables, fresh=fresh))

    def insert_rows(self, kind: Kind, keys: range) -> None:
        tables = self._tables(kind)
        self._control.run(lambda connection: places.insert_empty(connection, tables, keys))

    def session(self, kind: Kind) -> PostgresSession:
        conn = self._connected()
        try:
            adapter = self._adapter
            session = Cuttable(conn, self._tables(kind), adapter.append, batch=adapter.batch)
            session.configure(settings_sql(self._settings))
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
                error = self._control.run(no_room) or error
            raise error from None

    def injector(self) -> Injector:
        """See txfuzz.database.faults.Breakable."""
        return self._injector

    def waiting(self, sessions: Sequence[Session]) -> Mapping[int, frozenset[int]]:
        """See txfuzz.database.api.SeesWaits."""
        numbers = {
            place: each.backend_pid
            for place, each in enumerate(sessions)
            if isinstance(each, PostgresSession)
        }
        return waits_by_place(numbers, self._waits.among)

    def scripts(self, script: Script) -> Mapping[str, str]:
        """See txfuzz.database.api.WritesScripts."""
        return write_scripts(script, self._adapter.append)

    def try_scripts(self, script: Script, scripts: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
        """See txfuzz.database.api.WritesScripts. Only on a server of our own."""
        if SPEC not in scripts:
            return {}, f"There is no {SPEC}: isolationtester cannot take braces in a statement."
        if self._server is None:
            return {}, f"{SPEC} was not tried: it needs a server on which nothing else is at work."
        own = f"{places.PREFIX}spec_{secrets.token_hex(3)}"
        self._control.run(lambda connection: places.create_own(connection, own))
        try:
            return try_spec(self._server.files.bin, self._target, own, script, scripts[SPEC])
        finally:
            self._control.run(lambda connection: places.drop(connection, own))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._waits.close()
        try:
            if self._server is None and not self._keeps_schema:
                self._control.run(self._leave)
        except DatabaseUnavailable:
            pass  # the server is gone; the next campaign drops what we leave behind
        finally:
            self._control.close()
            if self._server is not None:
                self._server.close()

    # -- the place ------------------------------------------------------------------------

    def _tables(self, kind: Kind) -> Tables:
        return Tables(kind, self._schema, self._adapter.tables)

    def _choose_settings(self, connection: Connection) -> Mapping[str, str]:
        """The settings that this role may change, out of those that we would like in every session."""
        wished = session_settings(self._adapter, self._schema, embedded=self._server is not None)
        return permitted(connection, wished)

    def _claim_schema(self) -> None:
        if self._server is None:
            self._control.run_several(places.drop_orphans)
        claim = places.use_named if self._keeps_schema else places.create_own
        try:
            self._control.run(lambda connection: claim(connection, self._schema))
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(f"the schema {self._schema!r} cannot be made: {error}") from None
        self._control.on_connect = self._reclaim

    def _reclaim(self, connection: Connection) -> None:
        """After the control connection was lost: what ended with it."""
        permitted(connection, CONTROL_SETTINGS)
        places.lock(connection, self._schema)

    def _leave(self, connection: Connection) -> None:
        """Drop our schema, and first end whatever of ours still holds locks in it."""
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = :name AND pid <> pg_backend_pid()"
            ),
            {"name": self._application},
        )
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        places.drop(connection, self._schema)


def open_url(adapter: PostgresAdapter, url: str) -> PostgresDatabase:
    target = parse_url(url)
    try:
        return PostgresDatabase(adapter, target, None)
    except DatabaseUnavailable as error:
        raise DatabaseUnavailable(f"PostgreSQL at {target.shown}: {error}") from None


def open_embedded(adapter: PostgresAdapter) -> PostgresDatabase:
    from .server.launcher import launch

    adapter = adapter.with_room_for(0)
    server = launch(
        {
            "max_connections": str(adapter.max_connections),
            "deadlock_timeout": f"{adapter.deadlock_timeout_ms}ms",
            "fsync": "on" if adapter.fsync else "off",
            "full_page_writes": "on" if adapter.fsync else "off",
            "synchronous_commit": adapter.synchronous_commit or "off",
        }
    )
    try:
        shown = f"postgresql://{server.conninfo['user']}@/{server.conninfo['dbname']}?host={server.directory}"
        return PostgresDatabase(adapter, Target(shown, server.conninfo), server)
    except BaseException:
        server.close()
        raise
