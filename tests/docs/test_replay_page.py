"""docs/how-to/replay.md: its commands, as one script that stops at the first one that fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pages import ROOT, script_of_replay


@pytest.mark.server
@pytest.mark.slow
def test_a_script_can_run_the_commands_after_the_demo(tmp_path: Path) -> None:
    lines = re.findall(r"^    (\S.*)$", script_of_replay(), re.M)
    commands = [line for line in lines if line.startswith("txfuzz ")]
    assert len(commands) == 5
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "txfuzz").write_text(f'#!/bin/sh\nexec {sys.executable} -m txfuzz "$@"\n')
    (bin / "txfuzz").chmod(0o755)
    # Two iterations and one finding are enough: the commands name iter_01 and the campaign
    shorter = [line.replace("shrink runs/demo", "shrink runs/demo --findings 1") for line in commands]
    demo = "txfuzz run --iterations 2 --output-dir runs/demo || [ $? -eq 1 ]"
    script = "\n".join(["set -eu", demo, *shorter, "echo all of them"])
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**kept, "PATH": f"{bin}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    assert ran.stdout.endswith("all of them\n")
    assert "Write skew (G2-item)" in ran.stdout
    assert (tmp_path / "runs" / "demo" / "report.html").exists()
