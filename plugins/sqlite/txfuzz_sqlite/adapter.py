"""The adapter: its capabilities, and how it opens a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from txfuzz.plugin_api import Capabilities, Database, Drivers, ScenarioTables, Variation

from .options import FORMS, LAYOUTS, PLANS, SERIALIZABLE, SqliteOptions


@dataclass(frozen=True)
class SqliteAdapter(SqliteOptions):
    """SQLite as it comes with Python. The fields are options of `database:`."""

    name: ClassVar[str] = "sqlite"
    about: ClassVar[str] = "SQLite: a temporary database, or any file by URL"
    schemes: ClassVar[frozenset[str]] = frozenset({"sqlite", "sqlite3"})

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation=self.promises,
            default_isolation=SERIALIZABLE,
            sql=True,
            dialects=frozenset({"sqlite"}),
            embedded=True,
            savepoints=True,
            forms=FORMS,
            deleted_rows=True,
        )

    def variations(self) -> tuple[Variation, ...]:
        """See txfuzz.plugin_api.Varies. Tables that are kept stay as they are."""
        plans = (Variation("plan", "plans", PLANS),)
        if self.keep:
            return plans
        return (
            *plans,
            Variation("layout", "layout", LAYOUTS),
            Variation("tables", "layout", (1, 3, 16), splits=True),
        )

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.plugin_api.Embeds."""
        import sqlite3

        return (f"SQLite {sqlite3.sqlite_version}, the library that Python uses",)

    def drivers(self) -> Drivers:
        """See txfuzz.plugin_api.KnowsDrivers."""
        from .drivers import SqliteDrivers

        return SqliteDrivers()

    def existing(self, url: str) -> ScenarioTables:
        """See txfuzz.plugin_api.SeesTables. The file keeps its journal mode, whatever `mode` says."""
        from .files import database_file
        from .scenario.tables import SqliteExistingTables

        return SqliteExistingTables(database_file(url, self.mode), self)

    def open(self, url: str | None) -> Database:
        from .database import SqliteDatabase
        from .files import database_file, new_database_file

        file = new_database_file(self.mode) if url is None else database_file(url, self.mode)
        return SqliteDatabase(self, file, ours=url is None)
