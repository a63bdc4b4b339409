"""What works where the system is not Linux, as far as that can be tried by taking away what is not there."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pages import ROOT

pytestmark = pytest.mark.slow

WORKLOAD = """version: 1
name: skew
database: {{adapter: {adapter}}}
expect: serializable
workload:
  transactions:
    - name: read_one_write_the_other
      steps:
        - {{f: r, key: {{choice: {{from: [1, 2]}}, as: seen}}}}
        - {{f: append, key: {{choice: {{from: [1, 2]}}}}}}
scheduling: {{clients: 3, transactions: 60}}
"""
SYSTEMS = ("win32", "darwin")
ASKED = (
    "run",
    "--config",
    "w.yaml",
    "--iterations",
    "1",
    "--no-small-scope",
    "--max-graph-nodes",
    "0",
    "--output-dir",
    "out",
)


def on(system: str, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, str(ROOT / "tests/support/other_system.py"), system, *arguments],
        cwd=place, env={**kept, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_campaign_on_a_database_in_process(system: str, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD.format(adapter="sqlite"))
    ran = on(system, tmp_path, *ASKED)
    assert ran.returncode in (0, 3), ran.stderr  # 3: too few clients met for a verdict
    assert "skew · SQLite " in ran.stderr
    history = (tmp_path / "out/iter_00/history.edn").read_bytes()
    assert history.count(b"\n") > 100
    assert b"\r" not in history
    assert list(tmp_path.glob("txfuzz-sqlite-*")) == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_embedded_server_is_refused_with_the_remedy(system: str, tmp_path: Path) -> None:
    remedy = "an embedded server runs on Linux only; give the URL of a server with --database-url"
    ran = on(system, tmp_path, "doctor")
    assert ran.returncode == 0, ran.stderr  # those in process are ready
    assert f"postgres: PostgreSQL: {remedy}\n" in ran.stdout
    assert f"mariadb: MariaDB: {remedy}\n" in ran.stdout
    assert "sqlite: ready\n" in ran.stdout
    (tmp_path / "w.yaml").write_text(WORKLOAD.format(adapter="postgres"))
    ran = on(system, tmp_path, *ASKED)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr == f"txfuzz: PostgreSQL: {remedy}\n"


def test_a_directory_is_locked_on_windows_too(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD.format(adapter="memory"))
    (tmp_path / "out").mkdir()
    with open(tmp_path / "out/.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = on("win32", tmp_path, *ASKED)
    assert "another campaign is running there" in ran.stderr
    assert ran.returncode == 2


def test_a_runner_needs_a_shell(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD.format(adapter="memory"))
    ran = on("win32", tmp_path, *ASKED, "--runner-cmd", "true")
    assert ran.returncode == 2
    assert "--runner-cmd true needs a POSIX shell, which Windows does not have" in ran.stderr
