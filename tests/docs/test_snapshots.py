"""Snapshots contain what was recorded and nothing else, on any machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from snapshots import steady
from txfuzz import __version__

MODULE = "def test_said(snapshot):\n    assert 'something new' == snapshot\n"


def test_what_differs_from_run_to_run_is_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    said = f"txfuzz {__version__}: {run}/a.edn beside {tmp_path}/b, 2026-11-29 20:31:24 UTC, 1.25 s and 3 ms"
    assert steady(said, paths={"tmp": tmp_path, "run": run}) == (
        "txfuzz <VERSION>: <RUN>/a.edn beside <TMP>/b, <TIME>, <DURATION> and <DURATION>"
    )
    assert steady("in 30 s, 10.1.0 and 3 msgs", times=False) == "in 30 s, 10.1.0 and 3 msgs"


@pytest.mark.parametrize("workers", [[], ["-n2", "--dist", "loadfile"]], ids=["one process", "two workers"])
@pytest.mark.slow
def test_a_snapshot_that_is_missing_fails_and_is_not_made(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_new.py").write_text(MODULE)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 1, ran.stdout
    assert "1 failed" in ran.stdout
    assert not (tmp_path / "__snapshots__").exists()
    renewed = subprocess.run(
        [*command, "--snapshot-update"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert renewed.returncode == 0, renewed.stdout
    assert "something new" in (tmp_path / "__snapshots__" / "test_new.ambr").read_text()
