"""Workers of a Dask cluster: whatever happens to one of them costs a slice, and is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from counting_jobs import CountingJob, CountingSlices
from txfuzz import Verdict, run_campaign
from txfuzz.campaign.hunt.hunt import hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.campaign.iterations.soak import CameOut, Round, SoakJob
from txfuzz.campaign.setup.resolve import InstalledVocabulary
from txfuzz.campaign.workers import versions
from txfuzz.campaign.workers.cluster import Cluster
from txfuzz.campaign.workers.coordinator import Limits
from txfuzz.campaign.workers.engines import Workers
from txfuzz.campaign.workers.independent import Independent, Part
from txfuzz.errors import DatabaseUnavailable, UsageError
from txfuzz.hunt.hunt import Budget
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.model import DatabaseChoice, DatabaseSpec, Scheduling
from txfuzz.workload.shipped import shipped_workloads
from txfuzz.workload.yaml.reader import read_workload

distributed = pytest.importorskip("distributed", reason="the package distributed is not installed")

NUMBERS = list(range(12))
SKEW = """version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: serializable
seed: 3
workload:
  transactions:
    - name: left
      steps: [{f: r, key: {choice: {range: [1, 4]}}}, {f: append, key: {choice: {range: [1, 4]}}}]
    - name: right
      steps: [{f: append, key: {choice: {range: [1, 4]}}}, {f: r, key: {choice: {range: [1, 4]}}}]
scheduling: {clients: 4, transactions: 100, barrier_every: 5}
"""
FEW = Scheduling(8, 400, None)
SOON = Limits(patience=1.0, leaving=1.0)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        yield local


def test_each_number_is_told_once(cluster: Any) -> None:
    slices, engine = CountingSlices(12, 3), Cluster(cluster.scheduler_address)
    assert engine.size == 2
    engine.run(CountingJob(), slices)
    assert sorted(slices.done) == NUMBERS
    assert slices.losses == []


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("die", "was lost: it was ended by SIGKILL"),
        ("exit", "was lost: it exited with code 7"),
        ("raise", "was lost: ValueError: two"),
        ("hang", "was lost: it has said nothing for 1 s"),
    ],
)
def test_a_lost_process_costs_nothing_that_was_told(
    cluster: Any, tmp_path: Path, what: str, told: str
) -> None:
    slices = CountingSlices(12, 6)
    Cluster(cluster.scheduler_address, limits=SOON).run(CountingJob({4: what}, tmp_path), slices)
    assert sorted(slices.done) == NUMBERS
    [sentence] = slices.losses
    assert sentence.startswith("worker tcp://")
    assert sentence.endswith(told)


def test_what_no_worker_can_open_is_said_as_it_is(cluster: Any) -> None:
    with pytest.raises(UsageError, match=r"^there is no such level$"):
        Cluster(cluster.scheduler_address).run(CountingJob(opens="usage"), CountingSlices(4, 2))


def test_when_it_is_enough_workers_end_and_clean_up(cluster: Any, tmp_path: Path) -> None:
    slices = CountingSlices(10_000, 5_000, most=20)
    Cluster(cluster.scheduler_address).run(CountingJob(once=tmp_path, pause=0.001), slices)
    assert 20 <= len(slices.done) < 5_000
    until = time.monotonic() + 10
    while len(list(tmp_path.glob("closed *"))) < 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert list(tmp_path.glob("closed *"))


@pytest.mark.slow
def test_a_machine_that_is_lost_costs_its_slice(cluster: Any) -> None:
    """Dask's own workers are killed, and with them what runs there; then others come."""
    slices, killed = CountingSlices(100, 100), list[int]()
    with distributed.Client(cluster.scheduler_address) as client:
        pids = client.run(os.getpid)
    told = slices.told

    def kill(asked: Any, news: Any) -> None:
        told(asked, news)
        if not killed:
            killed.extend(pids.values())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    slices.told = kill  # type: ignore[method-assign]
    Cluster(cluster.scheduler_address, 1).run(CountingJob(pause=0.01), slices)
    assert sorted(slices.done) == list(range(100))
    assert slices.losses[0].endswith("was lost: it has left the Dask scheduler")


def test_a_worker_with_another_version_is_refused_by_name(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = versions.installed_versions()
    monkeypatch.setattr(versions, "installed_versions", _Older({**here, "txfuzz-sqlite": "0.0.1"}))
    said: list[str] = []
    with pytest.raises(UsageError, match=r"the worker tcp://\S+ is refused: it has txfuzz-sqlite") as refused:
        Cluster(cluster.scheduler_address, say=said.append).run(CountingJob(), CountingSlices(4, 2))
    assert str(refused.value).endswith(f"{here['txfuzz-sqlite']}, which is 0.0.1 here")
    assert len(said) == 2


class _Older:
    """What is installed here; asked on a worker, it is what is installed there."""

    def __init__(self, here: dict[str, str]) -> None:
        self._here = here

    def __call__(self) -> dict[str, str]:
        return self._here

    def __reduce__(self) -> Any:
        return _really, ()


def _really() -> Any:
    return versions.installed_versions


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        ({"txfuzz-core": "1"}, {"txfuzz-core": "1"}, ""),
        (
            {"txfuzz-core": "2", "a": "2"},
            {"txfuzz-core": "1", "a": "1"},
            "it has txfuzz-core 1, which is 2 here",
        ),
        ({"txfuzz-core": "1", "a": "2"}, {"txfuzz-core": "1", "a": "1"}, "it has a 1, which is 2 here"),
        ({"txfuzz-core": "1", "a": "2"}, {"txfuzz-core": "1"}, "it has no a, which is 2 here"),
        ({"txfuzz-core": "1"}, {"txfuzz-core": "1", "a": "2"}, "it has a 2, which is not installed here"),
        ({"txfuzz-core": "1"}, {}, "it has no txfuzz-core, which is 1 here"),
    ],
)
def test_versions_differ_by_name(here: dict[str, str], there: dict[str, str], said: str) -> None:
    assert versions.difference(here, there) == said


@contextmanager
def running(*command: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A part of Dask in a process of its own, which is killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_connection_to_the_scheduler_is_cut(tmp_path: Path) -> None:
    """A scheduler and a worker of their own, of which the scheduler is killed."""
    place = tmp_path / "scheduler.json"
    plain = ("--no-dashboard", "--host", "127.0.0.1")
    with running(
        "distributed.cli.dask_scheduler", *plain, "--port", "0", "--scheduler-file", str(place)
    ) as scheduler:
        until = time.monotonic() + 30
        while not place.exists() and time.monotonic() < until:
            time.sleep(0.05)
        address = json.loads(place.read_text())["address"]
        slices = CountingSlices(100_000, 100_000)
        told = slices.told

        def cut(asked: Any, news: Any) -> None:
            told(asked, news)
            scheduler.kill()

        slices.told = cut  # type: ignore[method-assign]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with (
            running("distributed.cli.dask_worker", address, *plain, "--nthreads", "1", "--no-nanny",
                    "--local-directory", str(tmp_path), env=env),
            pytest.raises(DatabaseUnavailable, match=r"connection to the Dask scheduler at .* was lost"),
        ):  # fmt: skip
            Cluster(address).run(CountingJob(pause=0.01), slices)


def test_an_address_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("txfuzz.campaign.workers.cluster.CONNECTING", 1.0)
    with pytest.raises(DatabaseUnavailable, match=r"no Dask scheduler answers at tcp://127\.0"):
        Cluster("tcp://127.0.0.1:9").run(CountingJob(), CountingSlices(4, 2))


def test_a_campaign_runs_there_and_keeps_the_histories_that_show_something(
    cluster: Any, tmp_path: Path
) -> None:
    path, out = tmp_path / "w.yaml", tmp_path / "out"
    path.write_text(SKEW)
    result = run_campaign(workload=path, iterations=3, output=out, dask=cluster.scheduler_address, lean=True)
    assert [each.number for each in result.iterations] == [0, 1, 2]
    assert json.loads((out / "campaign.json").read_text())["workers"] == 2
    assert result.verdict is Verdict.INVALID
    for each in result.iterations:
        shows = each.verdict is Verdict.INVALID
        assert (each.path / "history.edn").exists() == shows
        assert (each.path / "feedback.json").exists() != shows


def test_a_hunt_runs_the_same_programs_there(cluster: Any) -> None:
    small = HuntSettings(
        "sqlite", "systematic", forms=("select", "update"), layouts=("plain",), each=2, seed=3
    )
    alone = hunt(small, Budget())
    there = hunt(small, Budget(), workers=Workers(dask=cluster.scheduler_address))
    assert there.result.exhausted
    assert there.result.covered == alone.result.covered
    assert there.result.counts.schedules == alone.result.counts.schedules


def test_rounds_of_a_soak_test_bring_the_histories_of_findings(cluster: Any) -> None:
    """One of a database that keeps its promise, one of a database that does not."""
    path = shipped_workloads()[0][1]
    read = read_workload(path, InstalledVocabulary(load_plugins()), DatabaseChoice("memory", None))
    rounds = [
        Round(replace(read, database=DatabaseSpec("memory", options=options), scheduling=FEW), "none", number)
        for number, options in enumerate(({}, {"defects": ("lost-update",)}), 1)
    ]
    came: dict[int, CameOut] = {}

    def ended(part: Part[Round], news: CameOut) -> None:
        came[part.what.number] = news

    slices = Independent[Round, CameOut](rounds, on_ended=ended)
    job = SoakJob("serializable", "strict-serializable")
    Workers(dask=cluster.scheduler_address).engine().run(job, slices)
    assert came[1].verdict is Verdict.VALID
    assert (came[1].wrong, came[1].shapes, came[1].history) == ("", frozenset(), b"")
    assert came[2].verdict is Verdict.INVALID
    assert came[2].wrong  # a defect lets more than one anomaly through: which of them is up to the crowd
    assert came[2].shapes
    assert b":type :invoke" in zlib.decompress(came[2].history)
