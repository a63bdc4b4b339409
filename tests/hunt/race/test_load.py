"""Load beside the clients ends with the hunt."""

from __future__ import annotations

import subprocess

import pytest

from txfuzz.hunt.race import load
from txfuzz.hunt.race.load import Load


def test_processes_run_until_it_is_closed() -> None:
    with Load(2) as running:
        assert running.running == 2
        own = list(running._processes)
    assert all(each.returncode == 0 for each in own)
    assert running.running == 0


def test_a_process_ends_with_whoever_started_it() -> None:
    process = load._started()
    assert process.stdin is not None
    process.stdin.close()  # as the system does for a process that is killed
    assert process.wait(10) == 0


def test_one_that_does_not_end_by_itself_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Load(0) as running:
        stubborn = subprocess.Popen(["sleep", "60"], stdin=subprocess.PIPE)
        running._processes.append(stubborn)
        monkeypatch.setattr(load, "_PATIENCE", 0.1)
    assert stubborn.returncode == -9
