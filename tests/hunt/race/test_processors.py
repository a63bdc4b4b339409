"""Sessions of a race on one processor, and everything back where it was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from txfuzz.hunt.race.processors import Placement, placed, placements, processors, resume, stop, stoppable

pytestmark = pytest.mark.skipif(len(processors()) < 2, reason="it takes two processors")


class Served:
    def __init__(self, number: int | None) -> None:
        self.number = number

    def process(self) -> int | None:
        return self.number


@pytest.fixture
def process() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running.pid
        running.communicate(b"\n")


def test_together_is_one_processor_that_is_not_ours(process: int) -> None:
    before = os.sched_getaffinity(0)
    with placed([Served(process)], Placement.TOGETHER):  # type: ignore[list-item]  # all that is asked of it
        there, ours = os.sched_getaffinity(process), os.sched_getaffinity(0)
        assert len(there) == 1
        assert not there & ours
    assert os.sched_getaffinity(0) == os.sched_getaffinity(process) == before


def test_free_moves_nobody(process: int) -> None:
    before = os.sched_getaffinity(process)
    with placed([Served(process)], Placement.FREE):  # type: ignore[list-item]
        assert os.sched_getaffinity(process) == before


def test_sessions_of_a_server_elsewhere_are_left_alone(process: int) -> None:
    assert placements([Served(process), Served(None)]) == (Placement.FREE,)  # type: ignore[list-item]
    assert placements([Served(process), object()]) == (Placement.FREE,)  # type: ignore[list-item]
    assert placements([Served(process)]) == tuple(Placement)  # type: ignore[list-item]


def state(process: int) -> str:
    """One letter: T where it is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def becomes(process: int, stopped: bool) -> bool:
    until = time.monotonic() + 10
    while (state(process) == "T") != stopped and time.monotonic() < until:
        time.sleep(0.001)
    return (state(process) == "T") == stopped


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it takes /proc")
def test_a_session_is_stopped_and_goes_on(process: int) -> None:
    stop(process)
    assert becomes(process, True)
    resume(process)
    assert becomes(process, False)
    resume(process)  # harmless


def test_only_processes_of_ours_are_stopped(process: int) -> None:
    assert stoppable([Served(process)])  # type: ignore[list-item]
    assert not stoppable([Served(process), Served(None)])  # type: ignore[list-item]
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert not stoppable([Served(ended.pid)])  # type: ignore[list-item]
    stop(ended.pid)  # the server has gone down: nothing to be done
