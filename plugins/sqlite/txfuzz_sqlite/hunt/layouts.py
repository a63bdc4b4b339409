"""The ways to make the tables of a hunt in SQLite.

All of them are as good as fresh each time: the file is restored page by page.
"""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import NO_DUPLICATES, Layout

from .forms import ADAPTER

_PLAIN = "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL)"
_ENFORCED = "PRAGMA foreign_keys = ON"  # which each session then has, too
_SINGLE = frozenset({NO_DUPLICATES})


def _layout(name: str, about: str, *setup: str, **more: Any) -> Layout:
    return Layout(name, about, setup, adapter=ADAPTER, **more)


def _reference(name: str, action: str) -> Layout:
    return Layout(
        f"foreign-key-{name}",
        f"the others refer to the first key's row: {action}",
        (_ENFORCED, _PLAIN),
        (f"CREATE TABLE {{table}} (k int PRIMARY KEY REFERENCES {{first}} (k) {action}, v int NOT NULL)",),
        dependent=True,
        adapter=ADAPTER,
    )


def _reference_beside(name: str, action: str, default: str) -> Layout:
    """From a column of its own, since the key can be neither NULL nor another one."""
    columns = "k int PRIMARY KEY, v int NOT NULL"
    reference = f"parent int DEFAULT {default} REFERENCES {{first}} (k) {action}"
    return Layout(
        f"foreign-key-{name}",
        f"a column of the others refers to the first key's row: {action}",
        (
            _ENFORCED,
            f"CREATE TABLE {{table}} ({columns}, parent int)",
            "INSERT INTO {table} VALUES (0, -1, NULL)",
        ),
        (f"CREATE TABLE {{table}} ({columns}, {reference})",),
        row="INSERT INTO {table} (k, v, parent) VALUES ({key}, {value}, 1)",
        dependent=True,
        adapter=ADAPTER,
    )


def _triggered(name: str, about: str, when: str, body: str) -> Layout:
    triggers = (
        f"CREATE TRIGGER {{table}}_{event.lower()} {when} {event} ON {{table}} BEGIN "
        + body.replace("ROW", row).replace("EVENT", event)
        + " END"
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )
    return _layout(
        name, about, _PLAIN, "CREATE TABLE {table}_log (k int NOT NULL, op text NOT NULL)", *triggers
    )


LAYOUTS = (
    _layout("plain", "a table for each key, with a primary key", _PLAIN, plain=True),
    _layout("one-table", "one table for all keys", _PLAIN, shared=True),
    _layout("rollback-journal", "the file has a rollback journal instead of a write-ahead log",
            "PRAGMA journal_mode = DELETE", _PLAIN),
    _layout("rowid", "the key is the row's own number",
            "CREATE TABLE {table} (k INTEGER PRIMARY KEY, v int NOT NULL)"),
    _layout("autoincrement", "the key is the row's own number, and counted",
            "CREATE TABLE {table} (k INTEGER PRIMARY KEY AUTOINCREMENT, v int NOT NULL)"),
    _layout("without-rowid", "the rows are in the primary key's index", f"{_PLAIN} WITHOUT ROWID"),
    _layout("no-index", "no index and no constraint", "CREATE TABLE {table} (k int, v int NOT NULL)",
            has=frozenset()),
    _layout("unique", "a unique constraint instead of a primary key",
            "CREATE TABLE {table} (k int UNIQUE, v int NOT NULL)"),
    _layout("two-unique", "both columns are unique",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL UNIQUE)"),
    _layout("index", "an index on the other column", _PLAIN, "CREATE INDEX {table}_v ON {table} (v)"),
    _layout("index-descending", "a descending index on the other column", _PLAIN,
            "CREATE INDEX {table}_v ON {table} (v DESC)"),
    _layout("index-partial", "an index on part of the rows", _PLAIN,
            "CREATE INDEX {table}_v ON {table} (v) WHERE v >= 0"),
    _layout("index-expression", "an index on an expression", _PLAIN,
            "CREATE INDEX {table}_v ON {table} (v * 2)"),
    _layout("index-covering", "an index that holds both columns", _PLAIN,
            "CREATE INDEX {table}_both ON {table} (k, v)"),
    _layout("unique-partial", "a unique index on part of the rows",
            "CREATE TABLE {table} (k int, v int NOT NULL)",
            "CREATE UNIQUE INDEX {table}_k ON {table} (k) WHERE v >= 0", has=_SINGLE),
    _layout("unique-expression", "a unique index on an expression",
            "CREATE TABLE {table} (k int, v int NOT NULL)",
            "CREATE UNIQUE INDEX {table}_k ON {table} (k + 0)", has=_SINGLE),
    _layout("generated-column", "a column that is computed from another",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, w int AS (v * 2) STORED)"),
    _layout("generated-column-virtual", "an index on a column that is computed when it is read",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, w int AS (v * 2) VIRTUAL)",
            "CREATE INDEX {table}_w ON {table} (w)"),
    _reference("no-action", ""),
    _reference("restrict", "ON DELETE RESTRICT"),
    _reference("cascade", "ON DELETE CASCADE ON UPDATE CASCADE"),
    _reference("deferred", "DEFERRABLE INITIALLY DEFERRED"),
    _reference_beside("set-null", "ON DELETE SET NULL", "1"),
    _reference_beside("set-default", "ON DELETE SET DEFAULT", "0"),
    _triggered("trigger-writes", "a trigger writes each change to another table", "AFTER",
               "INSERT INTO {table}_log VALUES (ROW.k, 'EVENT');"),
    _triggered("trigger-reads", "a trigger reads the table before each change", "BEFORE",
               "SELECT count(*) FROM {table};"),
)  # fmt: skip
