"""What is refused when a database is opened, what is told of it, and that closing it ends."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import Any

import pytest

from mariadb_server import needs_mariadb
from txfuzz.plugin_api import DatabaseUnavailable, Kind, UsageError
from txfuzz.testing.sessions import read
from txfuzz_sqlalchemy import database as module
from txfuzz_sqlalchemy.adapter import SqlalchemyAdapter
from txfuzz_sqlalchemy.database import SqlalchemyDatabase

LISTS, SERIALIZABLE = Kind.LIST_APPEND, "serializable"


def opened(url: str, **options: Any) -> SqlalchemyDatabase:
    database = SqlalchemyAdapter(**SqlalchemyAdapter.options_for(url), **options).open(url)
    assert isinstance(database, SqlalchemyDatabase)
    return database


@pytest.mark.parametrize("said", [b"", b"\0\0\0\0", b"\1\0\0\0\n"], ids=["nothing", "empty", "half"])
def test_what_answers_is_no_server(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(DatabaseUnavailable) as caught:
            opened(f"mysql+pymysql://u:s3cret@127.0.0.1:{listening.getsockname()[1]}/d")
        thread.join()
    assert "s3cret" not in str(caught.value)


@pytest.mark.server
@pytest.mark.parametrize("level", ["chaos", "autocommit"])
def test_a_level_that_the_driver_does_not_have_is_refused(postgres: str, level: str) -> None:
    with pytest.raises(UsageError, match=f"no isolation level '{level}'"):
        opened(postgres, levels=f"{level}=read-committed")


@pytest.mark.server
def test_no_password_is_told_of_what_cannot_be_reached_or_is_open(postgres: str) -> None:
    url = f"{postgres}&password=s3cret"
    with opened(url) as database:
        assert "s3cret" not in str(database.describe())
    with pytest.raises(DatabaseUnavailable) as caught:
        opened(f"{url}&s3cret=1")
    assert "password" not in str(caught.value)


@pytest.mark.server
def test_tables_that_somebody_holds_are_not_waited_for_without_end(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1)
    database = opened(postgres)
    database.prepare(LISTS, fresh=True)
    with closing(database.session(LISTS)) as holder:
        holder.begin(SERIALIZABLE)
        holder.execute(read(1))
        began = time.monotonic()
        database.close()
        assert time.monotonic() - began < 10


@needs_mariadb
@pytest.mark.server
def test_mariadb_under_the_name_of_mysql(mariadb: str) -> None:
    with opened(mariadb) as database:
        assert database.describe()["product"] == "MariaDB"
        assert database.warnings() == ()
    with pytest.raises(UsageError, match="unexpected keyword argument 'nonsense'"):
        opened(f"{mariadb}&nonsense=1")
