"""The SQL of every kind of step. Values go beside it, as parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from txfuzz.errors import UsageError
from txfuzz.kind import Kind

DIALECT = "sqlite"  # by which templates name the SQL that their raw steps are written in
UPDATE_ELSE_INSERT = "update-else-insert"
ON_CONFLICT = "on-conflict"
WRITE_FORMS = (ON_CONFLICT, UPDATE_ELSE_INSERT)

STEM: Mapping[Kind, str] = {Kind.LIST_APPEND: "list_append", Kind.RW_REGISTER: "rw_register"}
WRITE: Mapping[Kind, str] = {Kind.LIST_APPEND: "append", Kind.RW_REGISTER: "w"}


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one kind of history: physical key k lives in table k modulo `count`."""

    kind: Kind
    prefix: str
    count: int

    @property
    def stem(self) -> str:
        return self.prefix + STEM[self.kind]

    def name(self, index: int) -> str:
        return self.stem if index == 0 else f"{self.stem}_{index}"


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
    """A raw step, ready but for its table. undoes, opens: ROLLBACK TO, and SAVEPOINT."""

    sql: str
    undoes: bool
    opens: bool

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
    first = words[0] if words else ""
    undoes = first == "rollback" and "to" in words
    if (first in ENDING and not undoes) or first in FORBIDDEN:
        raise UsageError(
            f"{first.upper()}: a step may not begin or end the transaction, nor change its isolation"
        )
    return RawStatement(sql, undoes, opens=first == "savepoint")
