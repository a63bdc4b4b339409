"""The adapter: its capabilities, and how it opens a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from txfuzz.plugin_api import Capabilities, Database

from .options import PROMISES, SNAPSHOT, DuckdbOptions


@dataclass(frozen=True)
class DuckdbAdapter(DuckdbOptions):
    """DuckDB in this process. The fields are options of `database:`."""

    name: ClassVar[str] = "duckdb"
    about: ClassVar[str] = "DuckDB: a temporary database, or any file by URL"
    schemes: ClassVar[frozenset[str]] = frozenset({"duckdb"})

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation=PROMISES,
            default_isolation=SNAPSHOT,
            sql=True,
            dialects=frozenset({"duckdb"}),
            embedded=True,
            modes=frozenset({"read_only"}),
            internal_errors=frozenset({"InternalException", "FatalException"}),
        )

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.plugin_api.Embeds."""
        import duckdb

        return (f"DuckDB {duckdb.__version__}, the library that Python uses",)

    def open(self, url: str | None) -> Database:
        from .database import DuckdbDatabase
        from .files import database_file, new_database_file

        file = new_database_file(self.storage) if url is None else database_file(url)
        return DuckdbDatabase(self, file, ours=url is None)
