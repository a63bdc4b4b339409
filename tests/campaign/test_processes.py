"""Campaigns as processes: Ctrl-C, kill -9, a dead server, and two at the same time leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from txfuzz.history.reader import read_history

pytestmark = [pytest.mark.server, pytest.mark.slow]

LONG = """version: 1
name: long
database: {adapter: postgres, isolation: repeatable read}
expect: serializable
workload:
  transactions:
    - name: t
      steps:
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: k}}
        - {f: append, key: {choice: {from: [1, 2, 3]}, distinct_from: [k]}}
scheduling: {clients: 4, duration: 60s}
"""


class Campaign:
    """A `txfuzz run` under way, and what it started."""

    def __init__(self, directory: Path, *more: str) -> None:
        self.directory = directory
        directory.mkdir()
        (directory / "long.yaml").write_text(LONG)
        self.temporary = directory / "tmp"
        self.temporary.mkdir(mode=0o777)
        self.temporary.chmod(0o777)
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "txfuzz", "run", "--config", "long.yaml", "--output-dir", "out", *more],
            cwd=directory,
            env={**environment, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def history(self) -> Path:
        return self.directory / "out" / "iter_00" / "history.edn"

    def wait_for_operations(self, count: int) -> None:
        def enough() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            return self.history.exists() and self.history.read_bytes().count(b"\n") > count

        wait_until(enough)

    def started(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def server(self) -> psutil.Process:
        """The server's own first process."""
        found = [each for each in self.started() if each.name() in ("postgres", "postmaster")]
        return min(found, key=lambda each: each.create_time())


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Callable[..., Campaign]]:
    made: list[Campaign] = []

    def start(name: str = "one", *more: str) -> Campaign:
        tmp_path.chmod(0o755)
        made.append(Campaign(tmp_path / name, *more))
        return made[-1]

    yield start
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate(timeout=20)


def gone(processes: list[psutil.Process], directory: Path) -> None:
    """Nothing is left running, and nothing of the server's data is left."""
    wait_until(lambda: not any(each.is_running() and each.status() != "zombie" for each in processes), 15)
    wait_until(lambda: not list(directory.iterdir()), 15)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_soon_with_an_analysis(campaign: Callable[..., Campaign], number: int) -> None:
    one = campaign()
    one.wait_for_operations(200)
    started = one.started()
    one.process.send_signal(number)
    out, err = one.process.communicate(timeout=30)
    assert one.process.returncode == 130
    assert "Traceback" not in err
    assert "artefacts: out" in out
    history = read_history(one.history)
    assert not history.warnings
    assert (history.complete_at >= 0).all()
    assert json.loads((one.directory / "out/campaign.json").read_text())["state"] == "interrupted"
    assert json.loads((one.directory / "out/iter_00/analysis.json").read_text())["transactions"] == len(
        history
    )
    gone(started, one.temporary)


def test_kill_9_loses_at_most_a_line_and_leaves_nothing(campaign: Callable[..., Campaign]) -> None:
    one = campaign()
    one.wait_for_operations(200)
    started = one.started()
    one.process.kill()
    one.process.communicate(timeout=30)
    history = read_history(one.history)
    assert len(history) >= 90
    gone(started, one.temporary)


def test_a_server_that_dies_ends_the_campaign_with_a_sentence(campaign: Callable[..., Campaign]) -> None:
    one = campaign()
    one.wait_for_operations(200)
    started = one.started()
    one.server().kill()
    _, err = one.process.communicate(timeout=60)
    assert one.process.returncode in (1, 4)  # 1: it had found something before
    assert "Traceback" not in err
    history = read_history(one.history)
    assert (history.complete_at >= 0).all()
    assert (one.directory / "out/iter_00/analysis.json").exists()
    gone(started, one.temporary)


def test_two_campaigns_at_the_same_time(campaign: Callable[..., Campaign]) -> None:
    both = [campaign(name, "--iterations", "1", "--expect", "snapshot-isolation") for name in ("one", "two")]
    for each in both:
        each.wait_for_operations(500)
    started = [process for each in both for process in each.started()]
    assert both[0].server() != both[1].server()
    for each in both:
        each.process.send_signal(signal.SIGINT)
    for each in both:
        out, err = each.process.communicate(timeout=30)
        assert each.process.returncode == 130, err
        assert "nothing found" in out
        gone(started, each.temporary)
