"""The adapter: its options, what it can do, and how it opens a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from txfuzz.plugin_api import Capabilities, check_options, option

from .modes import BEGINS, MODES, SERIALIZABLE, WAL, promises
from .statements import DIALECT, ON_CONFLICT, WRITE_FORMS

if TYPE_CHECKING:
    from .database import SqliteDatabase


@dataclass(frozen=True)
class SqliteAdapter:
    """SQLite as it comes with Python. The fields are options of `database:`."""

    name: ClassVar[str] = "sqlite"
    about: ClassVar[str] = "SQLite: a database of its own, or any file by its URL"

    mode: str = option(
        WAL,
        "how connections share the database: a write-ahead log, a rollback journal, or one cache (in memory)",
        choices=MODES,
    )
    begin: str = option(
        BEGINS[0],
        "how transactions begin: deferred takes locks when it needs them, immediate that of the writer at "
        "once, exclusive keeps readers out as well",
        choices=BEGINS,
    )
    append: str = option(
        ON_CONFLICT,
        "how a write reaches a row that may not exist yet: INSERT … ON CONFLICT DO UPDATE; "
        "or UPDATE and, if that found no row, INSERT",
        choices=WRITE_FORMS,
    )
    tables: int = option(1, "the keys are spread over so many tables", least=1)
    busy_timeout_ms: int = option(
        200,
        "how long the first statement of a transaction waits for the lock of another connection, "
        "and COMMIT for its readers",
        least=0,
    )
    synchronous: str | None = option(
        None,
        "how far COMMIT waits for the disk; left out: off for a database of its own, else SQLite's default",
        choices=("off", "normal", "full", "extra"),
    )
    keep: bool = option(False, "whether the tables stay in the file that a URL names, for a later campaign")

    def __post_init__(self) -> None:
        check_options(self, "sqlite")

    def capabilities(self) -> Capabilities:
        return Capabilities(
            isolation=promises(self.mode),
            default_isolation=SERIALIZABLE,
            sql=True,
            dialects=frozenset({DIALECT}),
            embedded=True,
            savepoints=True,
        )

    def servers(self) -> tuple[str, ...]:
        """See txfuzz.database.api.Embeds."""
        import sqlite3

        return (f"SQLite {sqlite3.sqlite_version}, the library that Python uses",)

    def open(self, url: str | None) -> SqliteDatabase:
        from .database import open_own, open_url

        return open_own(self) if url is None else open_url(self, url)
