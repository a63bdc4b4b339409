"""Each fault once on a real server: clients continue, the history is true, and nothing is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest

from txfuzz import run_campaign
from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.anomalies.durability import durability
from txfuzz.analysis.explain.verdict import explain_durability
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.setup.resolve import InstalledVocabulary, assemble
from txfuzz.errors import UsageError
from txfuzz.execution.fault_injector import cautions
from txfuzz.execution.run import execute
from txfuzz.execution.summary import ExecutionSummary, injection_counts
from txfuzz.history.model import INFO, History
from txfuzz.history.reader import read_history
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.model import Workload
from txfuzz.workload.yaml.reader import parse_workload
from txfuzz_postgres.server.launcher import EmbeddedServer, launch

pytestmark = pytest.mark.server

TEXT = """\
version: 1
name: faults
database: {adapter: postgres, isolation: serializable, %s}
expect: strict-serializable
workload:
  transactions:
    - name: read_append
      steps:
        - {f: r, key: {choice: {range: [1, 6]}, as: k}}
        - {f: append, key: {ref: k}}
    - name: append_pair
      steps:
        - {f: append, key: {choice: {range: [1, 6]}, as: a}}
        - {f: append, key: {choice: {range: [1, 6]}, distinct_from: [a]}}
    - name: read_pair
      steps:
        - {f: r, key: {choice: {range: [1, 6]}, as: a}}
        - {f: r, key: {choice: {range: [1, 6]}, distinct_from: [a]}}
keys: {writes: 100, rows: %s}
scheduling: {clients: 4, duration: %s}
faults: %s
"""
SAFE = "synchronous_commit: on, fsync: true"
Ran = tuple[ExecutionSummary, History, AnalysisResult]
Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    registry = load_plugins(strict=True)

    def run(
        faults: str, *, options: str = "tables: 1", rows: str = "fresh", duration: str = "0.8s",
        url: str | None = None,
    ) -> Ran:  # fmt: skip
        text = TEXT % (options, rows, duration, faults)
        workload: Workload = parse_workload(text, "w.yaml", InstalledVocabulary(registry))
        assembled = assemble(workload, registry)
        path = tmp_path / "history.edn"
        with assembled.adapter.open(url) as database:
            summary = execute(
                assembled.workload, database, path, isolation=assembled.isolation, faults=assembled.faults
            )
        assert summary.failure is None, summary.failure
        history = read_history(path)
        assert (history.complete_at >= 0).all()
        assert summary.ok > 10
        assert summary.final_reads > 0
        return summary, history, analyze_history(history, assembled.expect)

    return run


def nothing_found(ran: Ran) -> None:
    _, history, result = ran
    assert result.verdict is Verdict.VALID, (result.anomaly_types, result.reason)
    assert durability(history).lost == 0


def events(run_path: Path) -> list[str]:
    return [line for line in run_path.read_text().splitlines() if ":process :nemesis" in line]


@pytest.mark.slow
def test_kill_and_restart_on_the_same_data_loses_nothing(run: Run, tmp_path: Path) -> None:
    ran = run("[{name: kill-server, at: [0.2s, 0.4s]}]", options=SAFE)
    nothing_found(ran)
    summary = ran[0]
    assert injection_counts(summary.faults) == {"kill-server": 2}
    assert all(each.done["killed"] > 4 for each in summary.faults)  # the postmaster and its children
    written = events(tmp_path / "history.edn")
    assert len(written) == 4
    assert ":f :kill-server" in written[0]
    assert ":phase :begins" in written[0]
    assert ":phase :healed" in written[1]
    # Commits before and after; what was in progress did not
    _, history, _ = ran
    first, last = (int(line.partition(":time ")[2].split(",")[0]) for line in (written[0], written[-1]))
    times = history.complete_time[history.type == 0]
    assert times.min() < first
    assert times.max() > last
    assert summary.aborts["08006"] >= 2


def test_asynchronous_commit_loses_acknowledged_commits_and_we_see_it(run: Run) -> None:
    for _ in range(4):  # what the log writer had written by the crash, and who read it, is chance
        _, history, result = run(
            "[{name: kill-server, every: 0.4s}]", options="synchronous_commit: off", duration="1.8s"
        )
        if durability(history).lost and "incompatible-order" in result.anomaly_types:
            break
    assert durability(history).lost > 0
    assert result.verdict is Verdict.INVALID
    assert "incompatible-order" in result.anomaly_types


@pytest.mark.slow
def test_rows_inserted_beforehand_survive_a_crash_in_between(run: Run) -> None:
    nothing_found(run("[{name: kill-server, every: 0.3s, down: 0}]", options=SAFE, rows="inserted"))


def test_terminated_backends(run: Run) -> None:
    summary, history, _ = ran = run("[{name: terminate-backends, every: 0.1s, share: 0.5}]")
    nothing_found(ran)
    assert summary.faults
    assert {each.done["terminated"] for each in summary.faults} <= {1, 2}
    assert sum(summary.aborts.values()) >= len(summary.faults)
    assert len(set(history.process)) > 5  # the four, the final reader, and those who came back


@pytest.mark.flaky(reruns=2)
@pytest.mark.slow
def test_processes_that_stall(run: Run) -> None:
    faults = ", ".join(
        f"{{name: pause-server, at: {at}s, whom: {whom}, seconds: 0.15}}"
        for at, whom in ((0.1, "server"), (0.3, "session"), (0.5, "background"))
    )
    summary, history, _ = ran = run(f"[{faults}]")
    nothing_found(ran)
    assert [each.done["whom"] for each in summary.faults] == ["server", "session", "background"]
    assert all(each.done["paused"] >= 1 for each in summary.faults)
    paused = summary.faults[0]
    assert paused.seconds >= 0.15
    ends = history.complete_time[history.type == 0] / 1e9
    until = paused.at + paused.seconds
    inside = np.sort(ends[(ends > paused.at) & (ends < until)])
    # A stopped server answers nobody, from whenever its processes have stopped
    assert np.diff([paused.at, *inside, until]).max() >= 0.08


@pytest.mark.flaky(reruns=2)
def test_timeouts(run: Run) -> None:
    faults = "[{name: timeouts, at: 0.1s, seconds: 0.4}, {name: pause-server, every: 0.1s, seconds: 0.01}]"
    summary, _, _ = ran = run(faults)
    nothing_found(ran)
    assert summary.aborts.get("57014", 0) + summary.aborts.get("55P03", 0) > 0


def test_connections_cut_at_commit_are_unknown_and_some_have_committed(run: Run) -> None:
    summary, history, _ = ran = run("[{name: cut-commit, every: 20ms, connections: 2}]")
    nothing_found(ran)
    settled = durability(history)
    assert summary.info >= 10
    assert int((history.type == INFO).sum()) == summary.info
    assert 0 < settled.happened < settled.unknown  # cut on the way back, and on the way there
    assert explain_durability(settled)[0].startswith(f"{settled.unknown} writer")


# -- servers that are not ours ------------------------------------------------------------


@pytest.fixture(scope="module")
def foreign() -> Iterator[EmbeddedServer]:
    """A server by URL, with a role that has few privileges."""
    with launch() as server:
        with psycopg.connect(**server.conninfo, autocommit=True) as connection:
            connection.execute("CREATE ROLE plain LOGIN")
            connection.execute("GRANT CREATE ON DATABASE postgres TO plain")
        yield server


def url(server: EmbeddedServer) -> str:
    return f"postgresql://plain@/postgres?host={server.directory}"


def test_a_plain_role_ends_and_cuts_its_own_connections(run: Run, foreign: EmbeddedServer) -> None:
    faults = "[{name: terminate-backends, at: 0.2s}, {name: cut-commit, every: 50ms}]"
    summary, _, _ = ran = run(faults, url=url(foreign))
    nothing_found(ran)
    assert set(injection_counts(summary.faults)) == {"terminate-backends", "cut-commit"}
    assert foreign.running()


@pytest.mark.parametrize("name", ["kill-server", "pause-server", "timeouts"])
def test_a_foreign_server_is_not_touched(name: str, run: Run, foreign: EmbeddedServer) -> None:
    with pytest.raises(UsageError, match=f"fault '{name}': only a server started by txfuzz"):
        run(f"[{{name: {name}, at: 0.1s}}]", url=url(foreign))
    assert foreign.running()


def test_a_campaign_with_such_a_fault_does_not_begin(foreign: EmbeddedServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fault 'kill-server': only a server started by txfuzz"):
        run_campaign(workload="crash", database_url=url(foreign), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_kill_without_durability_is_cautioned() -> None:
    registry = load_plugins(strict=True)
    said = {}
    for options in (SAFE, "fsync: false", "synchronous_commit: off, fsync: true"):
        text = TEXT % (options, "fresh", "1s", "[{name: kill-server, every: 1s}]")
        workload = parse_workload(text, "w.yaml", InstalledVocabulary(registry))
        assembled = assemble(replace(workload), registry)
        with assembled.adapter.open(None) as database:
            said[options] = cautions(assembled.faults, database)
    assert said.pop(SAFE) == ()
    assert all("acknowledged" in sentences[0] for sentences in said.values())
    assert "synchronous_commit and fsync are off" in said["fsync: false"][0]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="lists the server's processes")
def test_no_process_of_a_killed_server_stays_behind() -> None:
    with launch() as server:
        before = server.processes()
        assert server.kill() == len(before) > 3
        assert not any(Path(f"/proc/{pid}").exists() and state(pid) != "Z" for pid in before)
        server.start()
        assert server.running()


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
