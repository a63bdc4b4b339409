"""An output that takes no more is never taken for a verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lost_update import LOST
from txfuzz.errors import ExitCode

ANALYZE = [sys.executable, "-m", "txfuzz", "analyze", "--skip-graph"]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "h.edn"
    path.write_text(LOST)
    return path


def test_the_history_is_invalid(history: Path) -> None:
    assert subprocess.run([*ANALYZE, history], capture_output=True).returncode == ExitCode.VIOLATED


def test_a_reader_that_has_gone(history: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([*ANALYZE, history], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (ExitCode.UNREAD, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_output(history: Path) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run([*ANALYZE, history], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == ExitCode.USAGE
    assert ran.stderr == "txfuzz: cannot write to stdout: No space left on device\n"
