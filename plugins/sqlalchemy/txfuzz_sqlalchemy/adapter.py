"""The adapter: its capabilities, and how it opens a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from txfuzz.plugin_api import ANY_SCHEME, Capabilities, Database, UsageError

from .dialects import dialect_of
from .options import SqlalchemyOptions


@dataclass(frozen=True)
class SqlalchemyAdapter(SqlalchemyOptions):
    """Any URL that SQLAlchemy understands. The fields are options of `database:`."""

    name: ClassVar[str] = "sqlalchemy"
    about: ClassVar[str] = "any database that SQLAlchemy knows, by URL"
    schemes: ClassVar[frozenset[str]] = frozenset({ANY_SCHEME})

    @classmethod
    def options_for(cls, url: str) -> Mapping[str, Any]:
        """See txfuzz.plugin_api.FitsUrl."""
        found = dialect_of(url)
        return {} if found is None else {"dialect": found}

    @classmethod
    def knows_scheme(cls, scheme: str) -> bool:
        """See txfuzz.plugin_api.KnowsSchemes."""
        from .engine import has_dialect

        return has_dialect(scheme)

    def capabilities(self) -> Capabilities:
        facts = self.facts
        return Capabilities(
            isolation=facts.levels,
            default_isolation=facts.default,
            locks=facts.locks,
            sql=True,
            dialects=facts.raw,
            savepoints=facts.savepoints,
            backslash_escapes=self.dialect in ("mysql", "mariadb"),
        )

    def open(self, url: str | None) -> Database:
        from .database import SqlalchemyDatabase
        from .engine import engine_for

        if url is None:
            raise UsageError("the adapter 'sqlalchemy' starts no server: it needs --database-url")
        return SqlalchemyDatabase(self, engine_for(url, self))
