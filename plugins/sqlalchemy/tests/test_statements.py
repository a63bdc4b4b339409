"""What the statements are in each dialect, also where no server can run."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Dialect, MetaData, create_engine
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite
from sqlalchemy.schema import CreateTable

from txfuzz.errors import UsageError
from txfuzz.plugin_api import Kind, Tables
from txfuzz_sqlalchemy.dialects import DIALECTS
from txfuzz_sqlalchemy.statements import (
    compile_raw,
    quoted_key,
    raw_text,
    read_statement,
    table_of,
    write_statements,
)

KNOWN: dict[str, Dialect] = {
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    "mysql": mysql.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(),  # type: ignore[no-untyped-call]
    "oracle": oracle.dialect(),  # type: ignore[no-untyped-call]
    "mssql": mssql.dialect(),  # type: ignore[no-untyped-call]
    "cockroachdb": postgresql.dialect(),  # type: ignore[no-untyped-call]
}
PLAIN = [name for name, facts in DIALECTS.items() if not facts.upsert]


def compiled(statement: Any, name: str) -> str:
    return " ".join(str(statement.compile(dialect=KNOWN[name])).split())


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("kind", Kind)
def test_every_statement_compiles_with_parameters_only(name: str, kind: Kind) -> None:
    facts, table = DIALECTS[name], table_of(Tables(kind), 0, MetaData())
    assert "NOT NULL" in compiled(CreateTable(table), name)
    read = compiled(read_statement(table, None, facts), name)
    assert read.startswith("SELECT ")
    for lock in facts.locks:
        assert compiled(read_statement(table, lock, facts), name) != read, "the lock is ignored"
    with pytest.raises(UsageError, match="no locking read"):
        read_statement(table, "whatever", facts)
    writes = [
        *write_statements(table, kind, facts, upsert=True),
        *write_statements(table, kind, facts, upsert=False),
    ]
    assert len(writes) == (4 if name in PLAIN else 3)
    for each in writes:
        params = each.compile(dialect=KNOWN[name]).params
        assert {"the_key", "written"} <= set(params)
        assert set(params.values()) <= {None, ""}, "a value is part of the statement"


def test_what_the_databases_are_told() -> None:
    table = table_of(Tables(Kind.LIST_APPEND), 0, MetaData())
    changing, adding = (
        compiled(each, "oracle")
        for each in write_statements(table, Kind.LIST_APPEND, DIALECTS["oracle"], upsert=True)
    )
    assert changing == (  # COALESCE of a CLOB and a text is refused, and NULL is an empty text
        "UPDATE txfuzz_list_append SET val=(txfuzz_list_append.val || :written) "
        "WHERE txfuzz_list_append.key = :the_key"
    )
    assert adding == "INSERT INTO txfuzz_list_append (key, val) VALUES (:the_key, :written)"
    [cockroach] = write_statements(table, Kind.LIST_APPEND, DIALECTS["cockroachdb"], upsert=True)
    assert "ON CONFLICT (key) DO UPDATE SET val" in compiled(cockroach, "cockroachdb")
    server = compiled(write_statements(table, Kind.LIST_APPEND, DIALECTS["mssql"], upsert=True)[0], "mssql")
    assert "[key]" in server
    assert " + " in server
    assert "VARCHAR(max)" in compiled(CreateTable(table), "mssql")
    assert "FOR UPDATE" in compiled(read_statement(table, "update", DIALECTS["oracle"]), "oracle")


def test_a_reserved_word_is_quoted_in_raw_sql() -> None:
    sql = "INSERT INTO {table} (key, val) VALUES (:key, 'key') ON DUPLICATE KEY UPDATE val = t.key -- key"
    quoted = quoted_key(sql, KNOWN["mysql"])
    assert quoted == (
        "INSERT INTO {table} (`key`, val) VALUES (:key, 'key') ON DUPLICATE KEY UPDATE val = t.key -- key"
    )
    assert quoted_key(sql, KNOWN["postgresql"]) == sql


def test_a_colon_in_a_string_or_comment_begins_no_argument() -> None:
    with create_engine("sqlite://").connect() as connection:
        found = connection.execute(raw_text("SELECT ':x', 'it''s :y', :k -- :z"), {"k": 1})
        assert found.all() == [(":x", "it's :y", 1)]


@pytest.mark.parametrize(
    "sql", ["COMMIT", "begin", "CREATE TABLE t (k int)", "SET x = 1", "/* */ COMMIT", "DO 1"]
)
def test_what_might_end_the_transaction_is_refused(sql: str) -> None:
    with pytest.raises(UsageError, match="may not begin or end"):
        compile_raw(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "with a as (select 1) select 1", "ROLLBACK TO SAVEPOINT a", "-- x\nDELETE FROM t"]
)
def test_what_stays_inside_is_not(sql: str) -> None:
    assert compile_raw(sql).sql == sql
