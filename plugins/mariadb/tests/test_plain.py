"""The parts of the MariaDB adapter that need no server: URLs, error numbers, SQL and values."""

from __future__ import annotations

import socket
import threading
from decimal import Decimal
from typing import Any

import pytest

from txfuzz.common.kind import Kind
from txfuzz.database.api import Outcome
from txfuzz.database.sql.list_text import list_value, register_value
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_mariadb.protocol.codes import outcome_of
from txfuzz_mariadb.protocol.connection import connect
from txfuzz_mariadb.protocol.url import parse_url
from txfuzz_mariadb.statements import compile_raw, level, lock_clause, read_sql, write_sql

# -- URLs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_urls_as_people_have_them(scheme: str) -> None:
    found = parse_url(f"{scheme}://ada:s%40cret@db.example:3307/app?ssl_verify_cert=true&connect_timeout=3")
    assert (found.host, found.port, found.unix_socket, found.connect_seconds) == (
        "db.example",
        3307,
        None,
        3.0,
    )
    assert found.parameters == {
        "user": "ada",
        "password": b"s@cret",
        "database": "app",
        "ssl_verify_cert": True,
    }


def test_what_answers_is_no_server() -> None:
    """An empty packet, of which the driver reads the first byte."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.sendall(b"\0\0\0\0")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(DatabaseUnavailable):
            connect(parse_url(f"mysql://u@127.0.0.1:{listening.getsockname()[1]}"))
        thread.join()


def test_a_socket_and_a_password_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_PWD", "from outside")
    found = parse_url("mysql://ada@/?unix_socket=/run/mysqld/mysqld.sock")
    assert found.unix_socket == "/run/mysqld/mysqld.sock"
    assert found.parameters == {"user": "ada", "password": b"from outside"}


def test_no_secret_is_shown() -> None:
    found = parse_url("mysql://ada:s3cret@db/app?ssl_key=/k&ssl_key_password=hush")
    for text in (found.shown, repr(found)):
        assert "s3cret" not in text
        assert "hush" not in text
    assert found.shown == "mysql://ada@db/app?ssl_key=%2Fk"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ada:hush@db/app", "unknown database URL scheme 'postgresql'"),
        ("just words hush", "must look like"),
        ("mysql://ada:hush@db:port/app", "is the port a number"),
        ("mysql://ada:hu@sh@db/a@pp", "%40"),
        ("mysql://db/app?hush=1", "unknown parameter 'hush' in the database URL"),
        ("mysql://db/app?ssl_verify_cert=perhaps", "must be true or false"),
        ("mysql://db/app?connect_timeout=soon", "number of seconds"),
    ],
)
def test_urls_that_cannot_be_used(url: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert said in str(caught.value)
    assert "hush@" not in str(caught.value)
    assert "ada" not in str(caught.value)


# -- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "sqlstate", "lost", "outcome"),
    [
        (1213, "40001", False, Outcome.FAIL),  # deadlock
        (1205, "HY000", False, Outcome.FAIL),  # lock wait timeout
        (1020, "HY000", False, Outcome.FAIL),  # the row has changed since the snapshot
        (1062, "23000", False, Outcome.FAIL),  # duplicate key
        (1317, "70100", False, Outcome.FAIL),  # KILL QUERY
        (1114, "HY000", False, Outcome.FAIL),  # the table is full
        (2013, None, True, Outcome.FAIL),  # lost before COMMIT: rolled back
        (1927, "70100", True, Outcome.FAIL),
        (1064, "42000", False, Outcome.BUG),
        (1054, "42S22", False, Outcome.BUG),
        (1146, "42S02", False, Outcome.BUG),
        (1242, "21000", False, Outcome.BUG),
        (1264, "22003", False, Outcome.BUG),
        (1048, "23000", False, Outcome.BUG),
        (1792, "25006", False, Outcome.BUG),
    ],
)
def test_errors_before_commit(number: int, sqlstate: str | None, lost: bool, outcome: Outcome) -> None:
    assert outcome_of(number, sqlstate, lost=lost, committing=False) is outcome


@pytest.mark.parametrize(
    ("number", "lost", "outcome"),
    [
        (1213, False, Outcome.FAIL),  # a cluster has refused it
        (1213, True, Outcome.INFO),
        (1205, False, Outcome.INFO),
        (1180, False, Outcome.INFO),  # error during COMMIT
        (1317, False, Outcome.INFO),
        (2013, True, Outcome.INFO),
        (1064, False, Outcome.INFO),
    ],
)
def test_errors_at_commit(number: int, lost: bool, outcome: Outcome) -> None:
    assert outcome_of(number, None, lost=lost, committing=True) is outcome


# -- levels, locks, SQL -------------------------------------------------------------------


def test_what_is_promised_hangs_on_the_snapshots() -> None:
    plain = MariadbAdapter().capabilities().isolation
    assert list(plain) == ["read uncommitted", "read committed", "repeatable read", "serializable"]
    assert plain["repeatable read"] == "repeatable-read"
    snapshots = MariadbAdapter(innodb_snapshot_isolation=True).capabilities().isolation
    assert snapshots == {**plain, "repeatable read": "snapshot-isolation"}
    assert list(snapshots) == list(plain)


def test_levels_and_locks_by_their_words() -> None:
    assert level("REPEATABLE-READ") == "repeatable read"
    assert lock_clause("share") == " LOCK IN SHARE MODE"
    assert read_sql("t", "update") == "SELECT val FROM t WHERE `key` = %(key)s FOR UPDATE"
    with pytest.raises(UsageError, match="did you mean 'serializable'"):
        level("serialisable")
    with pytest.raises(UsageError, match="no locking read 'no key update'"):
        lock_clause("no key update")


def test_both_forms_of_a_write() -> None:
    assert len(write_sql(Kind.LIST_APPEND, "t", "on-duplicate-key")) == 1
    update, insert = write_sql(Kind.RW_REGISTER, "t", "update-else-insert")
    assert update.startswith("UPDATE")
    assert insert.startswith("INSERT")


@pytest.mark.parametrize(
    ("sql", "compiled", "names"),
    [
        ("SELECT val FROM {table} WHERE key = :k", "SELECT val FROM {table} WHERE `key` = %(k)s", {"k"}),
        ("SELECT :a + :b + :a", "SELECT %(a)s + %(b)s + %(a)s", {"a", "b"}),
        ("SELECT ':a', \":a\", `:a`, 'it''s \\' :a'", "SELECT ':a', \":a\", `:a`, 'it''s \\' :a'", set()),
        ("SELECT 1 -- :a\n, :b # :c", "SELECT 1 -- :a\n, %(b)s # :c", {"b"}),
        ("SELECT 5--:a", "SELECT 5--%(a)s", {"a"}),  # minus minus: a comment needs a space
        ("SELECT /* :a */ 1 LIKE '50%'", "SELECT /* :a */ 1 LIKE '50%%'", set()),
        ("SET @x := :v", "SET @x := %(v)s", {"v"}),
        ("SELECT 7 % :n", "SELECT 7 %% %(n)s", {"n"}),
        (
            "INSERT INTO {table} (key, val) VALUES (:k, :v) ON DUPLICATE key UPDATE val = :v",
            "INSERT INTO {table} (`key`, val) VALUES (%(k)s, %(v)s) ON DUPLICATE key UPDATE val = %(v)s",
            {"k", "v"},
        ),
        ("SELECT own.key, @key, keyed FROM t own", "SELECT own.key, @key, keyed FROM t own", set()),
    ],
)
def test_placeholders(sql: str, compiled: str, names: set[str]) -> None:
    found = compile_raw(sql)
    assert found.sql == compiled
    assert set(found.names) == names


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT",
        "/* well */ rollback",
        "START TRANSACTION",
        "XA END 'x'",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET autocommit = 0",
        "set @@session.tx_isolation = 'SERIALIZABLE'",
        "SET transaction_isolation = 'SERIALIZABLE'",
        "/*! COMMIT */",
    ],
)
def test_steps_that_would_end_the_transaction(sql: str) -> None:
    with pytest.raises(UsageError, match="may not begin or end the transaction"):
        compile_raw(sql)


def test_steps_that_only_look_like_it() -> None:
    for sql in ("ROLLBACK TO SAVEPOINT here", "SAVEPOINT here", "SET @note = 'autocommit'"):
        assert compile_raw(sql).sql == sql
    assert compile_raw("CALL fill(1)").calls
    assert compile_raw("insert into t values (1)").upserts


# -- values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [(None, ()), ("", ()), ("3,", (3,)), ("3,1,4,", (3, 1, 4)), ("3,1,4", (3, 1, 4))],
)
def test_lists(text: Any, value: tuple[int, ...]) -> None:
    assert list_value(text) == value
    assert list_value("9," * 300) == (9,) * 300


def test_registers() -> None:
    assert [register_value(each) for each in (None, 7, Decimal(7))] == [None, 7, 7]


@pytest.mark.parametrize("value", ["3,x,", "[3]", 3, "3,,4,"])
def test_what_is_no_list(value: object) -> None:
    with pytest.raises(ValueError, match="must select text like"):
        list_value(value)


@pytest.mark.parametrize("value", ["7", 7.5, Decimal("7.5"), True])
def test_what_is_no_register(value: object) -> None:
    with pytest.raises(ValueError, match="must select an integer"):
        register_value(value)
