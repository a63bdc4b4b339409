"""More clients than a database takes: the workload's matter, unless others have taken the room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mariadb_server import needs_mariadb
from txfuzz.common.kind import Kind
from txfuzz.database.api import Database, NoMoreSessions, Session
from txfuzz.database.isolation_levels import open_database
from txfuzz.errors import DatabaseUnavailable, ExitCode, UsageError
from txfuzz.execution.run import execute
from txfuzz.testing.memory.adapter import MemoryAdapter
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.session import MemorySession
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight, Workload
from txfuzz_mariadb.adapter import MariadbAdapter
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.server.launcher import EmbeddedServer, launch

LISTS = Kind.LIST_APPEND
WORKLOAD = Workload(
    "w", (Transaction("add", (Step("append", Choice(range(1, 500))),)),), (Weight("add", 1.0),)
)


def of(clients: int) -> Workload:
    return replace(WORKLOAD, scheduling=Scheduling(clients=clients, transactions=2 * clients))


class Full(MemoryDatabase):
    """Takes 3 sessions, of at most `most`."""

    most = 3

    def session(self, kind: Kind) -> MemorySession:
        if sum(len(store.connected()) for store in self._stores.values()) >= 3:
            raise NoMoreSessions("the limit is reached", self.most)
        return super().session(kind)


def test_more_clients_than_there_can_be(tmp_path: Path) -> None:
    with (
        Full(MemoryAdapter(), url_given=False) as database,
        pytest.raises(UsageError, match=r"asks for 4 clients, but there is room for 3: the limit is reached"),
    ):
        execute(of(4), database, tmp_path / "h.edn", isolation="serializable")


def test_others_have_taken_the_room(tmp_path: Path) -> None:
    with Full(MemoryAdapter(), url_given=False) as database:
        database.most = 9
        with pytest.raises(DatabaseUnavailable, match=r"^the limit is reached$") as refused:
            execute(of(4), database, tmp_path / "h.edn", isolation="serializable")
    assert refused.value.exit_code is ExitCode.UNAVAILABLE


@pytest.mark.parametrize("adapter", [PostgresAdapter(), MariadbAdapter()])
def test_an_embedded_server_is_as_large_as_the_workload_needs(adapter: PostgresAdapter) -> None:
    assert adapter.with_room_for(8) == adapter.with_room_for(90)
    assert adapter.with_room_for(300).max_connections >= 310
    asked = replace(adapter, max_connections=50)
    assert asked.with_room_for(300) == asked


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(
    ("adapter", "level"),
    [
        (PostgresAdapter(), "read committed"),
        pytest.param(MariadbAdapter(), "read committed", marks=needs_mariadb),
    ],
)
def test_two_hundred_clients(adapter: PostgresAdapter, level: str, tmp_path: Path) -> None:
    with open_database(adapter, None, 200) as database:
        summary = execute(of(200), database, tmp_path / "h.edn", isolation=level)
    assert summary.asked == 400
    small = replace(adapter, max_connections=20)
    with (
        open_database(small, None, 200) as database,
        pytest.raises(UsageError, match=r"asks for 200 clients, but there is room for 1\d: .*max_connec"),
    ):
        execute(of(200), database, tmp_path / "h.edn", isolation=level)


# -- somebody else's server ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    import psycopg

    with launch({"max_connections": "20", "superuser_reserved_connections": "3"}) as running:
        with psycopg.connect(**running.conninfo, autocommit=True) as connection:
            connection.execute("CREATE ROLE many LOGIN")
            connection.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 5")
            connection.execute("GRANT CREATE ON DATABASE postgres TO many, few")
        yield running


def opened(server: EmbeddedServer, role: str) -> Database:
    return PostgresAdapter().open(f"postgresql://{role}@/postgres?host={server.directory}")


def taken(database: Database) -> tuple[list[Session], NoMoreSessions]:
    sessions: list[Session] = []
    while True:
        try:
            sessions.append(database.session(LISTS))
        except NoMoreSessions as error:
            return sessions, error


@pytest.mark.server
@pytest.mark.parametrize(
    ("role", "most", "says"),
    [
        ("many", 16, "max_connections is 20, of which 3 are reserved, and 17 are in use"),
        ("few", 4, "the role's CONNECTION LIMIT is 5, and 5 are in use"),
        ("postgres", 19, "max_connections is 20, and 20 are in use"),
    ],
)
def test_every_limit_is_named(server: EmbeddedServer, role: str, most: int, says: str) -> None:
    with opened(server, role) as database:
        sessions, refused = taken(database)
        for session in sessions:
            session.close()
    assert str(refused) == f"the server accepts no more connections: {says}"
    assert (len(sessions), refused.most) == (most, most)


@pytest.mark.server
def test_what_others_have_taken_is_no_matter_of_the_workload(server: EmbeddedServer, tmp_path: Path) -> None:
    with opened(server, "many") as theirs, opened(server, "many") as ours:
        sessions, _ = taken(theirs)
        with pytest.raises(NoMoreSessions):
            execute(of(8), ours, tmp_path / "h.edn", isolation="read committed")
        with pytest.raises(UsageError, match="asks for 17 clients, but there is room for 16"):
            execute(of(17), ours, tmp_path / "h.edn", isolation="read committed")
        for session in sessions:
            session.close()
