"""The ways to make the tables of a hunt in DuckDB. Each attempt begins on tables that are made anew."""

from __future__ import annotations

from typing import Any

from txfuzz.plugin_api import NO_DUPLICATES, Layout

from .forms import ADAPTER

_PLAIN = "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL)"
_MANY = 3000  # rows beside those of the keys: more than a vector (2048) has


def _layout(name: str, about: str, *setup: str, **more: Any) -> Layout:
    return Layout(name, about, setup, adapter=ADAPTER, **more)


LAYOUTS = (
    _layout("plain", "a table for each key, with a primary key", _PLAIN, plain=True),
    _layout("one-table", "one table for all keys", _PLAIN, shared=True),
    _layout("no-index", "no index and no constraint", "CREATE TABLE {table} (k int, v int NOT NULL)",
            has=frozenset()),
    _layout("one-table-no-index", "one table for all keys, without index and constraint",
            "CREATE TABLE {table} (k int, v int NOT NULL)", shared=True, has=frozenset()),
    _layout("unique", "a unique constraint instead of a primary key",
            "CREATE TABLE {table} (k int UNIQUE, v int NOT NULL)"),
    _layout("unique-index", "a unique index instead of a constraint",
            "CREATE TABLE {table} (k int, v int NOT NULL)",
            "CREATE UNIQUE INDEX {table}_k ON {table} (k)"),
    _layout("unique-expression", "a unique index on an expression",
            "CREATE TABLE {table} (k int, v int NOT NULL)",
            "CREATE UNIQUE INDEX {table}_k ON {table} ((k + 0))", has=frozenset({NO_DUPLICATES})),
    _layout("two-unique", "both columns are unique",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL UNIQUE)"),
    _layout("index", "an index on the other column, so that UPDATE deletes and inserts", _PLAIN,
            "CREATE INDEX {table}_v ON {table} (v)"),
    _layout("index-expression", "an index on an expression", _PLAIN,
            "CREATE INDEX {table}_v ON {table} ((v * 2))"),
    _layout("generated-column", "a column that is computed when it is read",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, w int AS (v * 2))"),
    _layout("list-column", "a column of a nested type, so that UPDATE deletes and inserts",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL, l int[] DEFAULT [1, 2])"),
    _layout("check", "a constraint on the other column",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL CHECK (v >= 0))"),
    Layout("foreign-key", "the others refer to the first key's row", (_PLAIN,),
           ("CREATE TABLE {table} (k int PRIMARY KEY REFERENCES {first} (k), v int NOT NULL)",),
           dependent=True, adapter=ADAPTER),
    _layout("many-rows", "with rows beside them, more than DuckDB handles at once",
            "CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL)",
            f"INSERT INTO {{table}} SELECT -i, -1 FROM range(1, {_MANY}) AS r(i)"),
)  # fmt: skip
