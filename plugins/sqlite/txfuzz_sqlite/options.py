"""The adapter's options: how connections share a database, and what each mode promises.

The manual (https://www.sqlite.org/isolation.html): "Except in the case of shared cache database
connections with PRAGMA read_uncommitted turned on, all transactions in SQLite show serializable
isolation." There is one writer at a time, and a reader sees the database "as it existed at the moment
in time when the read transaction started": so a transaction sees everything committed before
it began, which makes it strict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.plugin_api import check_options, option, tables_option

WAL = "wal"
JOURNAL = "rollback-journal"
SHARED_CACHE = "shared-cache"
JOURNAL_MODE = {WAL: "wal", JOURNAL: "delete"}  # as PRAGMA journal_mode names them


SERIALIZABLE = "serializable"
READ_UNCOMMITTED = "read uncommitted"
STRICT = "strict-serializable"

ON_CONFLICT = "on-conflict"
UPDATE_ELSE_INSERT = "update-else-insert"
_WRITES = (ON_CONFLICT, UPDATE_ELSE_INSERT, "insert-else-update", "replace")
# The forms of single steps
FORMS: Mapping[str, tuple[str, ...]] = {"r": ("range",), "append": _WRITES, "w": _WRITES}
LAYOUTS = ("rowid", "without-rowid", "secondary-index")
PLANS = ("default", "scan")


@dataclass(frozen=True)
class SqliteOptions:
    mode: str = option(
        WAL,
        "how connections share the database: a write-ahead log, a rollback journal, or one cache (in memory)",
        choices=(WAL, JOURNAL, SHARED_CACHE),
    )
    begin: str = option(
        "deferred",
        "how transactions begin: deferred takes locks when needed, immediate takes the write lock at once, "
        "exclusive also keeps readers out",
        choices=("deferred", "immediate", "exclusive"),
    )
    append: str = option(
        ON_CONFLICT,
        "how to write a row that may not exist yet: INSERT … ON CONFLICT DO UPDATE; "
        "or UPDATE and, if that found no row, INSERT",
        choices=(ON_CONFLICT, UPDATE_ELSE_INSERT),
    )
    layout: str = option(
        LAYOUTS[0],
        "how tables are made: by their row number, WITHOUT ROWID, or with an index on what is written",
        choices=LAYOUTS,
    )
    plan: str = option(
        PLANS[0], "how reads get at rows: by their keys, or by a scan of the table", choices=PLANS
    )
    tables: int = tables_option()
    busy_timeout_ms: int = option(
        200,
        "milliseconds that a transaction's first statement waits for another connection's lock, "
        "and COMMIT for readers",
        least=0,
    )
    synchronous: str | None = option(
        None,
        "how far COMMIT waits for the disk; by default off for a temporary database, else SQLite's default",
        choices=("off", "normal", "full", "extra"),
    )
    keep: bool = option(False, "whether the tables stay in the file named by the URL, for a later campaign")

    def __post_init__(self) -> None:
        check_options(self, "sqlite")

    @property
    def promises(self) -> Mapping[str, str]:
        """Level → model. Only connections that share a cache can read uncommitted data."""
        if self.mode == SHARED_CACHE:
            return {READ_UNCOMMITTED: "read-uncommitted", SERIALIZABLE: STRICT}
        return {SERIALIZABLE: STRICT}
