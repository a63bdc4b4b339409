"""A place of ours on somebody's server: a schema, marked and locked while in use, and its tables.

A campaign's schema carries a comment that says whose it is, and its campaign holds an advisory lock
on it for as long as it lives. A campaign that was killed leaves a marked schema that nobody locks;
the next one drops it.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Connection,
    MetaData,
    Table,
    func,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema, DropSchema

from txfuzz.plugin_api import Kind, Tables, UsageError

PREFIX = "txfuzz_"
MARK = "made by txfuzz for one campaign, dropped when it is over"
LOCK_CLASS = 0x74786675  # "txfu": the first of the two numbers of our advisory locks


def create_own(connection: Connection, name: str) -> None:
    """A new schema, marked and locked: others see it only when the lock is already held."""
    connection.execute(CreateSchema(name))
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    connection.execute(text(f"COMMENT ON SCHEMA {quoted} IS '{MARK}'"))
    lock(connection, name)


def use_named(connection: Connection, name: str) -> None:
    """The user's own schema, made if it is not there, and kept."""
    if not inspect(connection).has_schema(name):
        connection.execute(CreateSchema(name))
    if not lock(connection, name):
        raise UsageError(f"another campaign is using the schema {name!r} at this moment")


def lock(connection: Connection, name: str) -> bool:
    """Hold the schema's advisory lock until the connection ends; False if somebody else does."""
    oid = connection.scalar(text("SELECT oid FROM pg_namespace WHERE nspname = :name"), {"name": name})
    return oid is not None and try_lock(connection, oid)


def try_lock(connection: Connection, oid: int) -> bool:
    return bool(connection.scalar(select(func.pg_try_advisory_lock(LOCK_CLASS, signed(oid)))))


def signed(oid: int) -> int:
    """An oid has 32 bits without sign, an advisory lock's number 32 with one."""
    return oid - (1 << 32) if oid >= 1 << 31 else oid


def drop_orphans(connection: Connection) -> int:
    """Drop the schemas of campaigns that were killed; how many. What cannot be dropped now stays."""
    found = text(
        "SELECT oid, nspname FROM pg_namespace "
        "WHERE starts_with(nspname, :prefix) AND obj_description(oid, 'pg_namespace') = :mark"
    )
    with connection.begin():
        candidates = connection.execute(found, {"prefix": PREFIX, "mark": MARK}).all()
    dropped = 0
    for oid, name in candidates:
        with connection.begin():
            free = try_lock(connection, oid)
        if not free:
            continue
        try:
            with connection.begin():
                connection.execute(text("SET LOCAL lock_timeout = '2s'"))
                drop(connection, name)
            dropped += 1
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
        with connection.begin():
            connection.execute(select(func.pg_advisory_unlock(LOCK_CLASS, signed(oid))))
    return dropped


def drop(connection: Connection, name: str) -> None:
    connection.execute(DropSchema(name, cascade=True, if_exists=True))


def prepare_tables(connection: Connection, tables: Tables, *, fresh: bool) -> int:
    """Make the tables exist, new and empty when `fresh`; the highest key in any of them."""
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    present = existing(connection, tables)
    if fresh:
        for name in present:
            Table(name, MetaData(), schema=tables.schema).drop(connection)
        present = []
    for name in present:
        check_columns(connection, tables, name)
    for index in range(tables.count):
        if tables.name(index) not in present:
            table(tables, tables.name(index)).create(connection)
    highest = 0
    for name in present:
        found = connection.scalar(select(func.max(table(tables, name).c.key)))
        highest = max(highest, found or 0)
    return highest


def existing(connection: Connection, tables: Tables) -> list[str]:
    """Our tables of this kind, also those of an earlier campaign that had more of them."""
    return tables.among(inspect(connection).get_table_names(schema=tables.schema))


def check_columns(connection: Connection, tables: Tables, name: str) -> None:
    """A table of our name that is not ours must not be written to."""
    columns = {
        each["name"]: each["type"] for each in inspect(connection).get_columns(name, schema=tables.schema)
    }
    lists = tables.kind is Kind.LIST_APPEND
    val = columns.get("val")
    inner = val.item_type if lists and isinstance(val, ARRAY) else val
    if not (isinstance(columns.get("key"), BigInteger) and isinstance(inner, BigInteger)):
        wanted = "bigint[]" if lists else "bigint"
        raise UsageError(
            f"the table {tables.schema}.{name} is not one of txfuzz's (key bigint, val {wanted}): "
            "give another schema, or start with init_schema"
        )


def table(tables: Tables, name: str) -> Table:
    val = ARRAY(BigInteger) if tables.kind is Kind.LIST_APPEND else BigInteger
    return Table(
        name,
        MetaData(),
        Column("key", BigInteger, primary_key=True, autoincrement=False),
        Column("val", val),
        schema=tables.schema,
    )


def insert_empty(connection: Connection, tables: Tables, keys: range) -> None:
    """A row without a value for every key, in one statement a table. May be tried again after a failure."""
    if not keys:
        return
    empty = literal([], ARRAY(BigInteger)) if tables.kind is Kind.LIST_APPEND else literal(None, BigInteger)
    bounds = (literal(bound, BigInteger) for bound in (min(keys), max(keys), abs(keys.step)))
    series = func.generate_series(*bounds).table_valued(Column("key", BigInteger)).render_derived()
    for index in range(tables.count):
        rows = select(series.c.key, empty).where(series.c.key % tables.count == index)
        new = insert(table(tables, tables.name(index))).from_select(["key", "val"], rows)
        connection.execute(new.on_conflict_do_nothing())
