"""The adapter's options, and what DuckDB promises.

The manual (https://duckdb.org/docs/stable/connect/concurrency) describes multi-version concurrency control
with optimistic checks: of two transactions that change the same row the second is refused, and appends never
conflict. That is snapshot isolation, and nothing there claims more. There is no statement that chooses a
level, so the level has a name of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from txfuzz.plugin_api import check_options, option, tables_option

MEMORY = "memory"
FILE = "file"
SNAPSHOT = "snapshot"
PROMISES = {SNAPSHOT: "snapshot-isolation"}
ON_CONFLICT = "on-conflict"


@dataclass(frozen=True)
class DuckdbOptions:
    storage: str = option(
        MEMORY,
        "where a database without a URL is: in memory, or in a temporary file, with its write-ahead log",
        choices=(MEMORY, FILE),
    )
    append: str = option(
        ON_CONFLICT,
        "how to write a row that may not exist yet: INSERT … ON CONFLICT DO UPDATE; "
        "or UPDATE and, if that found no row, INSERT",
        choices=(ON_CONFLICT, "update-else-insert"),
    )
    tables: int = tables_option()
    threads: int = option(1, "threads that one statement may use", least=1)
    checkpoint_bytes: int | None = option(
        None,
        "size of the write-ahead log from which COMMIT writes it into the file; by default DuckDB's, 16 MB",
        least=1,
    )
    keep: bool = option(False, "whether the tables stay in the file named by the URL, for a later campaign")

    def __post_init__(self) -> None:
        check_options(self, "duckdb")

    @property
    def settings(self) -> dict[str, str]:
        """Of the whole instance, in DuckDB's words."""
        wished = {"threads": str(self.threads)}
        if self.checkpoint_bytes is not None:
            wished["checkpoint_threshold"] = f"{self.checkpoint_bytes} B"
        return wished
