"""Sessions of a race on one processor, and everything back where it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from txfuzz.hunt.race.processors import Placement, placed, placements, processors

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
