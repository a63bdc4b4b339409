"""A primary and its standby: sessions at both, what is settled, what faults do, and that nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import psycopg
import pytest

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.common.kind import Kind
from txfuzz.database.api import Outcome, SessionError
from txfuzz.database.embedded.keeper import children_of
from txfuzz.database.endpoints import Endpoint
from txfuzz.errors import UsageError
from txfuzz.execution.run import execute
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.testing import EndpointConformance
from txfuzz.testing.sessions import Later, read, transact, write
from txfuzz.workload.model import Scheduling, Workload
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.reader import read_workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.database import PostgresDatabase
from txfuzz_postgres.protocol.url import parse_url
from txfuzz_postgres.replicas.cluster import Cluster, refuse_stranger
from txfuzz_postgres.replicas.faults import FailOver

pytestmark = pytest.mark.server

LISTS = Kind.LIST_APPEND
PRIMARY, STANDBY = Endpoint("primary", "primary"), Endpoint("standby", "standby", read_only=True)


@pytest.fixture(scope="module")
def late() -> Iterator[PostgresDatabase]:
    """With an asynchronous standby."""
    with PostgresAdapter(standbys=1).open(None) as database:
        assert isinstance(database, PostgresDatabase)
        yield database


@pytest.fixture(scope="module")
def applied() -> Iterator[PostgresDatabase]:
    """COMMIT waits until the standby shows the transaction."""
    with PostgresAdapter(standbys=1, replication="remote_apply").open(None) as database:
        assert isinstance(database, PostgresDatabase)
        yield database


class TestStandbys(EndpointConformance):
    adapter = PostgresAdapter(standbys=1)

    @pytest.fixture
    def database(self, late: PostgresDatabase) -> PostgresDatabase:
        return late


def shipped(name: str) -> Workload:
    path = workload_path(name, None)
    return read_workload(path, InstalledVocabulary(load_plugins(), path))


def test_a_paused_standby_shows_the_past(late: PostgresDatabase) -> None:
    late.prepare(LISTS, fresh=True)
    late.settle((STANDBY,))
    with (
        closing(late.session_at(LISTS, PRIMARY)) as writer,
        closing(late.session_at(LISTS, STANDBY)) as reader,
    ):
        transact(writer, "serializable", write(LISTS, 1, 1))
        late.settle((STANDBY,))
        late.injector().pause_replay()
        transact(writer, "serializable", write(LISTS, 1, 2))
        assert transact(reader, "repeatable read", read(1)) == [(1,)]
        late.injector().resume_replay()
        late.settle((STANDBY,))
        assert transact(reader, "repeatable read", read(1)) == [(1, 2)]


def test_a_standby_is_killed_and_follows_again(late: PostgresDatabase) -> None:
    late.prepare(LISTS, fresh=True)
    late.settle((STANDBY,))
    reader = late.session_at(LISTS, STANDBY)
    reader.begin("repeatable read")
    assert late.injector().kill_standby(Random(1)) > 3
    with pytest.raises(SessionError) as lost:
        reader.execute(read(1))
    assert (lost.value.outcome, lost.value.lost) == (Outcome.FAIL, True)
    reader.close()
    late.injector().restart_standby()
    with closing(late.session_at(LISTS, PRIMARY)) as writer:
        transact(writer, "serializable", write(LISTS, 1, 1))
    late.settle((STANDBY,))
    with closing(late.session_at(LISTS, STANDBY)) as again:
        assert transact(again, "repeatable read", read(1)) == [(1,)]


def test_a_standby_that_starts_again_may_show_an_older_state(applied: PostgresDatabase) -> None:
    """Why the promise of remote_apply is weaker where a standby is killed: COMMIT had returned."""
    cluster = applied._server
    assert isinstance(cluster, Cluster)
    where, rows = cluster.standby(0), 0
    shown = "SELECT count(*) FROM much"
    with psycopg.connect(**cluster.conninfo, autocommit=True) as primary:  # type: ignore[arg-type]
        primary.execute("CREATE TABLE much (text text)")
        primary.execute("CHECKPOINT")
        for _ in range(20):
            primary.execute("INSERT INTO much SELECT repeat('x', 50) FROM generate_series(1, 10000)")
            rows += 10000
        with psycopg.connect(**where) as standby:  # type: ignore[arg-type]
            assert standby.execute(shown).fetchone() == (rows,)
        applied.injector().kill_standby(Random(1))
        applied.injector().restart_standby()
        seen = []
        with psycopg.connect(**where, autocommit=True) as standby:  # type: ignore[arg-type]
            until = time.monotonic() + 30
            while (rows,) not in seen and time.monotonic() < until:
                seen.append(standby.execute(shown).fetchone())
        primary.execute("DROP TABLE much")
    assert seen[-1] == (rows,)
    assert seen[0] != (rows,), "it showed everything at once"


def test_what_one_standby_has_shown_is_gone_when_another_takes_over() -> None:
    """Why nothing is promised of reads at several standbys where one of them may take over."""
    with PostgresAdapter(standbys=2, replication="synchronous").open(None) as database:
        assert isinstance(database, PostgresDatabase)
        cluster = database._server
        assert isinstance(cluster, Cluster)
        database.prepare(LISTS, fresh=True)
        database.settle((STANDBY, replace(STANDBY, number=1)))
        with psycopg.connect(**cluster.conninfo, autocommit=True) as primary:  # type: ignore[arg-type]
            sender = "SELECT pid FROM pg_stat_replication WHERE application_name = 'standby2'"
            [pid] = primary.execute(sender).fetchone() or [0]
        os.kill(pid, signal.SIGSTOP)
        with closing(database.session_at(LISTS, PRIMARY)) as writer:
            writer.begin("serializable")
            writer.execute(write(LISTS, 1, 1))
            commit = Later(writer.commit)
            with closing(database.session_at(LISTS, STANDBY)) as reader:
                until = time.monotonic() + 30
                while transact(reader, "repeatable read", read(1)) != [(1,)]:
                    assert time.monotonic() < until, "the standby does not show it"
            assert not commit.done(0)
            cluster.fail_over(next(each for each in cluster.standbys if each.number == 1))
            with pytest.raises(SessionError) as unsure:
                commit.result("a COMMIT whose server is gone")
            assert unsure.value.outcome is Outcome.INFO
        with closing(database.session_at(LISTS, PRIMARY)) as again:
            assert transact(again, "serializable", read(1)) == [()]


def test_a_commit_that_stops_waiting_is_unknown(applied: PostgresDatabase) -> None:
    """It has happened at the primary, and the server only warns."""
    applied.prepare(LISTS, fresh=True)
    applied.settle((STANDBY,))
    session = applied.session_at(LISTS, PRIMARY)
    applied.injector().pause_replay()
    try:
        session.begin("serializable")
        session.execute(write(LISTS, 1, 1))
        commit = Later(session.commit)
        assert not commit.done(0.2), "COMMIT did not wait for the standby"
        session.cancel()
        with pytest.raises(SessionError) as unsure:
            commit.result("a cancelled COMMIT")
    finally:
        applied.injector().resume_replay()
        session.close()
    assert (unsure.value.outcome, unsure.value.code) == (Outcome.INFO, "01000")


def test_only_an_asynchronous_failover_excuses_what_follows(
    late: PostgresDatabase, applied: PostgresDatabase
) -> None:
    assert FailOver().excuses(late) == (
        "replication is asynchronous, so the failover may have lost what had been acknowledged"
    )
    assert FailOver().excuses(applied) == ""


def test_a_failover_moves_the_primary(applied: PostgresDatabase) -> None:
    """The control connection, new sessions and the standby find their places; old sessions are lost."""
    applied.prepare(LISTS, fresh=True)
    writer, reader = applied.session_at(LISTS, PRIMARY), applied.session_at(LISTS, STANDBY)
    applied.settle((STANDBY,))
    transact(writer, "serializable", write(LISTS, 1, 1))
    assert transact(reader, "repeatable read", read(1)) == [(1,)]
    injector = applied.injector()
    assert injector.stop_sending(Random(1)) == 1
    assert injector.fail_over() >= 1
    for session, level in ((writer, "serializable"), (reader, "repeatable read")):
        with pytest.raises(SessionError) as lost:
            transact(session, level, read(1))
        assert lost.value.lost
        session.close()
    with closing(applied.session_at(LISTS, PRIMARY)) as writer:
        transact(writer, "serializable", write(LISTS, 1, 2))
    with closing(applied.session_at(LISTS, STANDBY)) as reader:
        assert transact(reader, "repeatable read", read(1)) == [(1, 2)]
    assert applied.prepare(LISTS, fresh=False) == 1


@pytest.mark.parametrize(
    ("name", "found", "not_found"),
    [
        ("stale_reads", {"G-single-item-realtime"}, {"G1a", "lost-update", "G-single-item", "G2-item"}),
        ("standby_read_only_anomaly", {"G2-item"}, {"G1a", "lost-update", "G-single-item"}),
    ],
)
def test_shipped_workloads(
    name: str, found: set[str], not_found: set[str], late: PostgresDatabase, tmp_path: Path
) -> None:
    asked = shipped(name)
    assembled = assemble(replace(asked, scheduling=Scheduling(8, transactions=1500)), load_plugins())
    summary = execute(assembled.workload, late, tmp_path / "history.edn", isolation=assembled.isolation)
    assert summary.failure is None
    text = (tmp_path / "history.edn").read_text(encoding="utf-8")
    assert ':at "standby"' in text
    assert ':txn "final-read", :at "primary"' in text or ':at "primary"' in text
    result = analyze_history(read_history(tmp_path / "history.edn"), assembled.expect)
    assert result.verdict is Verdict.INVALID
    assert found <= set(result.all_types)
    assert not not_found & set(result.all_types)
    assert any("never promised" in sentence for sentence in assembled.because)


def test_remote_apply_shows_no_stale_reads(applied: PostgresDatabase, tmp_path: Path) -> None:
    asked = replace(
        shipped("stale_reads_remote_apply"), faults=(), scheduling=Scheduling(8, transactions=1000)
    )
    assembled = assemble(asked, load_plugins())
    execute(assembled.workload, applied, tmp_path / "history.edn", isolation=assembled.isolation)
    result = analyze_history(read_history(tmp_path / "history.edn"), "strict-serializable")
    assert result.verdict is Verdict.VALID, result.anomaly_types


def test_standbys_by_url(applied: PostgresDatabase) -> None:
    """As somebody's own servers would be named."""
    cluster = applied._server
    assert isinstance(cluster, Cluster)
    primary, standby = (f"postgresql://postgres@/postgres?host={cluster.directory}/{name}&port=5432"
                        for name in ("primary", "standby1"))  # fmt: skip
    theirs = Endpoint("theirs", "standby", url=standby, read_only=True)
    with PostgresAdapter().open(primary) as database:
        assert isinstance(database, PostgresDatabase)
        database.prepare(LISTS, fresh=True)
        database.settle((theirs,))
        with closing(database.session(LISTS)) as writer:
            transact(writer, "serializable", write(LISTS, 1, 1))
        database.settle((theirs,))
        with closing(database.session_at(LISTS, theirs)) as reader:
            assert transact(reader, "repeatable read", read(1)) == [(1,)]
        with pytest.raises(UsageError, match="'mistaken' is no standby, but a primary"):
            database.settle((Endpoint("mistaken", "standby", url=primary, read_only=True),))
        with pytest.raises(UsageError, match="'theirs' is the standby of another server"):
            refuse_stranger(theirs, parse_url(standby).parameters, "123")
        with pytest.raises(UsageError, match="needs a `url`"):
            database.session_at(LISTS, STANDBY)
    with pytest.raises(UsageError, match="those of the embedded server"):
        PostgresAdapter(standbys=1).open(primary)


PARENT = """
import time
from txfuzz_postgres.adapter import PostgresAdapter
database = PostgresAdapter(standbys=1).open(None)
cluster = database._server
print(cluster.pid, *(each.pid for each in cluster.standbys), cluster.directory, flush=True)
time.sleep(60)
"""


def test_kill_9_of_txfuzz_leaves_no_standby() -> None:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        primary, standby, directory = process.stdout.readline().split()
        pids = [int(primary), int(standby)]
        pids += [child for pid in pids for child in children_of(pid)]
        assert len(pids) > 6
    finally:
        process.kill()
        process.communicate()
    until = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{pid}") for pid in pids) or os.path.exists(directory):
        assert time.monotonic() < until, "a server, or the directory, outlived txfuzz"
        time.sleep(0.02)


def test_nothing_is_left_after_closing() -> None:
    database = PostgresAdapter(standbys=1).open(None)
    assert isinstance(database, PostgresDatabase)
    cluster = database._server
    assert isinstance(cluster, Cluster)
    pids = [cluster.pid, *(each.pid for each in cluster.standbys)]
    with psycopg.connect(**{**cluster.standby(0)}, connect_timeout=5) as on:  # type: ignore[arg-type]
        assert on.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
    database.close()
    assert not cluster.directory.exists()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
