"""The adapter: its capabilities, and how it opens a database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from txfuzz.plugin_api import (
    Capabilities,
    Database,
    Drivers,
    EndpointUse,
    Promise,
    ScenarioTables,
    StartableServer,
    Variation,
    is_version,
)

from .layouts import LAYOUTS, PLANS
from .options import FAULTS_ANYWHERE, FAULTS_OF_OUR_OWN, PostgresOptions
from .replicas.promises import FAIL_OVER, KILL_STANDBY, LAG, promise_across, roles
from .statements import DEFAULT_LEVEL, FORMS, LOCKS, PROMISES


@dataclass(frozen=True)
class PostgresAdapter(PostgresOptions):
    """PostgreSQL, embedded or by URL. The fields are options of `database:`."""

    name: ClassVar[str] = "postgres"
    about: ClassVar[str] = "PostgreSQL: an embedded server, or any server by URL"
    schemes: ClassVar[frozenset[str]] = frozenset({"postgres", "postgresql"})

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation=PROMISES,
            default_isolation=DEFAULT_LEVEL,
            locks=LOCKS,
            sql=True,
            dialects=frozenset({"postgresql"}),
            lock_waits=True,
            embedded=True,
            faults=FAULTS_ANYWHERE | frozenset(FAULTS_OF_OUR_OWN) | {LAG, KILL_STANDBY, FAIL_OVER},
            savepoints=True,
            modes=frozenset({"read_only", "deferrable"}),
            internal_errors=frozenset({"XX"}),
            endpoints=roles(self.standbys),
            forms=FORMS,
            deleted_rows=True,
        )

    def variations(self) -> tuple[Variation, ...]:
        """See txfuzz.plugin_api.Varies. Tables in a schema of the user's own stay as they are."""
        plans = (Variation("plan", "plans", PLANS),)
        if self.schema is not None:
            return plans
        return (
            *plans,
            Variation("layout", "layout", LAYOUTS),
            Variation("tables", "layout", (1, 3, 16), splits=True),
        )

    def promise_across(self, uses: Sequence[EndpointUse], faults: Collection[str]) -> Promise:
        """See txfuzz.plugin_api.HasEndpoints."""
        return promise_across(self, uses, faults)

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.plugin_api.Embeds."""
        from .server.files import installed_servers

        found, problems = installed_servers(self.server)
        known = (f"PostgreSQL {each.version} ({each.shown})" for each in found)
        return (*known, *(f"not usable: {problem}" for problem in problems))

    def startable(self) -> tuple[StartableServer, ...]:
        """See txfuzz.plugin_api.StartsVersions."""
        from .server.files import installed_servers, versions_of

        found, _ = installed_servers(self.server)
        return tuple(
            StartableServer(each.version, {"version": each.version}, each.origin)
            for each in versions_of(found)
            if self.wanted_version is None or is_version(each.version, self.wanted_version)
        )

    def drivers(self) -> Drivers:
        """See txfuzz.plugin_api.KnowsDrivers."""
        from .drivers import PostgresDrivers

        return PostgresDrivers()

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
