"""Statements as DuckDB's own parser sees them, and how their results are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from txfuzz.plugin_api import RawStatement, StatementResult, UsageError, check_stays_inside, with_placeholders

_KINDS = duckdb.StatementType
_CHANGING = frozenset({_KINDS.INSERT, _KINDS.UPDATE, _KINDS.DELETE, _KINDS.MERGE_INTO})
_FORBIDDEN = frozenset(
    {_KINDS.ATTACH, _KINDS.DETACH, _KINDS.PRAGMA, _KINDS.SET, _KINDS.VARIABLE_SET, _KINDS.LOAD}
)
_QUERY = [duckdb.ExpectedResultType.QUERY_RESULT]


@dataclass(frozen=True, slots=True)
class Parsed:
    """sql: with DuckDB's `$name`. kind: None for what is not one statement that can be parsed. returns_rows:
    always, not only by RETURNING."""

    sql: str
    names: tuple[str, ...]
    kind: Any
    returns_rows: bool


@lru_cache(maxsize=4096)
def parsed(sql: str) -> Parsed:
    text, names = with_placeholders(sql, "${}")
    try:
        [found] = duckdb.extract_statements(text.replace("{table}", "t"))
    except (duckdb.Error, ValueError):  # whoever runs it gets the reason
        return Parsed(text, names, None, False)
    return Parsed(text, names, found.type, found.expected_result_type == _QUERY)


@lru_cache(maxsize=1024)
def compile_raw(sql: str) -> RawStatement:
    """UsageError for statements that would end the transaction, change settings, or are several."""
    statement = parsed(sql)
    if statement.kind is None and ";" in sql.rstrip().rstrip(";"):
        raise UsageError("a step is one statement")
    ends = statement.kind == _KINDS.TRANSACTION
    check_stays_inside(tuple(sql.lower().split()), (), forbidden=ends or statement.kind in _FORBIDDEN)
    return RawStatement(sql, statement.names)  # run() puts DuckDB's placeholders in


def run(
    connection: duckdb.DuckDBPyConnection, sql: str, arguments: Mapping[str, Any] | None = None
) -> tuple[StatementResult, bool]:
    """What it came to, and whether it is a number of changed rows rather than rows. Raises duckdb.Error.

    sql: with `:name`. DuckDB answers a change with a row that holds the number, which is no row of its own.
    """
    statement = parsed(sql)
    given = {name: arguments[name] for name in statement.names} if arguments else {}
    connection.execute(statement.sql, given)
    count = connection.rowcount
    if not statement.returns_rows and not (statement.kind in _CHANGING and count < 0):
        return StatementResult((), (), count), True
    columns = tuple(str(each[0]) for each in connection.description or ())
    rows = connection.fetchall()
    return StatementResult(columns, rows, len(rows)), False
