"""What our tables look like."""

from __future__ import annotations

from collections.abc import Mapping

from txfuzz.plugin_api import Kind

COLUMN: Mapping[Kind, str] = {
    Kind.LIST_APPEND: "LONGTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL",
    Kind.RW_REGISTER: "BIGINT NULL",
}
EMPTY: Mapping[Kind, str] = {Kind.LIST_APPEND: "''", Kind.RW_REGISTER: "NULL"}


def create_sql(table: str, kind: Kind) -> str:
    return f"CREATE TABLE {table} (`key` BIGINT NOT NULL PRIMARY KEY, val {COLUMN[kind]}) ENGINE=InnoDB"
