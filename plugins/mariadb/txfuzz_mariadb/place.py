"""A place of ours on somebody's server: a database, marked and locked while in use, and its tables.

A campaign's database holds a table whose comment says whose it is, and its campaign holds a user-level
lock on its name for as long as it lives. A campaign that was killed leaves a marked database that nobody
locks; the next one drops it.
"""

from __future__ import annotations

from txfuzz.plugin_api import Kind, Tables, UsageError

from .connection import FAILURES, Link
from .statements import quoted
from .tables import EMPTY, create_sql

PREFIX = "txfuzz_"
MARK_TABLE = "txfuzz_mark"
MARK = "made by txfuzz for one campaign, dropped when it is over"
AT_ONCE = 500  # rows in one INSERT
VAL = {Kind.LIST_APPEND: "longtext", Kind.RW_REGISTER: "bigint"}


def create_own(link: Link, name: str) -> None:
    """A new database, locked and then marked: nobody takes it for an orphan in between."""
    lock(link, name)
    link.run(f"CREATE DATABASE {quoted(name)}")
    link.run(f"CREATE TABLE {quoted(name)}.{MARK_TABLE} (id INT) ENGINE=InnoDB COMMENT=%s", (MARK,))


def use_named(link: Link, name: str) -> None:
    """The user's own database, made if it is not there, and kept."""
    if not link.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", (name,)):
        link.run(f"CREATE DATABASE {quoted(name)}")
    if not lock(link, name):
        raise UsageError(f"another campaign is using the database {name!r} at this moment")


def lock(link: Link, name: str) -> bool:
    """Hold the lock of this database until the connection ends; False if somebody else does."""
    answer = link.run("SELECT GET_LOCK(%s, 0)", (lock_name(name),))
    return bool(answer.row and answer.row[0] == 1)


def unlock(link: Link, name: str) -> None:
    link.run("SELECT RELEASE_LOCK(%s)", (lock_name(name),))


def lock_name(name: str) -> str:
    """At most 64 characters, as MySQL has it."""
    return name if len(name) < 57 else name[:57]


def drop_orphans(link: Link) -> int:
    """Drop the databases of campaigns that were killed; how many. What cannot be dropped now stays."""
    candidates = link.rows(
        "SELECT TABLE_SCHEMA FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA LIKE %s AND TABLE_NAME = %s AND TABLE_COMMENT = %s",
        (PREFIX.replace("_", r"\_") + "%", MARK_TABLE, MARK),
    )
    dropped = 0
    for (name,) in candidates:
        if not lock(link, name):
            continue
        try:
            drop(link, name)
            dropped += 1
        except FAILURES:
            if not link.open:
                raise
        unlock(link, name)
    return dropped


def drop(link: Link, name: str) -> None:
    link.run(f"DROP DATABASE IF EXISTS {quoted(name)}")


def prepare_tables(link: Link, tables: Tables, *, fresh: bool) -> int:
    """Make the tables exist, new and empty when `fresh`; the highest key in any of them."""
    present = existing(link, tables)
    if fresh:
        for name in present:
            link.run(f"DROP TABLE {quoted(tables.schema)}.{name}")
        present = []
    for name in present:
        check_columns(link, tables, name)
    for index in range(tables.count):
        if tables.name(index) not in present:
            link.run(create_sql(tables.qualified(index), tables.kind))
    highest = 0
    for name in present:
        row = link.run(f"SELECT MAX(`key`) FROM {quoted(tables.schema)}.{name}").row
        highest = max(highest, (row[0] if row else 0) or 0)
    return highest


def existing(link: Link, tables: Tables) -> list[str]:
    """Our tables of this kind, also those of an earlier campaign that had more of them."""
    found = link.rows(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", (tables.schema,)
    )
    return tables.among(name for (name,) in found)


def check_columns(link: Link, tables: Tables, name: str) -> None:
    """A table of our name that is not ours must not be written to."""
    found = link.rows(
        "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
        (tables.schema, name),
    )
    columns = {str(column).lower(): str(kind).lower() for column, kind in found}
    if columns != {"key": "bigint", "val": VAL[tables.kind]}:
        raise UsageError(
            f"the table {tables.schema}.{name} is not one of txfuzz's (key bigint, val {VAL[tables.kind]}): "
            "give another schema, or start with init_schema"
        )


def insert_empty(link: Link, tables: Tables, keys: range) -> None:
    """A row without a value for every key. May be tried again after a failure."""
    for index in range(tables.count):
        mine = [key for key in keys if key % tables.count == index]
        for start in range(0, len(mine), AT_ONCE):
            rows = ", ".join(f"({key:d}, {EMPTY[tables.kind]})" for key in mine[start : start + AT_ONCE])
            link.run(f"INSERT IGNORE INTO {tables.qualified(index)} (`key`, val) VALUES {rows}")
