"""The SQL of every kind of step. Values go beside it, as parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from txfuzz.plugin_api import Kind, check_stays_inside

DIALECT = "sqlite"  # by which templates name the SQL that their raw steps are written in
UPDATE_ELSE_INSERT = "update-else-insert"
ON_CONFLICT = "on-conflict"
WRITE_FORMS = (ON_CONFLICT, UPDATE_ELSE_INSERT)


def read_sql(table: str) -> str:
    """Parameter: key."""
    return f"SELECT val FROM {table} WHERE key = :key"


def write_sql(kind: Kind, table: str, form: str) -> tuple[str, ...]:
    """One statement, or an UPDATE and the INSERT for when it found no row. Parameters: key, value."""
    appends = kind is Kind.LIST_APPEND
    first = ":value || ','" if appends else ":value"
    changed = "val || :value || ','" if appends else ":value"
    insert = f"INSERT INTO {table} (key, val) VALUES (:key, {first})"
    if form == ON_CONFLICT:
        return (f"{insert} ON CONFLICT (key) DO UPDATE SET val = {changed}",)
    return (f"UPDATE {table} SET val = {changed} WHERE key = :key", insert)


@dataclass(frozen=True, slots=True)
class RawStatement:
    """A raw step, ready but for its table."""

    sql: str

    def on(self, table: str) -> str:
        return self.sql.replace("{table}", table)


QUOTED = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?(?:\*/|$)""",
    re.VERBOSE | re.DOTALL,
)
ENDING = frozenset({"begin", "commit", "end", "rollback"})
FORBIDDEN = frozenset({"attach", "detach", "pragma", "vacuum"})


@lru_cache(maxsize=1024)
def compile_raw(sql: str) -> RawStatement:
    """`:name` is SQLite's own way to write a parameter, so that nothing is left to be replaced.

    Raises UsageError for statements that would end the transaction, or change its level or its files.
    """
    words = tuple(word.lower() for word in re.findall(r"\w+", QUOTED.sub(" ", sql)))
    check_stays_inside(words, ENDING, forbidden=bool(words) and words[0] in FORBIDDEN)
    return RawStatement(sql)
