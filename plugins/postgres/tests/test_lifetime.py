"""However txfuzz ends, no server process and no data directory remains."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from txfuzz.database.embedded.keeper import children_of
from txfuzz.errors import DatabaseUnavailable
from txfuzz_postgres.server.launcher import EmbeddedServer, launch

pytestmark = pytest.mark.server

PARENT = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without it
from txfuzz_postgres.server.launcher import launch
server = launch()
try:
    print(server.pid, server.directory, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", server.running(), flush=True)
    server.close()
    print("closed", flush=True)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    yield process
    process.kill()
    process.communicate()


def started(process: subprocess.Popen[str]) -> tuple[int, Path]:
    assert process.stdout is not None
    pid, directory = process.stdout.readline().split()
    return int(pid), Path(directory)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_kill_9_of_txfuzz(parent: subprocess.Popen[str]) -> None:
    pid, directory = started(parent)
    backends = children_of(pid)
    assert alive(pid)
    assert backends
    parent.kill()
    assert eventually(lambda: not any(map(alive, [pid, *backends])))
    assert eventually(lambda: not directory.exists())


def test_kill_9_of_txfuzz_while_its_server_is_paused(parent: subprocess.Popen[str]) -> None:
    pid, directory = started(parent)
    backends = children_of(pid)
    for each in [*backends, pid]:
        with contextlib.suppress(ProcessLookupError):  # a background process that came and went
            os.kill(each, signal.SIGSTOP)
    parent.kill()
    assert eventually(lambda: not any(map(alive, [pid, *backends])))
    assert eventually(lambda: not directory.exists())


def test_kill_9_in_the_middle_of_initdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tells = "import tempfile; made = tempfile.mkdtemp\n"
    tells += "def mkdtemp(**how):\n    path = made(**how)\n    print(path, flush=True)\n    return path\n"
    tells += "tempfile.mkdtemp = mkdtemp\n"
    process = subprocess.Popen([sys.executable, "-c", tells + PARENT], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        directory = Path(process.stdout.readline().strip())
        assert eventually(lambda: (directory / "data" / "global").exists() or process.poll() is not None)
        process.kill()
    assert eventually(lambda: not directory.exists())


def test_ctrl_c_reaches_txfuzz_and_not_the_server(parent: subprocess.Popen[str]) -> None:
    pid, directory = started(parent)
    os.killpg(parent.pid, signal.SIGINT)  # as the terminal does: everybody in the foreground group
    assert parent.stdout is not None
    assert parent.stdout.readline().split() == ["interrupted", "True"]
    assert parent.stdout.readline().split() == ["closed"]
    assert not alive(pid)
    assert not directory.exists()


def test_the_end_of_the_thread_that_started_it_changes_nothing() -> None:
    """Linux sends the parent-death signal when the forking thread ends."""
    import threading

    made: list[EmbeddedServer] = []
    thread = threading.Thread(target=lambda: made.append(launch()))
    thread.start()
    thread.join()
    with made[0] as server:
        time.sleep(0.3)
        assert server.running()
        with psycopg.connect(**server.conninfo) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_kill_9_of_the_keeper_ends_the_server_and_close_removes_the_rest() -> None:
    server = launch()
    keeper = int(Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[1])
    assert keeper != os.getpid()
    os.kill(keeper, signal.SIGKILL)
    assert eventually(lambda: not alive(server.pid))
    server.close()
    assert not server.directory.exists()


@pytest.mark.flaky(reruns=2)
def test_a_server_that_died_is_noticed() -> None:
    with launch() as server:
        assert server.running()
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.running())
        # Killed like this it cannot release its few bytes of shared memory, so we do.
        segment = (server.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
        assert segment in shared_memory()
    assert eventually(lambda: segment not in shared_memory())  # gone with the last of its processes
    assert not server.directory.exists()


def test_a_killed_server_starts_again_on_the_same_data() -> None:
    with launch() as server:
        with psycopg.connect(**server.conninfo, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = local")
            connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.running())
        server.start()
        with psycopg.connect(**server.conninfo) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def shared_memory() -> set[str]:
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()}


def test_the_memory_of_a_killed_server_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["pre-existing shared memory block (key 1, ID 2) is still in use"] * 3 + ["no space left"]
    tried: list[str] = []

    def refused(server: EmbeddedServer, argv: object, *, look_every: float) -> None:
        tried.append(said[len(tried)])
        raise DatabaseUnavailable(tried[-1])

    with launch() as server, monkeypatch.context() as patched:
        patched.setattr(EmbeddedServer, "run", refused)
        patched.setattr(EmbeddedServer, "last_words", lambda _: tried[-1])
        with pytest.raises(DatabaseUnavailable, match="no space left"):
            server.start()
    assert len(tried) == 4
