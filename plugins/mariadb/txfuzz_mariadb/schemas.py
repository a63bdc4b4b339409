"""Our database on a server, marked and locked while in use, and its tables.

A campaign's database contains a table whose comment marks it as ours, and the campaign holds a user-level
lock on its name while it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from txfuzz.plugin_api import TABLE_PREFIX, Kind, Schemas, TableMaker, Tables

from .protocol.connection import FAILURES, Link
from .statements import LAYOUTS, PARTITIONS, quoted

MARK_TABLE = "txfuzz_mark"
MARK = "made by txfuzz for one campaign, dropped when it is over"

_, SECONDARY, PARTITIONED = LAYOUTS


class MariadbSchemas(Schemas[Link]):
    word = "database"

    def create(self, on: Link, name: str) -> None:
        on.run(f"CREATE DATABASE {quoted(name)}")

    def create_marked(self, on: Link, name: str) -> None:
        """Locked first, then marked."""
        self.lock(on, name)
        self.create(on, name)
        on.run(f"CREATE TABLE {quoted(name)}.{MARK_TABLE} (id INT) ENGINE=InnoDB COMMENT=%s", (MARK,))

    def exists(self, on: Link, name: str) -> bool:
        return bool(on.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", (name,)))

    def lock(self, on: Link, name: str) -> bool:
        answer = on.run("SELECT GET_LOCK(%s, 0)", (lock_name(name),))
        return bool(answer.row and answer.row[0] == 1)

    def drop(self, on: Link, name: str) -> None:
        on.run(f"DROP DATABASE IF EXISTS {quoted(name)}")

    def drop_orphans(self, on: Link) -> int:
        candidates = on.rows(
            "SELECT TABLE_SCHEMA FROM information_schema.TABLES "
            "WHERE TABLE_SCHEMA LIKE %s AND TABLE_NAME = %s AND TABLE_COMMENT = %s",
            (TABLE_PREFIX.replace("_", r"\_") + "%", MARK_TABLE, MARK),
        )
        dropped = 0
        for (name,) in candidates:
            if not self.lock(on, name):
                continue
            try:
                self.drop(on, name)
                dropped += 1
            except FAILURES:
                if not on.open:
                    raise
            on.run("SELECT RELEASE_LOCK(%s)", (lock_name(name),))
        return dropped


def lock_name(name: str) -> str:
    """Within MySQL's limit of 64 characters."""
    return name if len(name) < 57 else name[:57]


class MariadbTables(TableMaker[Link]):
    key = "`key`"
    key_type = "bigint"
    val_types: ClassVar = {Kind.LIST_APPEND: "longtext", Kind.RW_REGISTER: "bigint"}
    val_columns: ClassVar = {
        Kind.LIST_APPEND: "longtext CHARACTER SET ascii COLLATE ascii_bin NOT NULL",
        Kind.RW_REGISTER: "bigint NULL",
    }
    ending = " ENGINE=InnoDB"
    insert = "INSERT IGNORE INTO"
    on_duplicate = ""

    def create_statements(self, table: str, kind: Kind, layout: str) -> tuple[str, ...]:
        declared = f"{self.key} {self.key_type} NOT NULL PRIMARY KEY, val {self.val_columns[kind]}"
        if layout == SECONDARY:
            column = "val(16)" if kind is Kind.LIST_APPEND else "val"
            return (f"CREATE TABLE {table} ({declared}, KEY by_val ({column})){self.ending}",)
        ending = self.ending
        if layout == PARTITIONED:
            ending = f"{ending} PARTITION BY KEY ({self.key}) PARTITIONS {PARTITIONS}"
        return (f"CREATE TABLE {table} ({declared}){ending}",)

    def run(self, on: Link, sql: str) -> Sequence[Sequence[Any]]:
        return on.run(sql).rows

    def names(self, on: Link, tables: Tables) -> Iterable[str]:
        found = on.rows(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", (tables.schema,)
        )
        return (name for (name,) in found)

    def column_types(self, on: Link, tables: Tables, name: str) -> Mapping[str, str]:
        found = on.rows(
            "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (tables.schema, name),
        )
        return {str(column).lower(): str(kind).lower() for column, kind in found}
