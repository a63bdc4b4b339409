"""What the schema of a scenario says: its tables, and what their columns are filled by."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from txfuzz.plugin_api import ColumnFacts

_CLOCK = re.compile(
    r"\b(current_(timestamp|date|time)\b|(datetime|date|time|julianday|strftime|unixepoch|random)\s*\()",
    re.IGNORECASE,
)
_CHANCE = re.compile(r"\brandomblob\s*\(", re.IGNORECASE)  # SQLite's way to make a UUID
_TABLES = r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
_HIDDEN = 1  # a column of a virtual table that SELECT * leaves out


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_tables(connection: sqlite3.Connection) -> Mapping[str, tuple[str, ...]]:
    """Table → its columns, in the order of their names and of the schema."""
    return {
        name: tuple(row[1] for row in _columns(connection, name) if row[6] != _HIDDEN)
        for (name,) in sorted(connection.execute(_TABLES).fetchall())
    }


def read_facts(connection: sqlite3.Connection) -> ColumnFacts:
    clocks, generated, references = set(), {}, []
    tables = read_tables(connection)
    for table in tables:
        for _, column, _, _, default, _, hidden in _columns(connection, table):
            place, default = f"{table}.{column}", "" if hidden or default is None else str(default)
            if _called(_CHANCE, default):
                generated[place] = place
            elif _called(_CLOCK, default):
                clocks.add(place)
        if (row_id := _row_id(connection, table)) is not None:
            generated[f"{table}.{row_id}"] = f"{table}.{row_id}"
        for _, _, other, column, referred, *_ in _asked(connection, "foreign_key_list", table):
            to = referred or _row_id(connection, other)
            references.append((f"{table}.{column}", f"{_spelled(other, tables)}.{to}"))
    for _ in references:  # a foreign key to a foreign key, and so on
        for place, referred in references:
            if referred in generated:
                generated.setdefault(place, generated[referred])
    return ColumnFacts(frozenset(clocks), generated)


def _row_id(connection: sqlite3.Connection, table: str) -> str | None:
    """The column that SQLite numbers where it is given no value: INTEGER PRIMARY KEY, which needs no index.
    https://www.sqlite.org/lang_createtable.html#rowid"""
    keys = [row for row in _columns(connection, table) if row[5]]
    indexed = any(row[3] == "pk" for row in _asked(connection, "index_list", table))
    alone = len(keys) == 1 and str(keys[0][2]).upper() == "INTEGER" and not indexed
    return str(keys[0][1]) if alone else None


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return _asked(connection, "table_xinfo", table)


def _asked(connection: sqlite3.Connection, pragma: str, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"PRAGMA {pragma}({quoted(table)})").fetchall()


def _called(word: re.Pattern[str], default: str) -> bool:
    """A default in quotes is text."""
    return not default.startswith(("'", '"')) and word.search(default) is not None


def _spelled(table: str, tables: Mapping[str, object]) -> str:
    return next((each for each in tables if each.lower() == table.lower()), table)
