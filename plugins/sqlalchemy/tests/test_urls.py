"""URLs that can be used and that cannot, and what is promised of the levels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from txfuzz.analysis.checker.consistency import implies
from txfuzz.errors import UsageError
from txfuzz_sqlalchemy.adapter import SqlalchemyAdapter
from txfuzz_sqlalchemy.dialects import DIALECTS, dialect_of
from txfuzz_sqlalchemy.engine import engine_for, foreign, in_words, parsed, shown


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+asyncpg://u:s3cret@h/d", "asynchronous"),
        ("postgresql+psycopg2://u:s3cret@h/d", "needs the Python module 'psycopg2'"),
        ("oracle://u:s3cret@h/d", "needs the Python module 'oracledb'"),
        ("foo://u:s3cret@h/d", "knows no database 'foo'"),
        ("sqlite://", "names no file"),
        ("duckdb:///:memory:", "names no file"),
        ("sqlite:///file::memory:?uri=true", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "names no file"),
        ("mysql+pymysql://u@h/d?connect_timeout=soon&password=s3cret", "cannot be used with it"),
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


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:s3cret@h/d",
        "postgresql+psycopg://u@h/d?password=s3cret&sslpassword=s3cret",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BUID%3Du%3BPWD%3Ds3cret",
    ],
)
def test_what_is_shown_of_a_url_has_no_password(url: str) -> None:
    assert "s3cret" not in shown(parsed(url))
    if "odbc" not in url:
        assert in_words(parsed(url), ValueError("no entry for s3cret")) == "no entry for ***"


@pytest.mark.parametrize(
    ("dialect", "said", "named"),
    [
        ("mysql", ("8.0.11-TiDB-v8.1.0", "TiDB Server (Apache License 2.0)"), "8.0.11-TiDB-v8.1.0 TiDB"),
        ("mysql", ("8.4.2", "MySQL Community Server - GPL"), ""),
        ("postgresql", ("CockroachDB CCL v24.1.0",), "CockroachDB CCL"),
        ("postgresql", ("PostgreSQL 18.6 on x86_64-pc-linux-gnu",), ""),
    ],
)
def test_a_server_that_is_not_what_its_protocol_says(dialect: str, said: tuple[str, ...], named: str) -> None:
    result = SimpleNamespace(one=lambda: said)
    on: Any = SimpleNamespace(dialect=SimpleNamespace(name=dialect), exec_driver_sql=lambda _: result)
    assert foreign(on) == named


def test_a_level_that_nothing_could_choose_is_refused() -> None:
    with pytest.raises(UsageError, match="SQLite has the level serializable only"):
        SqlalchemyAdapter(dialect="sqlite", levels="read committed=read-committed")
    assert SqlalchemyAdapter(dialect="sqlite", levels="serializable=snapshot-isolation").facts.levels


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
