"""An exit code is what the command has come to, whatever plugins and streams do meanwhile."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lost_update import LOST
from project_fixtures import Ran

Cli = Callable[..., Ran]
CASES = Path(__file__).parents[2] / "tests" / "cases" / "hardening"
TXFUZZ = [sys.executable, "-m", "txfuzz"]
CLEAN = """version: 1
name: clean
database: {adapter: memory, isolation: serializable}
workload:
  transactions:
    - {name: a, steps: [{f: r, key: {choice: {range: [1, 9]}, as: k}}, {f: append, key: {ref: k}}]}
scheduling: {clients: 3, transactions: 60}
"""
PLUGIN = """
import os, signal, sys, time, threading
from dataclasses import dataclass
from typing import ClassVar
from txfuzz import hookimpl

@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"
    def analyze(self, history, expect):
        {body}

@hookimpl
def txfuzz_register_analyzers():
    return [Bad]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "lost.edn").write_text(LOST)
    (tmp_path / "clean.yaml").write_text(CLEAN)
    return tmp_path


def txfuzz(*arguments: object, **how) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TXFUZZ, *map(str, arguments)], capture_output=True, text=True, timeout=60, **how)


def case(name: str, *more: object, config: str = "") -> subprocess.CompletedProcess[str]:
    return txfuzz(
        "run", "--config", CASES / f"{config or name}.yaml", "--plugin-file", CASES / f"{name}.py",
        "--output-dir", "out", "--iterations", 1, "--max-graph-nodes", 0, "-q", *more,
    )  # fmt: skip


def state() -> str:
    return str(json.loads(Path("out/campaign.json").read_text())["state"])


# -- the process ends from within -----------------------------------------------------------


def test_a_plugin_that_ends_the_process_is_no_verdict(place: Path) -> None:
    ran = case("ends_the_process")
    assert ran.returncode == 2
    assert ran.stderr.startswith("txfuzz: the process exited with code 0 during analyzer 'bad' before the")
    assert state() == "running"
    told = txfuzz("report", "--exit-code", "out", "--format", "markdown")
    assert told.returncode == 3
    assert "the campaign was killed" in told.stdout


@pytest.mark.parametrize("code", [0, 1, 3])
def test_whatever_code_it_ends_with(code: int, place: Path) -> None:
    (place / "bad.py").write_text(PLUGIN.format(body=f"os._exit({code})"))
    ran = txfuzz("analyze", "lost.edn", "--skip-graph", "--plugin-file", "bad.py")
    assert ran.returncode == 2
    assert f"exited with code {code} during analyzer 'bad'" in ran.stderr


def test_a_signal_from_within_ends_the_parent_alike(place: Path) -> None:
    (place / "bad.py").write_text(PLUGIN.format(body="os.kill(os.getpid(), signal.SIGABRT)"))
    ran = txfuzz("analyze", "lost.edn", "--skip-graph", "--plugin-file", "bad.py")
    assert ran.returncode == -signal.SIGABRT
    assert ran.stderr == "txfuzz: ended by SIGABRT during analyzer 'bad'\n"


def test_a_thread_that_is_left_behind_keeps_nobody(place: Path) -> None:
    start = time.monotonic()
    ran = case("leaves_threads")
    assert ran.returncode == 1  # it did find a write skew
    assert time.monotonic() - start < 30


# -- what plugins raise ---------------------------------------------------------------------


def test_a_panic_is_the_plugins(place: Path) -> None:
    ran = case("panics", config="ends_the_process")
    assert ran.returncode == 2
    assert "txfuzz: analyzer 'bad' failed: PanicException: rust panicked (plugin file " in ran.stderr
    assert state().startswith("failed: analyzer 'bad' failed: PanicException")


@pytest.mark.parametrize(
    "body",
    [
        "import click; raise click.exceptions.Exit(1)",
        "import click; raise click.exceptions.Exit(0)",
        "import click; raise click.ClickException('no')",
        "raise SystemExit(1)",
        "raise KeyboardInterrupt",
        "raise BrokenPipeError",
        "import asyncio; raise asyncio.CancelledError",
        "import pytest; pytest.skip('not today')",
        "raise GeneratorExit",
    ],
)
def test_nothing_that_it_raises_is_a_verdict(body: str, place: Path, txfuzz: Cli) -> None:
    (place / "lost.edn").write_text(LOST)
    (place / "bad.py").write_text(PLUGIN.format(body=body))
    ran = txfuzz("analyze", "lost.edn", "--skip-graph", "--plugin-file", "bad.py")
    assert ran.code == 2
    assert "analyzer 'bad' failed: " in ran.err
    assert "bad.py" in ran.err


def test_a_heuristic_that_raises_past_exception_leaves_the_verdict_alone(place: Path) -> None:
    ran = case("raises_base", "-v")
    assert ran.returncode == 1
    assert "heuristic 'bad' failed: Odd: \ufffd[31mboo" in (place / "out/iter_00/notes.md").read_text()
    assert "\x1b" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("body", ["raise PanicException('x')", "raise KeyboardInterrupt", "import os; 1 / 0"])
def test_a_file_that_raises_on_import(body: str, place: Path, txfuzz: Cli) -> None:
    (place / "bad.py").write_text(f"class PanicException(BaseException): pass\n{body}\n")
    ran = txfuzz("run", "--config", "clean.yaml", "--plugin-file", "bad.py")
    assert ran.code == 2
    assert "plugin file bad.py: importing it failed: " in ran.err


# -- streams --------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("closed", [False, True])
def test_the_verdict_needs_no_stderr(closed: bool, place: Path) -> None:
    redirected = "2>&-" if closed else "2>/dev/full"
    line = f"{sys.executable} -m txfuzz run --config clean.yaml --iterations 1 --output-dir out {redirected}"
    ran = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, text=True)
    assert ran.returncode == 0
    assert ran.stdout.startswith("nothing found: ")
    error = subprocess.run(["sh", "-c", f"{sys.executable} -m txfuzz analyze nowhere.edn {redirected}"])
    assert error.returncode == 2


def test_a_closed_stdout_is_said_before_anything_is_done(place: Path) -> None:
    line = f"{sys.executable} -m txfuzz run --config clean.yaml --output-dir out >&-"
    ran = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True)
    assert (ran.returncode, ran.stderr) == (
        2, "txfuzz: cannot write to stdout: it is closed\n",
    )  # fmt: skip
    assert not (place / "out").exists()


def test_a_name_that_is_not_utf8(place: Path) -> None:
    ran = subprocess.run(
        [*TXFUZZ, "run", "--config", "clean.yaml", "--output-dir", b"x\xff"], capture_output=True
    )
    assert ran.returncode == 2
    assert "the path 'x\ufffd' is not valid UTF-8" in ran.stderr.decode()


# -- signals --------------------------------------------------------------------------------

LONG = CLEAN.replace("transactions: 60", "duration: 60s")


def long_run(place: Path, **how) -> subprocess.Popen[bytes]:
    """A campaign whose clients are at work."""
    (place / "long.yaml").write_text(LONG)
    command = [*TXFUZZ, "run", "--config", "long.yaml", "--output-dir", "out", "--iterations", "3"]
    process = subprocess.Popen(command, **({"stdout": -1, "stderr": -1} | how))
    wait_for_operations(place)
    return process


def wait_for_operations(place: Path) -> None:
    history = place / "out/iter_00/history.edn"
    until = time.monotonic() + 30
    while not (history.exists() and history.stat().st_size > 1000):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_ends_in_order(number: int, place: Path) -> None:
    process = long_run(place)
    process.send_signal(number)
    out, err = process.communicate(timeout=40)
    assert process.returncode == 130
    assert err.count(b"stopping; analysing what was recorded") == 1
    assert b"nothing found: " in out
    assert err.endswith(b"interrupted after 1 of 3 iterations: txfuzz run --resume out goes on\n")
    assert state() == "interrupted"
    assert (place / "out/iter_00/analysis.json").exists()


def test_a_hunt_that_is_interrupted_says_how_it_goes_on(place: Path) -> None:
    process = subprocess.Popen(
        [*TXFUZZ, "hunt", "--adapter", "sqlite", "--output-dir", "out"], stdout=-1, stderr=-1
    )
    until = time.monotonic() + 30
    while not (place / "out/hunt.json").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=40)
    assert process.returncode == 130
    assert re.search(rb"interrupted after [\d,]+ schedules: txfuzz hunt --resume out goes on\n$", err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_before_there_is_anything_to_end_in_order(number: int, place: Path) -> None:
    (place / "slow.py").write_text("import time\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [*TXFUZZ, "run", "--config", "clean.yaml", "--plugin-file", "slow.py"], stdout=-1, stderr=-1
    )
    time.sleep(2.0)
    process.send_signal(number)
    time.sleep(0.6)
    process.send_signal(number)  # what is being imported cannot be ended in order
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err.endswith(b"txfuzz: interrupted\n")


def test_the_second_one_ends_at_once(place: Path) -> None:
    process = long_run(place)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)  # at the same moment: one request
    time.sleep(0.35)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - start < 5
    assert state() == "interrupted"


def test_ctrl_c_in_a_terminal_is_one_request(place: Path) -> None:
    """The terminal sends it to every process of the foreground, so it is not passed on."""
    (place / "long.yaml").write_text(LONG)
    pid, terminal = pty.fork()
    if pid == 0:
        command = [
            *TXFUZZ,
            "run",
            "--config",
            "long.yaml",
            "--output-dir",
            "out",
            "--plain",
            "--iterations",
            "1",
        ]
        os.execv(sys.executable, command)
    wait_for_operations(place)
    os.write(terminal, b"\x03")
    said = b""
    try:
        while piece := os.read(terminal, 4096):
            said += piece
    except OSError:
        pass  # so a terminal ends on Linux
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    assert said.count(b"stopping; analysing what was recorded") == 1
    assert b"nothing found: " in said
    assert state() == "interrupted"


def test_nohup_is_respected(place: Path) -> None:
    process = long_run(place, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=40)
    assert process.returncode == 130


def test_kill_9_of_the_parent_ends_the_command(place: Path) -> None:
    import psutil

    process = long_run(place)
    below = psutil.Process(process.pid).children()
    assert below
    process.kill()
    process.communicate(timeout=10)
    psutil.wait_procs(below, timeout=10)
    assert not any(each.is_running() and each.status() != "zombie" for each in below)
