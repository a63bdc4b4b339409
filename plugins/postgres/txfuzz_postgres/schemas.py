"""Our schema on a server, marked and locked while in use, and its tables.

A campaign's schema has a comment that marks it as ours, and the campaign holds an advisory lock on it
while it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema, DropSchema

from txfuzz.plugin_api import TABLE_PREFIX, Kind, Schemas, TableMaker, Tables

from .layouts import create_statements

MARK = "made by txfuzz for one campaign, dropped when it is over"
LOCK_CLASS = 0x74786675  # "txfu": the first of the two numbers of our advisory locks


class PostgresSchemas(Schemas[Connection]):
    word = "schema"

    def create(self, on: Connection, name: str) -> None:
        on.execute(CreateSchema(name))

    def create_marked(self, on: Connection, name: str) -> None:
        """Others cannot see it before it is locked."""
        self.create(on, name)
        quoted = on.dialect.identifier_preparer.quote_identifier(name)
        on.execute(text(f"COMMENT ON SCHEMA {quoted} IS '{MARK}'"))
        self.lock(on, name)

    def exists(self, on: Connection, name: str) -> bool:
        return bool(inspect(on).has_schema(name))

    def lock(self, on: Connection, name: str) -> bool:
        oid = on.scalar(text("SELECT oid FROM pg_namespace WHERE nspname = :name"), {"name": name})
        return oid is not None and try_lock(on, oid)

    def drop(self, on: Connection, name: str) -> None:
        on.execute(DropSchema(name, cascade=True, if_exists=True))

    def has_tables_in_public(self, on: Connection) -> bool:
        """Tables, views or sequences of somebody's own: not of an extension."""
        found = on.scalar(
            text(
                "SELECT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace('public') "
                "AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS (SELECT FROM pg_depend "
                "WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))"
            )
        )
        return bool(found)

    def end_transactions(self, on: Connection, name: str) -> None:
        """End the connections, whoever they belong to, that would keep us from dropping it."""
        on.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE pid <> pg_backend_pid() AND relation "
                "IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(:name)))"
            ),
            {"name": name},
        )

    def drop_orphans(self, on: Connection) -> int:
        """Each in its own transaction."""
        found = text(
            "SELECT oid, nspname FROM pg_namespace "
            "WHERE starts_with(nspname, :prefix) AND obj_description(oid, 'pg_namespace') = :mark"
        )
        with on.begin():
            candidates = on.execute(found, {"prefix": TABLE_PREFIX, "mark": MARK}).all()
        dropped = 0
        for oid, name in candidates:
            with on.begin():
                free = try_lock(on, oid)
            if not free:
                continue
            try:
                with on.begin():
                    on.execute(text("SET LOCAL lock_timeout = '2s'"))
                    self.drop(on, name)
                dropped += 1
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
            with on.begin():
                on.execute(select(func.pg_advisory_unlock(LOCK_CLASS, signed(oid))))
        return dropped


def try_lock(on: Connection, oid: int) -> bool:
    return bool(on.scalar(select(func.pg_try_advisory_lock(LOCK_CLASS, signed(oid)))))


def signed(oid: int) -> int:
    """An oid has 32 bits without sign, an advisory lock's number 32 with one."""
    return oid - (1 << 32) if oid >= 1 << 31 else oid


class PostgresTables(TableMaker[Connection]):
    key_type = "bigint"
    val_types: ClassVar = {Kind.LIST_APPEND: "bigint[]", Kind.RW_REGISTER: "bigint"}
    val_columns: ClassVar = val_types
    empty: ClassVar = {Kind.LIST_APPEND: "ARRAY[]::bigint[]", Kind.RW_REGISTER: "NULL"}

    def run(self, on: Connection, sql: str) -> Sequence[Sequence[Any]]:
        result = on.execute(text(sql.replace(":", r"\:")))
        return result.all() if result.returns_rows else ()

    def create_statements(self, table: str, kind: Kind, layout: str) -> tuple[str, ...]:
        declared = f"{self.key} {self.key_type} NOT NULL PRIMARY KEY, val {self.val_columns[kind]}"
        return create_statements(table, kind, declared, layout)

    def names(self, on: Connection, tables: Tables) -> Iterable[str]:
        return inspect(on).get_table_names(schema=tables.schema)

    def column_types(self, on: Connection, tables: Tables, name: str) -> Mapping[str, str]:
        """Of those that matter: a table that stays may have further ones."""
        rows = on.execute(
            text(
                "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute "
                "WHERE attrelid = to_regclass(:name) AND attname IN ('key', 'val') AND NOT attisdropped"
            ),
            {"name": tables.inside_schema(name)},
        )
        return {row.attname: row.type for row in rows}

    def prepare(self, on: Connection, tables: Tables, *, fresh: bool) -> int:
        on.execute(text("SET LOCAL lock_timeout = '10s'"))
        return super().prepare(on, tables, fresh=fresh)
