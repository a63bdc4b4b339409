"""A server by URL: connecting, privileges, our schema, and guaranteed clean-up."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus

import psycopg
import pytest

from txfuzz.common.kind import Kind
from txfuzz.database.api import BoundStep
from txfuzz.errors import DatabaseUnavailable, TxfuzzError, UsageError
from txfuzz.transactions.model import Step
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.protocol.connection import connect
from txfuzz_postgres.protocol.url import parse_url
from txfuzz_postgres.server.launcher import EmbeddedServer, launch

pytestmark = pytest.mark.server

PASSWORD = "s3cr3t-Passw0rd"
LISTS = Kind.LIST_APPEND


@dataclass(frozen=True)
class Foreign:
    """A server that listens on a port and asks for passwords."""

    server: EmbeddedServer
    port: int

    def url(self, user: str = "boss", password: str = PASSWORD, tail: str = "?sslmode=disable") -> str:
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/postgres{tail}"

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        with psycopg.connect(**self.server.conninfo, autocommit=True) as connection:
            for statement in statements[:-1]:
                connection.execute(statement)
            cursor = connection.execute(statements[-1])
            return cursor.fetchall() if cursor.description else []

    def schemas(self) -> set[object]:
        return {row[0] for row in self.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'txfuzz%'")}


@pytest.fixture(scope="module")
def foreign() -> Iterator[Foreign]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with launch({"listen_addresses": "127.0.0.1", "port": str(port), "deadlock_timeout": "1s"}) as server:
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (server.data / "pg_hba.conf").write_text(rules)
        opened = Foreign(server, port)
        opened.sql(
            "SELECT pg_reload_conf()",
            f"CREATE ROLE boss LOGIN SUPERUSER PASSWORD '{PASSWORD}'",
            f"CREATE ROLE tenant LOGIN PASSWORD '{PASSWORD}'",
            "GRANT CREATE ON DATABASE postgres TO tenant",
            f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'",
        )
        until = time.monotonic() + 10
        while True:  # the new rules apply a moment later
            try:
                psycopg.connect(opened.url(password="wrong")).close()
            except psycopg.OperationalError:
                break
            assert time.monotonic() < until
        yield opened


def message(url: str, kind: type[TxfuzzError] = DatabaseUnavailable) -> str:
    with pytest.raises(kind) as caught:
        PostgresAdapter().open(url)
    text = str(caught.value)
    assert "\n" not in text
    assert PASSWORD not in text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text


# -- connecting ---------------------------------------------------------------------------


def test_a_campaign_on_a_foreign_server(foreign: Foreign) -> None:
    with PostgresAdapter().open(foreign.url()) as database:
        facts = database.describe()
        assert facts["url"] == f"postgres://boss@127.0.0.1:{foreign.port}/postgres?sslmode=disable"
        assert facts["server"] == facts["url"]
        assert foreign.schemas() == {facts["schema"]}
        assert database.prepare(LISTS, fresh=True) == 0
        session = database.session(LISTS)
        session.begin("serializable")
        session.execute(BoundStep(Step("append"), "append", 1, 1))
        session.commit()
        shown = session._conn.exec_(b"SHOW deadlock_timeout").get_value(0, 0)
        assert shown == b"10ms"  # a superuser may set it for the session
        assert database.warnings() == ()
        session.begin("serializable")
        session.execute(BoundStep(Step("append"), "append", 1, 2))  # and is still open when we leave
    assert foreign.schemas() == set()


def test_a_wrong_password(foreign: Foreign) -> None:
    text = message(foreign.url(password="not-" + PASSWORD))
    assert "password authentication failed" in text
    assert str(foreign.port) in text


def test_no_password(foreign: Foreign) -> None:
    assert "no password supplied" in message(f"postgres://boss@127.0.0.1:{foreign.port}/postgres")


def test_an_unknown_database(foreign: Foreign) -> None:
    assert '"nowhere" does not exist' in message(foreign.url().replace("/postgres?", "/nowhere?"))


def test_encryption_that_the_server_does_not_have(foreign: Foreign) -> None:
    assert "SSL" in message(foreign.url(tail="?sslmode=require"))


def test_a_refused_connection() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        text = message(f"postgresql://boss:{PASSWORD}@127.0.0.1:{port}/postgres")
    assert "refused" in text


def test_a_socket_directory_by_query(foreign: Foreign) -> None:
    url = f"postgresql://boss@/postgres?host={foreign.server.directory}&port={foreign.port}"
    with PostgresAdapter().open(url) as database:
        directory = quote_plus(str(foreign.server.directory))
        assert (
            database.describe()["url"] == f"postgresql://boss@/postgres?host={directory}&port={foreign.port}"
        )


def test_the_password_is_nowhere(foreign: Foreign) -> None:
    with PostgresAdapter().open(foreign.url()) as database:
        session = database.session(LISTS)
        everything = [database, database._target, database._control, database._control._engine, session]
        shown = " ".join(map(repr, everything)) + str(database.describe()) + str(vars(session))
        assert PASSWORD not in shown


def test_a_silent_server_stops_nobody_else() -> None:
    """Waiting for a connection must not hold the GIL."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = parse_url(f"postgres://me@127.0.0.1:{silent.getsockname()[1]}/d?connect_timeout=1")
        errors: list[Exception] = []

        def attempt() -> None:
            try:
                connect(target, "test")
            except DatabaseUnavailable as error:
                errors.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        ticks = 0
        while thread.is_alive():
            time.sleep(0.01)
            ticks += 1
    assert ticks > 10
    assert "no answer" in str(errors[0])


# -- privileges ---------------------------------------------------------------------------


def test_a_role_without_superuser_rights_works_and_is_warned(foreign: Foreign) -> None:
    with PostgresAdapter().open(foreign.url("tenant")) as database:
        database.prepare(LISTS, fresh=True)
        (warning,) = database.warnings()
        assert "deadlock_timeout is 1s" in warning
        session = database.session(LISTS)
        session.begin("repeatable read")
        assert session.execute(BoundStep(Step("r"), "r", 1)) == ()
        session.commit()
        session.close()
    assert foreign.schemas() == set()


def test_a_role_that_may_not_make_a_schema(foreign: Foreign) -> None:
    text = message(foreign.url("guest"))
    assert "permission denied" in text
    assert re.search(r"GRANT CREATE ON (DATABASE|SCHEMA) \S+ to the role", text)
    assert "schema" in text


# -- our schema ---------------------------------------------------------------------------

KILLED = """
import sys, time
from txfuzz.common.kind import Kind
from txfuzz_postgres.adapter import PostgresAdapter
database = PostgresAdapter().open(sys.argv[1])
database.prepare(Kind.LIST_APPEND, fresh=True)
print(database.describe()["schema"], flush=True)
time.sleep(60)
"""


def test_the_schema_of_a_killed_campaign_is_dropped_by_the_next(foreign: Foreign) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, foreign.url()], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        orphan = process.stdout.readline().strip()
        with PostgresAdapter().open(foreign.url()) as database:  # a living campaign is left alone
            assert foreign.schemas() == {orphan, database.describe()["schema"]}
        process.kill()
    gone = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = {oid(foreign)}"
    until = time.monotonic() + 10
    while foreign.sql(gone) != [(0,)] and time.monotonic() < until:
        time.sleep(0.02)
    assert foreign.schemas() == {orphan}
    with PostgresAdapter().open(foreign.url()) as database:
        assert foreign.schemas() == {database.describe()["schema"]}
    assert foreign.schemas() == set()


def oid(foreign: Foreign) -> object:
    return foreign.sql("SELECT oid FROM pg_database WHERE datname = 'postgres'")[0][0]


def test_somebody_elses_schema_of_a_like_name_is_left_alone(foreign: Foreign) -> None:
    foreign.sql("CREATE SCHEMA txfuzz_precious")
    PostgresAdapter().open(foreign.url()).close()
    assert foreign.schemas() == {"txfuzz_precious"}
    foreign.sql("DROP SCHEMA txfuzz_precious")


def test_an_orphan_that_cannot_be_dropped_does_not_hinder(foreign: Foreign) -> None:
    boss = PostgresAdapter().open(foreign.url())
    boss._control.close()  # as if killed; the tenant has no right to drop what the boss owns
    try:
        with PostgresAdapter().open(foreign.url("tenant")):
            assert len(foreign.schemas()) == 2
    finally:
        PostgresAdapter().open(foreign.url()).close()
    assert foreign.schemas() == set()


def test_a_schema_of_ones_own_is_kept(foreign: Foreign) -> None:
    mine = PostgresAdapter(schema='My "own" schema', tables=2)
    with mine.open(foreign.url()) as database:
        database.prepare(LISTS, fresh=True)
        database.insert_rows(LISTS, range(1, 6))
        with pytest.raises(UsageError, match="another campaign is using"):
            mine.open(foreign.url())
    with mine.open(foreign.url()) as database:
        assert database.prepare(LISTS, fresh=False) == 5
    with PostgresAdapter(schema='My "own" schema', tables=1).open(foreign.url()) as database:
        assert database.prepare(LISTS, fresh=False) == 5  # in the second table, which this one does not use
        assert database.prepare(LISTS, fresh=True) == 0
    with mine.open(foreign.url()) as database:
        assert database.prepare(LISTS, fresh=False) == 0
    foreign.sql('DROP SCHEMA "My ""own"" schema" CASCADE')


def test_a_table_that_is_not_ours_is_not_written_to(foreign: Foreign) -> None:
    foreign.sql("CREATE SCHEMA theirs", "CREATE TABLE theirs.txfuzz_list_append (key text, val int)")
    try:
        with PostgresAdapter(schema="theirs").open(foreign.url()) as database:
            with pytest.raises(UsageError, match=r"theirs\.txfuzz_list_append is not a txfuzz table"):
                database.prepare(LISTS, fresh=False)
            assert database.prepare(Kind.RW_REGISTER, fresh=False) == 0
    finally:
        foreign.sql("DROP SCHEMA theirs CASCADE")


def test_a_lost_control_connection_comes_back_with_its_lock(foreign: Foreign) -> None:
    with PostgresAdapter().open(foreign.url()) as database:
        ours = "FROM pg_stat_activity WHERE application_name LIKE 'txfuzz %'"
        foreign.sql(f"SELECT pg_terminate_backend(pid, 5000) {ours}")
        assert database.prepare(LISTS, fresh=True) == 0
        PostgresAdapter().open(foreign.url()).close()
        assert foreign.schemas() == {database.describe()["schema"]}


# -- options ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"append": "on-conflicts"}, "did you mean 'on-conflict'"),
        ({"tables": 0}, "tables must be at least 1, found 0"),
        ({"tables": True}, "tables must be a whole number"),
        ({"max_connections": "many"}, "max_connections must be a whole number"),
        ({"synchronous_commit": "perhaps"}, "synchronous_commit cannot be 'perhaps'"),
    ],
)
def test_bad_options(options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        PostgresAdapter(**options)  # type: ignore[arg-type]
