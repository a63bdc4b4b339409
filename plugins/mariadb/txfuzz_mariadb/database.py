"""An open MariaDB: a server, a database in it, and sessions on that; see txfuzz.database.api.Database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from txfuzz.plugin_api import (
    Closing,
    DatabaseUnavailable,
    Kind,
    Script,
    Session,
    Tables,
    UsageError,
    waits_by_place,
)

from . import place as places
from .advice import warnings_about
from .codes import TOO_MANY
from .connection import FAILURES, Link, connect, in_words, kill_query, number_of
from .control import Control
from .injecting import Cuttable, Injector
from .room import no_room
from .scripts import NAME as SCRIPT
from .scripts import write_script
from .session import MariadbSession
from .settings import SNAPSHOTS, apply_settings, describe_settings, permitted, session_settings
from .url import Target, parse_url
from .waits import Waits

if TYPE_CHECKING:
    from .adapter import MariadbAdapter
    from .server.launcher import EmbeddedServer


class MariadbDatabase(Closing):
    """Made by opened()."""

    def __init__(
        self, adapter: MariadbAdapter, target: Target, server: EmbeddedServer | None, waits: Waits
    ) -> None:
        self._adapter = adapter
        self._target = target
        self._server = server
        self._keeps_schema = adapter.schema is not None
        self._schema = adapter.schema or places.PREFIX + secrets.token_hex(5)
        self._closed = False
        self._control = Control(target)
        self._injector = Injector(self._control, server)
        self._waits = waits
        try:
            self._settings = self._control.run(lambda link: permitted(link, session_settings(adapter)))
            self._require_snapshots()
            self._facts = self._control.run(describe_settings)
            self._claim_schema()
            self._warnings = warnings_about(self._facts, waits_are_seen=waits.seen())
        except BaseException:
            self._control.close()
            raise

    # -- the port -------------------------------------------------------------------------

    def describe(self) -> Mapping[str, str]:
        facts = dict(self._facts)
        version, comment = facts.pop("version"), facts.pop("comment")
        found = {
            "product": "MariaDB" if "mariadb" in (version + comment).lower() else "MySQL",
            "version": version,
            "server": "embedded" if self._server else self._target.shown,
        }
        if self._server:
            found["server_files"] = f"{self._server.files.origin}: {self._server.files.mariadbd}"
        return {**found, "url": self._target.shown, "schema": self._schema, **facts}

    def warnings(self) -> tuple[str, ...]:
        return self._warnings

    def prepare(self, kind: Kind, *, fresh: bool) -> int:
        tables = self._tables(kind)
        return self._control.run(lambda link: places.prepare_tables(link, tables, fresh=fresh))

    def insert_rows(self, kind: Kind, keys: range) -> None:
        tables = self._tables(kind)
        self._control.run(lambda link: places.insert_empty(link, tables, keys))

    def session(self, kind: Kind) -> MariadbSession:
        link = self._connected()
        try:
            apply_settings(link, self._settings)
        except FAILURES as error:
            link.close()
            raise DatabaseUnavailable(in_words(error)) from None
        session = Cuttable(link, self._tables(kind), self._adapter.append, self._kill)
        self._injector.watch(session)
        return session

    def _connected(self) -> Link:
        try:
            return Link(self._target, self._schema)
        except FAILURES as error:
            if (number := number_of(error)) in TOO_MANY:
                raise self._control.run(lambda link: no_room(link, number)) from None
            raise DatabaseUnavailable(in_words(error)) from None

    def injector(self) -> Injector:
        """See txfuzz.database.faults.Breakable."""
        return self._injector

    def scripts(self, script: Script) -> Mapping[str, str]:
        """See txfuzz.database.api.WritesScripts."""
        adapter = self._adapter
        snapshots = adapter.innodb_snapshot_isolation
        return {SCRIPT: write_script(script, append=adapter.append, innodb_snapshot_isolation=snapshots)}

    def try_scripts(self, script: Script, scripts: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
        """See txfuzz.database.api.WritesScripts."""
        return {}, f"{SCRIPT} is for people: MariaDB has no tool that would run several sessions of it."

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._waits.close()
        try:
            if self._server is None and not self._keeps_schema:
                self._control.run(lambda link: places.drop(link, self._schema))
        except DatabaseUnavailable:
            pass  # the server is gone; the next campaign drops what we leave behind
        finally:
            self._control.close()
            if self._server is not None:
                self._server.close()

    # -- the place ------------------------------------------------------------------------

    def _tables(self, kind: Kind) -> Tables:
        return Tables(kind, self._schema, self._adapter.tables, quote="`")

    def _kill(self, thread_id: int) -> bool:
        return kill_query(self._target, thread_id)

    def _require_snapshots(self) -> None:
        """What is promised at REPEATABLE READ hangs on this setting."""
        if self._adapter.innodb_snapshot_isolation and SNAPSHOTS not in self._settings:
            raise UsageError(
                f"this server has no setting {SNAPSHOTS}: it came with MariaDB 10.6.18, 10.11.8 and 11.4.2"
            )

    def _claim_schema(self) -> None:
        if self._server is None:
            self._control.run(places.drop_orphans)
        claim = places.use_named if self._keeps_schema else places.create_own
        try:
            self._control.run(lambda link: claim(link, self._schema))
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(f"the database {self._schema!r} cannot be made: {error}") from None
        self._control.on_connect = self._reclaim

    def _reclaim(self, link: Link) -> None:
        """After the control connection was lost: what ended with it."""
        places.lock(link, self._schema)


class SeeingDatabase(MariadbDatabase):
    """One whose user may see who waits."""

    def waiting(self, sessions: Sequence[Session]) -> Mapping[int, frozenset[int]]:
        """See txfuzz.database.api.SeesWaits."""
        numbers = {
            place: each.thread_id for place, each in enumerate(sessions) if isinstance(each, MariadbSession)
        }
        return waits_by_place(numbers, self._waits.among)


def opened(adapter: MariadbAdapter, target: Target, server: EmbeddedServer | None) -> MariadbDatabase:
    waits = Waits(lambda: connect(target))
    try:
        made = SeeingDatabase if waits.seen() else MariadbDatabase
        return made(adapter, target, server, waits)
    except BaseException:
        waits.close()
        raise


def open_url(adapter: MariadbAdapter, url: str) -> MariadbDatabase:
    target = parse_url(url)
    try:
        return opened(adapter, target, None)
    except DatabaseUnavailable as error:
        raise DatabaseUnavailable(f"MariaDB at {target.shown}: {error}") from None


def open_embedded(adapter: MariadbAdapter) -> MariadbDatabase:
    from .server.launcher import launch

    adapter = adapter.with_room_for(0)
    server = launch(
        {
            "max_connections": str(adapter.max_connections),
            "innodb_lock_wait_timeout": str(adapter.lock_wait_timeout),
            "innodb_flush_log_at_trx_commit": "1" if adapter.flush else "2",
        }
    )
    try:
        shown = f"mysql://{server.user}@/?unix_socket={server.socket}"
        target = Target(
            shown,
            unix_socket=str(server.socket),
            parameters={"user": server.user, "ssl_disabled": True},
        )
        return opened(adapter, target, server)
    except BaseException:
        server.close()
        raise
