"""What the statements are in each dialect, also where no server can run, and what errors mean."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Dialect, MetaData
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from txfuzz.analysis.checker.consistency import implies
from txfuzz.errors import UsageError
from txfuzz.plugin_api import Kind, Outcome, Tables
from txfuzz_sqlalchemy.adapter import SqlalchemyAdapter
from txfuzz_sqlalchemy.codes import code_of, outcome_of
from txfuzz_sqlalchemy.dialects import DIALECTS, dialect_of
from txfuzz_sqlalchemy.engine import engine_for
from txfuzz_sqlalchemy.statements import compile_raw, quoted_key, read_statement, table_of, write_statements

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
    assert changing.startswith("UPDATE txfuzz_list_append SET val=(coalesce(txfuzz_list_append.val, ")
    assert changing.endswith(" || :written) WHERE txfuzz_list_append.key = :the_key")
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


# -- errors ---------------------------------------------------------------------------------------------

CODES = [
    # code, before COMMIT, at COMMIT
    ("40001", Outcome.FAIL, Outcome.FAIL),
    ("40P01", Outcome.FAIL, Outcome.FAIL),
    ("40003", Outcome.FAIL, Outcome.INFO),
    ("23505", Outcome.FAIL, Outcome.FAIL),
    ("42P01", Outcome.BUG, Outcome.INFO),
    ("25P02", Outcome.FAIL, Outcome.INFO),
    ("1213", Outcome.FAIL, Outcome.FAIL),
    ("1062", Outcome.FAIL, Outcome.INFO),
    ("1064", Outcome.BUG, Outcome.INFO),
    ("SQLITE_BUSY", Outcome.FAIL, Outcome.FAIL),
    ("SQLITE_ERROR", Outcome.BUG, Outcome.INFO),
    ("SQLITE_IOERR", Outcome.FAIL, Outcome.INFO),
    ("TransactionException", Outcome.FAIL, Outcome.FAIL),
    ("ORA-08177", Outcome.FAIL, Outcome.FAIL),
    ("ORA-00942", Outcome.BUG, Outcome.INFO),
    ("ORA-03113", Outcome.FAIL, Outcome.INFO),
    ("3960", Outcome.FAIL, Outcome.FAIL),
    ("42000", Outcome.FAIL, Outcome.INFO),
    ("OperationalError", Outcome.FAIL, Outcome.INFO),
    ("ProgrammingError", Outcome.BUG, Outcome.INFO),
]


@pytest.mark.parametrize(("code", "before", "at_commit"), CODES, ids=[each[0] for each in CODES])
def test_what_a_code_means(code: str, before: Outcome, at_commit: Outcome) -> None:
    assert outcome_of(code, lost=False, committing=False) is before
    assert outcome_of(code, lost=False, committing=True) is at_commit
    assert outcome_of(code, lost=True, committing=False) is Outcome.FAIL
    assert outcome_of(code, lost=True, committing=True) is Outcome.INFO


class Raised(Exception):
    """As drivers raise them: with a code in one place or another."""

    def __init__(self, *args: object, **places: object) -> None:
        super().__init__(*args)
        self.__dict__.update(places)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Raised("x", sqlstate="40001"), "40001"),
        (Raised("x", pgcode="40P01", sqlstate=None), "40P01"),
        (Raised(1213, "Deadlock"), "1213"),
        (Raised("1205 (HY000)", errno=1205, sqlstate=""), "1205"),
        (Raised("locked", sqlite_errorname="SQLITE_BUSY"), "SQLITE_BUSY"),
        (Raised(SimpleNamespace(full_code="ORA-00060", code=60)), "ORA-00060"),
        (Raised("42S02", "[42S02] no such table"), "42S02"),
        (Raised("whatever"), "Raised"),
    ],
)
def test_where_drivers_have_their_codes(error: Exception, code: str) -> None:
    assert code_of(DBAPIError("SELECT 1", {}, error)) == code


# -- URLs and levels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+asyncpg://u:s3cret@h/d", "asynchronous"),
        ("postgresql+psycopg2://u:s3cret@h/d", "needs the Python module 'psycopg2'"),
        ("oracle://u:s3cret@h/d", "needs the Python module 'oracledb'"),
        ("foo://u:s3cret@h/d", "knows no database 'foo'"),
        ("sqlite://", "names no file"),
        ("duckdb:///:memory:", "names no file"),
        ("postgresql://u:s3cret@h:port/d", "cannot be parsed"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, said: str) -> None:
    adapter = SqlalchemyAdapter(**SqlalchemyAdapter.options_for(url))
    with pytest.raises(UsageError, match=said) as caught:
        engine_for(url, adapter)
    assert "s3cret" not in str(caught.value)


def test_the_dialect_has_to_be_that_of_the_url() -> None:
    assert dialect_of("postgres://h") == dialect_of("POSTGRESQL+psycopg://h") == "postgresql"
    assert dialect_of("firebird://h") is None
    with pytest.raises(UsageError, match="dialect: sqlite"):
        SqlalchemyAdapter().open("sqlite:///x.db")
    with pytest.raises(UsageError, match="for the dialect 'oracle'"):
        SqlalchemyAdapter(dialect="oracle").open("sqlite:///x.db")
    with pytest.raises(UsageError, match="--database-url"):
        SqlalchemyAdapter().open(None)


def test_levels_can_be_told() -> None:
    told = SqlalchemyAdapter(levels="read committed=read-committed, serializable=snapshot-isolation")
    assert told.capabilities().isolation == {
        "read committed": "read-committed",
        "serializable": "snapshot-isolation",
    }
    assert told.capabilities().default_isolation == "serializable"
    for wrong, said in (("serializable", "LEVEL=MODEL"), ("serializable=perfect", "perfect")):
        with pytest.raises(UsageError, match=said):
            SqlalchemyAdapter(levels=wrong)


def test_nothing_is_promised_of_what_is_not_known() -> None:
    assert dict(SqlalchemyAdapter().capabilities().isolation) == {"default": "read-uncommitted"}
    for facts in DIALECTS.values():
        promised = list(facts.levels.values())
        assert not any(
            implies(weaker, stronger) and not implies(stronger, weaker)
            for at, stronger in enumerate(promised)
            for weaker in promised[:at]
        ), facts.product
        assert facts.default in facts.levels
