"""`txfuzz serve`: where it listens, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz.campaign.directory.run_directory import locked

Cli = Callable[..., Ran]


@contextmanager
def served(root: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and its address."""
    # Children of a shell in the background ignore Ctrl-C
    server = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
         "from txfuzz.cli import main; main()", "serve", str(root), "--port", "0", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        found = re.match(r"(http://\S+) shows the runs in ", said)
        assert found, said
        yield server, found[1]
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_while_somebody_listens(runs: Path, number: signal.Signals) -> None:
    record = (runs / "dirty" / "campaign.json").read_text().replace('"ended"', '"running"')
    (runs / "dirty" / "campaign.json").write_text(record)
    with locked(runs / "dirty"), served(runs) as (server, url):
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{url}events/dirty/") as stream:
            assert stream.readline() == b"retry: 1000\n"
            os.killpg(server.pid, number)
            out, err = server.communicate(timeout=60)
        assert (server.returncode, out, err) == (0, "", "")


def test_it_says_who_can_read_along(runs: Path) -> None:
    with served(runs, "--host", "0.0.0.0") as (server, url):
        assert url.startswith("http://localhost:")
        assert server.stderr is not None
        assert "anyone who can reach 0.0.0.0 can read them" in server.stderr.readline()
        with urllib.request.urlopen(url) as page:
            assert "Runs" in page.read().decode()


def test_a_directory_that_is_not_there(tmp_path: Path, txfuzz: Cli) -> None:
    ran = txfuzz("serve", tmp_path / "nowhere")
    assert ran.code == 2
    assert "no such directory" in ran.err
    assert ran.err.count("\n") == 1


def test_a_port_that_is_taken(runs: Path, txfuzz: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = txfuzz("serve", runs, "--port", str(port))
    assert ran.code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another" in ran.err


def test_an_address_that_is_not_of_this_machine(runs: Path, txfuzz: Cli) -> None:
    ran = txfuzz("serve", runs, "--host", "203.0.113.7", "--port", "0")
    assert ran.code == 2
    assert "cannot listen on 203.0.113.7:0" in ran.err
