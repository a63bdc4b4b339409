"""The statements of all steps, as constructs that each dialect compiles in its own way.

A list is text with a comma after each value, as in txfuzz.plugin_api.TEXT_DECODERS.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
from sqlalchemy.sql import Executable

from txfuzz.plugin_api import Kind, RawStatement, Tables, UsageError, check_stays_inside, did_you_mean

from .dialects import ON_CONFLICT, ON_DUPLICATE_KEY, RAW_LOCKS, DialectFacts

_MAX: Any = "max"  # for its type it is a number
# Long enough for any list: TEXT of MySQL ends at 64 KB, and that of SQL Server cannot be appended to.
LONG_TEXT = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb").with_variant(
    mssql.VARCHAR(_MAX), "mssql"
)  # fmt: skip


def table_of(tables: Tables, index: int, metadata: MetaData) -> Table[Any]:
    """val: lists are never NULL, but in Oracle an empty text is."""
    lists = tables.kind is Kind.LIST_APPEND
    engine: Any = {"mysql_engine": "InnoDB", "mariadb_engine": "InnoDB"}
    return Table(
        tables.name(index),
        metadata,
        Column("key", BigInteger, primary_key=True, autoincrement=False),
        Column("val", LONG_TEXT if lists else BigInteger, nullable=True),
        schema=tables.schema or None,
        extend_existing=True,
        **engine,
    )


def read_statement(table: Table, lock: str | None, facts: DialectFacts) -> Executable:
    """Parameter: the_key."""
    found = select(table.c.val).where(table.c.key == bindparam("the_key"))
    if lock is None:
        return found
    if lock not in facts.locks:
        raise UsageError(f"{facts.product} has no locking read {lock!r}: {did_you_mean(lock, facts.locks)}")
    return found.with_for_update(read=RAW_LOCKS[lock])


def write_statements(
    table: Table, kind: Kind, facts: DialectFacts, *, upsert: bool
) -> tuple[Executable, ...]:
    """One statement, or an UPDATE and the INSERT to run if that found no row. Parameters: the_key and
    written."""
    lists = kind is Kind.LIST_APPEND
    written = bindparam("written", type_=String() if lists else BigInteger())
    # In Oracle an empty text is NULL, and COALESCE takes no text beside a CLOB
    before: Any = table.c.val if facts.empty_is_null else func.coalesce(table.c.val, "")
    changed: Any = before.concat(written) if lists else written
    row = {"key": bindparam("the_key"), "val": written}
    if upsert and facts.upsert == ON_CONFLICT:
        make = sqlite.insert if facts.product == "SQLite" else postgresql.insert
        found = make(table).values(row)
        return (found.on_conflict_do_update(index_elements=[table.c.key], set_={"val": changed}),)
    if upsert and facts.upsert == ON_DUPLICATE_KEY:
        return (mysql.insert(table).values(row).on_duplicate_key_update(val=changed),)
    changing = update(table).where(table.c.key == bindparam("the_key")).values(val=changed)
    return (changing, insert(table).values(row))


# -- raw SQL ----------------------------------------------------------------------------------------

_FIRST_WORDS = frozenset(
    {"select", "insert", "update", "delete", "with", "merge", "replace", "values", "savepoint", "release"}
)
_TOKEN = re.compile(
    r"""
      '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/  # not ours to change
    | (?<![\w.:@])(?P<column>key)(?!\w)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_KEYWORD = re.compile(r"\b(primary|duplicate|foreign|unique)\s+$", re.IGNORECASE)


@lru_cache(maxsize=1024)
def compile_raw(sql: str) -> RawStatement:
    """UsageError for what is not a query, a change of rows or a savepoint: on some databases, any other
    statement ends the transaction, and not every driver tells."""
    words = tuple(word.lower() for word in re.findall(r"\w+", _TOKEN.sub(_kept_column, sql))[:4])
    undoes = words[:1] == ("rollback",) and "to" in words
    known = undoes or words[:1] == () or words[0] in _FIRST_WORDS
    check_stays_inside(words, {"rollback"}, forbidden=not known)
    return RawStatement(sql)


def _kept_column(token: re.Match[str]) -> str:
    return token[0] if token["column"] else " "


def quoted_key(sql: str, dialect: Dialect) -> str:
    """The statement with the column `key` quoted, where that is a reserved word."""
    name = _key_of(dialect)
    if name == "key":
        return sql

    def quote(token: re.Match[str]) -> str:
        taken = token["column"] is None or _KEYWORD.search(sql, 0, token.start())
        return token[0] if taken else name

    return _TOKEN.sub(quote, sql)


@cache
def _key_of(dialect: Dialect) -> str:
    return str(dialect.identifier_preparer.quote("key"))


@lru_cache(maxsize=1024)
def raw_text(sql: str) -> Executable:
    """Colons in strings, quoted names and comments begin no argument."""

    def escaped(token: re.Match[str]) -> str:
        return token[0] if token["column"] or token[0][0] == "[" else token[0].replace(":", r"\:")

    return text(_TOKEN.sub(escaped, sql))
