"""Several workers at one server have a schema each; with faults, each has a server that it may kill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from txfuzz import Verdict, run_campaign
from txfuzz.campaign.events import Event, Warned
from txfuzz.report.campaign_result import broken_promise
from txfuzz_postgres.server.launcher import EmbeddedServer, launch

DURABLE = ", synchronous_commit: on, fsync: true"
KILLS = "faults: [{name: kill-server, every: 1.0}]\n"
SCHEMAS = "SELECT nspname FROM pg_namespace"
CONNECTIONS = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'txfuzz%'"
pytestmark = pytest.mark.server
WORKLOAD = """version: 1
name: rmw
database: {{adapter: postgres, isolation: serializable{settings}}}
expect: strict-serializable
seed: 3
workload:
  transactions:
    - name: rmw
      steps:
        - {{f: r, key: {{choice: {{range: [1, 4]}}, as: k}}}}
        - {{f: append, key: {{ref: k}}}}
scheduling: {{clients: 4, duration: {seconds}}}
{more}"""


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """One that does not belong to the workers."""
    with launch({}) as found:
        yield found


def names(server: EmbeddedServer, query: str) -> set[object]:
    with psycopg.connect(**server.conninfo) as connection:
        return {name for (name,) in connection.execute(query)}


@pytest.mark.parametrize("faults", ["", "faults: [{name: terminate-backends, every: 0.3}]\n"])
def test_workers_at_one_server_do_not_meet(server: EmbeddedServer, tmp_path: Path, faults: str) -> None:
    """Two workers with the same keys: if they met, each would see values that nobody of its own wrote."""
    path, before = tmp_path / "w.yaml", names(server, SCHEMAS)
    path.write_text(WORKLOAD.format(seconds=1, settings="", more=faults))
    said: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, Warned):
            said.append(event.sentence)

    result = run_campaign(
        workload=path,
        iterations=4,
        database_url="postgresql:///{dbname}?host={host}&user={user}".format(**server.conninfo),
        output=tmp_path / "out",
        workers=2,
        subscriber=hear,
        lean=True,
    )
    assert [each.verdict for each in result.iterations] == [Verdict.VALID] * 4
    assert all(each.result.committed > 20 for each in result.iterations)
    assert not [each for each in said if "lost" in each], said
    assert names(server, SCHEMAS) == before
    assert names(server, CONNECTIONS) == set()


@pytest.mark.slow
def test_each_worker_kills_a_server_of_its_own(tmp_path: Path) -> None:
    path, out = tmp_path / "w.yaml", tmp_path / "out"
    path.write_text(WORKLOAD.format(seconds=3, settings=DURABLE, more=KILLS))
    result = run_campaign(workload=path, iterations=2, output=out, workers=2, lean=True)
    assert [each.verdict for each in result.iterations] == [Verdict.VALID] * 2
    for each in result.iterations:
        record = json.loads((each.path / "execution.json").read_text())
        assert record["faults"], record
        assert each.result.committed > 20


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_server_that_may_lose_commits_is_not_blamed(tmp_path: Path, workers: int) -> None:
    """synchronous_commit is off by default. Nor is it where histories are analysed again; it is where nothing
    was killed, and where only fsync is off, which kill -9 does not need."""
    path, out = tmp_path / "w.yaml", tmp_path / "out"
    path.write_text(WORKLOAD.format(seconds=3, settings="", more=KILLS))
    result = run_campaign(workload=path, iterations=1, output=out, workers=workers, lean=True)
    assert (result.promised, result.answers_for) == ("serializable", None)
    assert not broken_promise(result)
    again = run_campaign(workload=path, iterations=1, skip_run=True, output=out, lean=True)
    assert again.answers_for is None
    path.write_text(WORKLOAD.format(seconds=0.3, settings="", more=KILLS))
    other = run_campaign(workload=path, iterations=1, output=tmp_path / "none", workers=workers, lean=True)
    assert other.answers_for == "serializable"
    path.write_text(WORKLOAD.format(seconds=2, settings=", synchronous_commit: on", more=KILLS))
    other = run_campaign(workload=path, iterations=1, output=tmp_path / "fsync", workers=workers, lean=True)
    assert other.answers_for == "serializable"
