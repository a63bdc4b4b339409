"""An open MariaDB: a server, a database in it, and sessions on that; see txfuzz.plugin_api.Database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from txfuzz.plugin_api import (
    TABLE_PREFIX,
    DatabaseUnavailable,
    Kind,
    Script,
    ScriptFile,
    ServerDatabase,
    Session,
    UsageError,
    require_linux,
    waits_by_place,
)

from .fault_injection import Injector
from .options import MariadbOptions
from .products import refuse_other_levels, server_of
from .protocol.codes import TOO_MANY
from .protocol.connection import FAILURES, Control, Link, connect, in_words, kill_query, no_room, number_of
from .protocol.lock_waits import LockWaits
from .protocol.session import MariadbSession
from .protocol.url import Target, parse_url
from .schemas import MariadbSchemas, MariadbTables
from .scripts import NAME as SCRIPT
from .scripts import write_script
from .settings import (
    ON,
    SNAPSHOTS,
    apply_settings,
    describe_settings,
    permitted,
    session_settings,
    warnings_about,
)
from .statements import level

if TYPE_CHECKING:
    from .drivers import MariadbDrivers
    from .scenario.server import ScenarioServer
    from .scenario.tables import MariadbExistingTables, MariadbScenario
    from .server.launcher import EmbeddedServer


class MariadbDatabase(ServerDatabase[Link]):
    """Made by opened()."""

    maker = MariadbTables()
    schemas = MariadbSchemas()
    quote = "`"
    product = "MariaDB"

    def __init__(
        self, options: MariadbOptions, target: Target, server: EmbeddedServer | None, waits: LockWaits
    ) -> None:
        control = Control(target)
        super().__init__(target.shown, server, control, waits, schema=options.schema, count=options.tables)
        self._options = options
        self._layout = options.layout
        self._target = target
        self._injector = Injector(control, server)
        self._waits = waits
        try:
            self._settings = self.run(lambda link: permitted(link, session_settings(options)))
            self._require_snapshots()
            facts = self.run(describe_settings)
            server_kind = server_of(facts["version"], facts.pop("comment"))
            self.product = server_kind.product or "unknown product"
            refuse_other_levels(server_kind, options.product)
            self._facts = facts
            self.claim_schema()
            warned = warnings_about(facts, waits_are_seen=waits.seen())
            self._warnings = (*filter(None, [server_kind.unknown]), *warned)
        except BaseException:
            control.close()
            raise

    def vary(self, options: Mapping[str, Any]) -> None:
        """See txfuzz.plugin_api.TakesVariations."""
        self._options = replace(self._options, **options)
        self._count, self._layout = self._options.tables, self._options.layout

    def session(self, kind: Kind) -> MariadbSession:
        link = self._connected()
        try:
            apply_settings(link, self._settings)
        except FAILURES as error:
            link.close()
            raise DatabaseUnavailable(in_words(error)) from None
        session = MariadbSession(link, self.tables(kind), self._options, self._kill)
        self._injector.watch(session)
        return session

    def _connected(self) -> Link:
        try:
            return Link(self._target, self._schema)
        except FAILURES as error:
            if (number := number_of(error)) in TOO_MANY:
                raise self.run(lambda link: no_room(link, number)) from None
            raise DatabaseUnavailable(in_words(error)) from None

    def injector(self) -> Injector:
        """See txfuzz.plugin_api.Breakable."""
        return self._injector

    def scripts(self, script: Script) -> Mapping[str, ScriptFile]:
        """See txfuzz.plugin_api.WritesScripts."""
        return {SCRIPT: ScriptFile(write_script(script, self._options))}

    def try_scripts(
        self, script: Script, scripts: Mapping[str, ScriptFile]
    ) -> tuple[Mapping[str, ScriptFile], str]:
        """See txfuzz.plugin_api.WritesScripts."""
        return {}, f"{SCRIPT} is for typing by hand: MariaDB has no tool that runs several sessions."

    def begin_statements(
        self, isolation: str, *, read_only: bool = False, deferrable: bool = False
    ) -> tuple[str, ...]:
        """See txfuzz.plugin_api.WritesBegin."""
        begin = "START TRANSACTION READ ONLY" if read_only else "START TRANSACTION"
        return (f"SET TRANSACTION ISOLATION LEVEL {level(isolation).upper()}", begin)

    def scenario(self, setup: Sequence[str]) -> MariadbScenario:
        """See txfuzz.plugin_api.HoldsScenarios."""
        from .scenario.tables import MariadbScenario

        own = f"{TABLE_PREFIX}scenario_{secrets.token_hex(3)}"
        return MariadbScenario(self._scenario_server(), own, setup)

    def existing(self) -> MariadbExistingTables:
        """See txfuzz.plugin_api.SeesTables. Closes this database with it."""
        from .scenario.tables import MariadbExistingTables

        name = self._target.parameters.get("database")
        if not name:
            raise UsageError("the database URL names no database, whose tables are to be looked at")
        return MariadbExistingTables(self._scenario_server(), str(name), self.close)

    def _scenario_server(self) -> ScenarioServer:
        from .scenario.server import ScenarioServer

        if not self._waits.seen():
            raise DatabaseUnavailable(
                "this user may not see lock waits, which takes the PROCESS privilege (on MySQL the sys "
                "schema): without it transactions cannot be run in a chosen order"
            )
        detects = self._facts.get("innodb_deadlock_detect", "ON").upper() in ON
        return ScenarioServer(self._target, self._settings, self._waits, self.run, deadlocks_end=detects)

    def drivers(self) -> MariadbDrivers:
        """See txfuzz.plugin_api.KnowsDrivers."""
        from .drivers import MariadbDrivers

        return MariadbDrivers()

    def _kill(self, number: int) -> bool:
        return kill_query(self._target, number)

    def _require_snapshots(self) -> None:
        """The promise at REPEATABLE READ depends on this setting."""
        if self._options.innodb_snapshot_isolation and SNAPSHOTS not in self._settings:
            raise UsageError(
                f"this server has no setting {SNAPSHOTS}: it was added in MariaDB 10.6.18, 10.11.8 and 11.4.2"
            )


class WaitSeeingDatabase(MariadbDatabase):
    """One whose user may see lock waits."""

    def waiting(self, sessions: Sequence[Session]) -> Mapping[int, frozenset[int]]:
        """See txfuzz.plugin_api.SeesWaits."""
        numbers = {at: each.number for at, each in enumerate(sessions) if isinstance(each, MariadbSession)}
        return waits_by_place(numbers, self._waits.among)


def opened(options: MariadbOptions, target: Target, server: EmbeddedServer | None) -> MariadbDatabase:
    waits = LockWaits(lambda: connect(target))
    try:
        made = WaitSeeingDatabase if waits.seen() else MariadbDatabase
        return made(options, target, server, waits)
    except BaseException:
        waits.close()
        raise


def open_url(options: MariadbOptions, url: str) -> MariadbDatabase:
    target = parse_url(url)
    try:
        return opened(options, target, None)
    except DatabaseUnavailable as error:
        raise DatabaseUnavailable(f"MariaDB at {target.shown}: {error}") from None


def open_embedded(options: MariadbOptions) -> MariadbDatabase:
    require_linux("MariaDB")
    from .server.launcher import launch

    options = options.with_room_for(0)
    server = launch(
        {
            "max_connections": str(options.max_connections),
            "innodb_lock_wait_timeout": str(options.lock_wait_timeout),
            "innodb_flush_log_at_trx_commit": "1" if options.flush else "2",
        },
        options.wanted_version,
        options.server,
    )
    try:
        shown = f"mysql://{server.user}@/?unix_socket={server.socket}"
        parameters = {"user": server.user, "ssl_disabled": True}
        return opened(options, Target(shown, unix_socket=str(server.socket), parameters=parameters), server)
    except BaseException:
        server.close()
        raise
