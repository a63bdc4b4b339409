"""The fuzzer is killed, interrupted, or loses the place where it writes: nothing that was written is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from snapshots import steady
from txfuzz.campaign.events import CampaignStarted
from txfuzz.campaign.loop import run_campaign
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.resumed import resumed_settings
from txfuzz.errors import UsageError
from txfuzz.history.reader import read_history

WORKLOAD = """\
version: 1
name: small
database: {adapter: postgres, isolation: repeatable read}
expect: serializable
seed: 5
workload:
  transactions:
    - name: probe
      steps:
        - {f: r, key: {choice: {range: [1, 40]}, as: a}}
        - {f: r, key: {choice: {range: [1, 40]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: b}}
scheduling: {clients: 4, %s}
"""
MEMORY = """\
version: 1
name: small
database: {adapter: dictionary, isolation: locked}
seed: 5
workload:
  transactions:
    - name: add
      steps:
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 3, transactions: 120, barrier_every: 5}
"""


# -- without a server ---------------------------------------------------------------------


@pytest.fixture
def memory(site, tmp_path: Path) -> Path:
    site.add_third()
    path = tmp_path / "small.yaml"
    path.write_text(MEMORY)
    return path


def asked(place: Path) -> list[str]:
    """What the clients were asked to do, whoever of them did it and when, without the final reads."""
    lines = (place / "history.edn").read_text().splitlines()
    return sorted(line.partition(":txn ")[2] for line in lines if ':txn "add"' in line)


def killed(directory: Path) -> Path:
    """The record as it was before the last iteration ended."""
    record = json.loads((directory / "campaign.json").read_text())
    record["state"] = "running"
    record["iterations"] = record["iterations"][:1]
    (directory / "campaign.json").write_text(json.dumps(record))
    return directory


def cut_short(place: Path) -> int:
    """As if the fuzzer had been killed in the middle of the iteration: half a history and nothing else."""
    for path in place.iterdir():
        if path.is_file() and path.name not in ("history.edn", "workload.yaml"):
            path.unlink()
    data = (place / "history.edn").read_bytes()
    half = len(data) // 2
    (place / "history.edn").write_bytes(data[:half])
    return half


@pytest.mark.slow
def test_a_killed_campaign_goes_on_as_it_would_have(memory: Path, tmp_path: Path) -> None:
    whole = run_campaign(workload=memory, iterations=4, output=tmp_path / "whole")
    place = killed(shutil.copytree(whole.directory, tmp_path / "killed"))
    half = cut_short(place / "iter_02")
    shutil.rmtree(place / "iter_03")
    kept = (place / "iter_02" / "history.edn").read_bytes()
    settings = resumed_settings(place)
    assert (settings.iterations, settings.output, settings.resume) == (4, place, True)
    again = run_campaign(settings)
    assert [each.number for each in again.iterations] == [0, 1, 2, 3]
    assert (place / "iter_02" / "history.edn").read_bytes() == kept
    assert len(kept) == half
    assert again.iterations[2].execution is None
    assert again.iterations[1].execution is not None
    assert again.iterations[1].execution.ok == whole.iterations[1].execution.ok
    for number in (0, 1):
        assert again.iterations[number].workload == whole.iterations[number].workload
        assert again.iterations[number].decisions == whole.iterations[number].decisions
    assert again.iterations[3].workload.seed == whole.iterations[3].workload.seed
    record = json.loads((place / "campaign.json").read_text())
    assert record["state"] == "ended"
    assert [each["iteration"] for each in record["iterations"]] == [0, 1, 2, 3]
    for name in ("analysis.json", "decisions.json", "minimal_dependency_graph.png"):
        assert (place / "iter_02" / name).exists()


@pytest.mark.slow
def test_killed_between_two_iterations_asks_what_it_would_have_asked(memory: Path, tmp_path: Path) -> None:
    whole = run_campaign(workload=memory, iterations=3, output=tmp_path / "whole", open_loop=True)
    place = killed(shutil.copytree(whole.directory, tmp_path / "killed"))
    shutil.rmtree(place / "iter_02")
    run_campaign(resumed_settings(place))
    assert len(asked(place / "iter_02")) == 120
    assert asked(place / "iter_02") == asked(whole.directory / "iter_02")


def test_a_strategy_learns_within_the_workload_that_was_asked_for(memory: Path, tmp_path: Path) -> None:
    """It narrows the keys before the first iteration, and may widen them again, now as before."""
    asked_for = MEMORY.replace("from: [1, 2, 3]", "range: [1, 400]")
    memory.write_text(asked_for)
    whole = run_campaign(workload=memory, iterations=2, output=tmp_path / "whole", strategy="learning")
    assert len(whole.iterations[0].workload.logical_keys()) < 400
    place = killed(shutil.copytree(whole.directory, tmp_path / "killed"))
    shutil.rmtree(place / "iter_01")
    setup = []

    def note(event: object) -> None:
        if isinstance(event, CampaignStarted):
            setup.append(event.workload)

    again = run_campaign(resumed_settings(place), subscriber=note)
    assert len(setup[0].logical_keys()) == 400
    assert again.iterations[0].workload == whole.iterations[0].workload
    assert again.iterations[1].workload == whole.iterations[1].workload


@pytest.mark.slow
def test_killed_before_the_first_operation(memory: Path, tmp_path: Path) -> None:
    whole = run_campaign(workload=memory, iterations=2, output=tmp_path / "whole")
    for name in ("iter_00", "iter_01"):
        shutil.rmtree(whole.directory / name)
    (whole.directory / "iter_00").mkdir()
    (whole.directory / "iter_00" / "history.edn").touch()
    again = run_campaign(resumed_settings(killed(whole.directory)))
    assert [each.result.committed for each in again.iterations] == [
        each.result.committed for each in whole.iterations
    ]


def test_what_cannot_be_resumed(memory: Path, tmp_path: Path, txfuzz, snapshot: SnapshotAssertion) -> None:
    def refusal(directory: Path, **fields: Any) -> str:
        with pytest.raises(UsageError) as refused:
            resumed_settings(directory, **fields)
        return steady(str(refused.value), paths={"tmp": tmp_path})

    assert refusal(tmp_path) == snapshot(name="no campaign")
    done = run_campaign(workload=memory, iterations=2, output=tmp_path / "done").directory
    assert refusal(done) == snapshot(name="ended")
    assert resumed_settings(done, iterations=3).iterations == 3
    record = json.loads((done / "campaign.json").read_text())
    record["arguments"]["database_url"] = True
    (done / "campaign.json").write_text(json.dumps(record))
    assert refusal(done, iterations=3) == snapshot(name="needs its URL")
    assert resumed_settings(done, iterations=3, database_url="x://").database_url == "x://"
    (done / "campaign.json").write_text("{")
    assert "campaign.json: cannot be read" in refusal(done)
    ran = txfuzz("run", "--resume", done, "--seed", 3)
    assert (ran.code, ran.err) == (2, "txfuzz: --resume takes --seed from the campaign; omit it\n")


def test_a_campaign_grows_longer(memory: Path, tmp_path: Path, txfuzz) -> None:
    assert txfuzz("run", "--config", memory, "--iterations", 2, "--output-dir", "out").code == 0
    assert txfuzz("run", "--resume", "out", "--iterations", 3).code == 0
    assert (tmp_path / "out" / "iter_02" / "analysis.json").exists()
    assert len((tmp_path / "out" / "progress.csv").read_text().splitlines()) == 4


def test_every_argument_is_stored_but_the_url() -> None:
    settings = CampaignSettings(workload="w", iterations=7, database_url="x://u:secret@h", seed=3)
    data = settings.as_data()
    assert data["database_url"] is True
    assert "secret" not in json.dumps(data)
    assert {name: data[name] for name in ("workload", "iterations", "seed")} == {
        "workload": "w",
        "iterations": 7,
        "seed": 3,
    }


# -- with one -----------------------------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="txfuzz-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "txfuzz", *map(str, arguments)],
            cwd=place,
            env={**os.environ, "TMPDIR": str(temporary(place))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def temporary(place: Path) -> Path:
    """A directory that the server may enter, in which we see what it leaves behind."""
    place.chmod(0o755)
    path = place / "tmp"
    path.mkdir(mode=0o777, exist_ok=True)
    path.chmod(0o777)
    return path


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def workload(place: Path, stop: str) -> Path:
    path = place / "w.yaml"
    path.write_text(WORKLOAD % stop)
    return path


@pytest.mark.server
def test_kill_9_leaves_a_readable_history_and_nothing_else_and_resume_goes_on(place: Path, start) -> None:
    path = workload(place, "duration: 20s")
    process = start("run", "--config", path, "--iterations", 2, "--output-dir", "out", "--max-graph-nodes", 0)
    history = place / "out" / "iter_00" / "history.edn"
    assert eventually(lambda: size(history) > 60_000)
    assert list((place / "tmp").glob("txfuzz-pg-*"))
    process.kill()
    assert eventually(lambda: not list((place / "tmp").glob("txfuzz-pg-*")))
    kept = history.read_bytes()
    assert len(read_history(history)) > 50
    (place / "out" / "iter_00" / "workload.yaml").write_text(
        (place / "out" / "iter_00" / "workload.yaml").read_text().replace("duration: 20s", "duration: 0.5")
    )
    _, said = (resumed := start("run", "--resume", "out")).communicate(timeout=60)
    assert resumed.returncode in (0, 1), said
    assert "out/iter_00 was cut short: analysing what its history has" in said
    assert history.read_bytes() == kept
    record = json.loads((place / "out" / "campaign.json").read_text())
    assert record["state"] == "ended"
    assert [each["iteration"] for each in record["iterations"]] == [0, 1]
    assert all(each["committed"] > 20 for each in record["iterations"])


@pytest.mark.flaky(reruns=2)
@pytest.mark.server
def test_ctrl_c_ends_with_a_whole_history_and_its_analysis(place: Path, start) -> None:
    path = workload(place, "duration: 60s")
    process = start("run", "--config", path, "--iterations", 2, "--output-dir", "out", "--max-graph-nodes", 0)
    history = place / "out" / "iter_00" / "history.edn"
    assert eventually(lambda: size(history) > 60_000)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    read = read_history(history)
    assert (read.complete_at >= 0).all()
    assert not read.warnings
    assert (place / "out" / "iter_00" / "analysis.json").exists()
    assert json.loads((place / "out" / "campaign.json").read_text())["state"] == "interrupted"
    assert not (place / "out" / "iter_01").exists()


@pytest.mark.slow
@pytest.mark.server
def test_ctrl_c_while_the_server_stands_still(place: Path, start) -> None:
    path = workload(place, "duration: 60s")
    path.write_text(path.read_text() + "faults: [{name: pause-server, at: 0.2s, seconds: 50}]\n")
    process = start("execute", "--config", path, "--out", "h.edn")
    assert eventually(
        lambda: ":f :pause-server" in ((place / "h.edn").read_text() if size(place / "h.edn") else "")
    )
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert ":phase :healed" in (place / "h.edn").read_text()
    assert (read_history(place / "h.edn").complete_at >= 0).all()


@pytest.mark.server
@pytest.mark.slow
def test_an_output_directory_that_vanishes(place: Path, start) -> None:
    path = workload(place, "duration: 60s")
    process = start("run", "--config", path, "--output-dir", "out")
    assert eventually(lambda: size(place / "out" / "iter_00" / "history.edn") > 60_000)
    shutil.rmtree(place / "out")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    found = re.search(
        r"out/iter_00: the directory disappeared during the run; .* history was saved as (\S+)$", said.strip()
    )
    assert found, said
    assert len(read_history(Path(found[1]))) > 50


@pytest.mark.slow
@pytest.mark.server
def test_an_output_directory_that_is_moved(place: Path, start) -> None:
    path = workload(place, "duration: 60s")
    process = start("run", "--config", path, "--output-dir", "out")
    assert eventually(lambda: size(place / "out" / "iter_00" / "history.edn") > 60_000)
    (place / "out").rename(place / "moved")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    moved = place / "moved" / "iter_00" / "history.edn"
    assert f"the history was moved to {moved}" in said
    assert len(read_history(moved)) > 50


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A file system with room for 300 kB."""
    disk = place / "disk"
    disk.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk],
            capture_output=True,
            timeout=20,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("may not mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", disk], timeout=20, check=True)


@pytest.mark.slow
@pytest.mark.server
def test_a_disk_that_is_full(place: Path, small_disk: Path, start) -> None:
    process = start("run", "--config", workload(place, "duration: 60s"), "--output-dir", "disk/out")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    history = small_disk / "out" / "iter_00" / "history.edn"
    last = said.strip().splitlines()[-1]
    assert re.fullmatch(
        r"txfuzz: disk/out/iter_00/history\.edn: No space left on device; "
        r"the first [\d,]+ operations are written",
        last,
    ), said
    read = read_history(history)
    assert not read.warnings
    assert f"{read.operations:,} operations" in last
    assert json.loads((small_disk / "out" / "campaign.json").read_text())["workload"] == "small"
