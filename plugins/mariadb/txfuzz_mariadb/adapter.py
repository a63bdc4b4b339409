"""The adapter: its capabilities, and how it opens a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from txfuzz.plugin_api import (
    Capabilities,
    Database,
    Drivers,
    ScenarioTables,
    StartableServer,
    Variation,
    is_version,
)

from .options import FAULTS_ANYWHERE, FAULTS_OF_OUR_OWN, MariadbOptions
from .statements import DIALECT, FORMS, LAYOUTS, LOCKS, PLANS, promises


@dataclass(frozen=True)
class MariadbAdapter(MariadbOptions):
    """MariaDB, embedded or by URL. The fields are options of `database:`."""

    name: ClassVar[str] = "mariadb"
    about: ClassVar[str] = "MariaDB: an embedded server, or any MySQL-protocol server by URL"
    schemes: ClassVar[frozenset[str]] = frozenset({"mariadb", "mysql"})

    def capabilities(self) -> Capabilities:
        levels = promises(self.product, innodb_snapshot_isolation=self.innodb_snapshot_isolation)
        return Capabilities(
            isolation=levels,
            default_isolation=list(levels)[-1],
            locks=frozenset(LOCKS),
            sql=True,
            dialects=frozenset({DIALECT}),
            lock_waits=True,
            embedded=True,
            faults=FAULTS_ANYWHERE | frozenset(FAULTS_OF_OUR_OWN),
            savepoints=True,
            modes=frozenset({"read_only"}),
            backslash_escapes=True,
            forms=FORMS,
            deleted_rows=True,
        )

    def variations(self) -> tuple[Variation, ...]:
        """See txfuzz.plugin_api.Varies. Tables in a database of the user's own stay as they are."""
        plans = (Variation("plan", "plans", PLANS),)
        if self.schema is not None:
            return plans
        return (
            *plans,
            Variation("layout", "layout", LAYOUTS),
            Variation("tables", "layout", (1, 3, 16), splits=True),
        )

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.plugin_api.Embeds."""
        from .server.files import installed_servers

        found, problems = installed_servers(self.server)
        known = (f"MariaDB {each.version} ({each.shown})" for each in found)
        return (*known, *(f"not usable: {problem}" for problem in problems))

    def startable(self) -> tuple[StartableServer, ...]:
        """See txfuzz.plugin_api.StartsVersions."""
        from .server.files import installed_servers, versions_of

        found, _ = installed_servers(self.server)
        return tuple(
            StartableServer(each.number, {"version": each.number}, each.origin)
            for each in versions_of(found)
            if self.wanted_version is None or is_version(each.number, self.wanted_version)
        )

    def drivers(self) -> Drivers:
        """See txfuzz.plugin_api.KnowsDrivers."""
        from .drivers import MariadbDrivers

        return MariadbDrivers()

    def existing(self, url: str) -> ScenarioTables:
        """See txfuzz.plugin_api.SeesTables."""
        from .database import open_url

        database = open_url(self, url)
        try:
            return database.existing()
        except BaseException:
            database.close()
            raise

    def open(self, url: str | None) -> Database:
        from .database import open_embedded, open_url

        return open_embedded(self) if url is None else open_url(self, url)
