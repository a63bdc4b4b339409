"""The SQLAlchemy adapter passes the public conformance tests on what can run here."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest

from mariadb_server import needs_mariadb
from txfuzz.plugin_api import Database, Session
from txfuzz.testing import AdapterConformance
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_sqlalchemy.adapter import SqlalchemyAdapter


class OnServer(AdapterConformance):
    """server: started for the class; two of its levels are enough here."""

    server: ClassVar[Any]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def its_url(cls) -> Iterator[None]:
        with cls.server.open(None) as running, running.scenario(()) as tables:
            cls.url = tables.url()
            yield
        cls.url = None

    def cut_at_commit(self, database: Database, session: Session, chance: Random) -> None:
        """Its socket is shut down."""
        driver = session._driver  # type: ignore[attr-defined]
        number = driver.fileno() if hasattr(driver, "fileno") else driver._sock.fileno()
        with socket.socket(fileno=os.dup(number)) as ours:
            ours.shutdown(chance.choice((socket.SHUT_WR, socket.SHUT_RDWR)))


@pytest.mark.server
class TestPostgres(OnServer):
    adapter = SqlalchemyAdapter(
        dialect="postgresql", levels="read committed=read-committed, repeatable read=snapshot-isolation"
    )
    server = PostgresAdapter()
    unreachable = "postgresql+psycopg://u:s3cret@127.0.0.1:1/d"
    shows: ClassVar = {"read committed": ("lost-update",), "repeatable read": ("G2-item",)}


@needs_mariadb
@pytest.mark.server
class TestMariadb(OnServer):
    adapter = SqlalchemyAdapter(
        dialect="mysql",
        levels="read uncommitted=read-uncommitted, serializable=serializable",
        tables=2,
        lock_wait_ms=1000,
    )
    server = MariadbAdapter()
    unreachable = "mysql+pymysql://u:s3cret@127.0.0.1:1/d"
    shows: ClassVar = {"read uncommitted": ("G1a",)}


class InFile(AdapterConformance):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def its_url(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        file: Path = tmp_path_factory.mktemp("file") / "data"
        cls.url = f"{cls.adapter.dialect}:///{file}"
        if cls.adapter.dialect == "sqlite":
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA journal_mode = wal")


class TestSqlite(InFile):
    """In a file with a write-ahead log: without one, two that have read keep each other from committing."""

    adapter = SqlalchemyAdapter(dialect="sqlite", append="update-else-insert", lock_wait_ms=200)


class TestDuckdb(InFile):
    adapter = SqlalchemyAdapter(dialect="duckdb")
    shows: ClassVar = {"snapshot": ("G2-item",)}

    @pytest.fixture(autouse=True)
    def needs_duckdb(self) -> None:
        pytest.importorskip("duckdb_engine", reason="duckdb-engine is not installed")
