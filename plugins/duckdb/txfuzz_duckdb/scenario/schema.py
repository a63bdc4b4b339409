"""What the schema of a scenario says: its tables, and what their columns are filled by."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb

from txfuzz.plugin_api import ColumnFacts

_CLOCK = re.compile(
    r"\b(current_(timestamp|date|time)\b|(now|today|random|transaction_timestamp|get_current_timestamp)\s*\()",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"\b(nextval|uuid|uuidv[47]|gen_random_uuid)\s*\(", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_COLUMNS = (
    "SELECT table_name, column_name, column_default FROM duckdb_columns() "
    "WHERE database_name = current_database() AND NOT internal "
    "AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()) "
    "ORDER BY table_name, column_index"
)
_REFERENCES = (
    "SELECT table_name, constraint_column_names, referenced_table, referenced_column_names "
    "FROM duckdb_constraints() "
    "WHERE database_name = current_database() AND constraint_type = 'FOREIGN KEY'"
)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_tables(connection: duckdb.DuckDBPyConnection) -> Mapping[str, tuple[str, ...]]:
    """Table → its columns, in the order of their names and of the schema."""
    found: dict[str, tuple[str, ...]] = {}
    for table, column, _ in connection.execute(_COLUMNS).fetchall():
        found[table] = (*found.get(table, ()), column)
    return found


def read_facts(connection: duckdb.DuckDBPyConnection) -> ColumnFacts:
    clocks, generated = set(), {}
    for table, column, default in connection.execute(_COLUMNS).fetchall():
        # nextval('s') names its sequence in quotes; what else is in quotes is text.
        place, bare = f"{table}.{column}", _TEXT.sub("''", default or "")
        if _NUMBERS.search(bare):
            generated[place] = place
        elif _CLOCK.search(bare):
            clocks.add(place)
    references = [
        (f"{table}.{column}", f"{other}.{referred}")
        for table, columns, other, referred_columns in connection.execute(_REFERENCES).fetchall()
        for column, referred in zip(columns, referred_columns, strict=True)
    ]
    for _ in references:  # a foreign key to a foreign key, and so on
        for place, referred in references:
            if referred in generated:
                generated.setdefault(place, generated[referred])
    return ColumnFacts(frozenset(clocks), generated)
