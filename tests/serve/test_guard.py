"""Who may ask, how, and what of the disk can be seen."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from txfuzz.serve.guard import Guard
from txfuzz.serve.server import _names

from .conftest import client


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("address", ["/", "/run/dirty/", "/run/dirty/campaign.json", "/zip/dirty/"])
def test_nothing_is_writable(browse: TestClient, method: str, address: str) -> None:
    answer = browse.request(method, address)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "address", ["/", "/run/dirty/", "/run/dirty/campaign.json", "/zip/dirty/", "/files/dirty/"]
)
def test_head_has_no_body(browse: TestClient, address: str) -> None:
    answer = browse.head(address)
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "127.0.0.1.x"]
)
def test_a_name_that_is_not_its_own_is_refused(browse: TestClient, host: str) -> None:
    answer = browse.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "Runs" not in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "10.0.0.7"]
)
def test_its_names_and_addresses_are_known(browse: TestClient, host: str) -> None:
    assert browse.get("/", headers={"host": host}).status_code == 200


def test_a_server_for_others_knows_the_name_of_its_machine() -> None:
    assert _names("127.0.0.1") in (("localhost", "127.0.0.1"), ("127.0.0.1", "localhost"))
    assert os.uname().nodename in _names("0.0.0.0")
    assert not Guard(client, _names("127.0.0.1")).knows(f"x.{os.uname().nodename}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    ["/", "/run/dirty/", "/run/bank/", "/live/dirty/", "/files/dirty/", "/nowhere", "/finding/dirty/"],
)
def test_pages_run_no_script_but_ours(browse: TestClient, address: str) -> None:
    answer = browse.get(address)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_files_are_data(runs: Path) -> None:
    (runs / "dirty" / "evil.html").write_text("<script>alert(1)</script>")
    (runs / "dirty" / "evil.js").write_text("alert(1)")
    there = client(runs)
    page, script = there.get("/run/dirty/evil.html"), there.get("/run/dirty/evil.js")
    assert "sandbox" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert script.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "address",
    [
        "/run/../outside.txt", "/run/dirty/../../outside.txt", "/run/dirty/%2e%2e/%2e%2e/outside.txt",
        "/run/dirty/..%2f..%2foutside.txt", "/run//etc/passwd", "/run/%2fetc%2fpasswd", "/run/dirty/out",
        "/run/dirty/up/outside.txt", "/run/elsewhere/", "/run/elsewhere/campaign.json",
        "/run/notes/private.txt",
        "/run/notes/", "/run/dirty/.lock", "/run/.hidden/", "/run/.hidden/campaign.json",
        "/run/dirty/lockedout",
        "/run/dirty/%00", "/run/dirty/nowhere", "/zip/..%2f", "/zip/elsewhere/", "/files/elsewhere/",
        "/live/notes/",
        "/events/bank/", "/static/..%2f..%2fguard.py", "/static/guard.py",
    ],
)  # fmt: skip
def test_nothing_outside_of_the_runs_is_seen(runs: Path, address: str) -> None:
    (runs.parent / "outside.txt").write_text("secret")
    other = runs.parent / "other"
    other.mkdir()
    (other / "campaign.json").write_text('{"workload": "secret"}')
    (runs / "elsewhere").symlink_to(other)
    (runs / "dirty" / "out").symlink_to(runs.parent / "outside.txt")
    (runs / "dirty" / "up").symlink_to(runs.parent)
    (runs / "dirty" / "lockedout").symlink_to(runs / "dirty" / ".lock")
    (runs / ".hidden").mkdir()
    (runs / ".hidden" / "campaign.json").write_text('{"workload": "secret"}')
    there = client(runs)
    answer = there.get(address)
    assert answer.status_code == 404
    assert "secret" not in answer.text
    assert "elsewhere" not in there.get("/").text


def test_a_pipe_does_not_hang(runs: Path) -> None:
    os.mkfifo(runs / "dirty" / "pipe")
    there = client(runs)
    assert there.get("/run/dirty/pipe").status_code == 404
    assert "pipe" not in there.get("/files/dirty/").text
    assert there.get("/zip/dirty/").status_code == 200


def test_a_run_as_a_zip_file(runs: Path) -> None:
    (runs.parent / "outside.txt").write_text("secret")
    (runs / "dirty" / "out").symlink_to(runs.parent / "outside.txt")
    (runs / "dirty" / "up").symlink_to(runs.parent)
    answer = client(runs).get("/zip/dirty/")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''dirty.zip"
    with zipfile.ZipFile(BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        names = set(packed.namelist())
        history = packed.read("dirty/iter_00/history.edn")
    assert history == (runs / "dirty" / "iter_00" / "history.edn").read_bytes()
    there = {path for path in (runs / "dirty").rglob("*") if path.is_file() and not path.is_symlink()}
    expected = {
        f"dirty/{path.relative_to(runs / 'dirty')}" for path in there if not path.name.startswith(".")
    }
    assert names == expected
    assert b"secret" not in answer.content


def test_files_can_be_looked_at(browse: TestClient, made: Path) -> None:
    shown = browse.get("/files/dirty/").text
    assert 'href="/run/dirty/iter_00/analysis.json"' in shown
    answer = browse.get("/run/dirty/iter_00/analysis.json")
    assert answer.content == (made / "dirty" / "iter_00" / "analysis.json").read_bytes()
    assert browse.get("/run/dirty").headers["location"] == "/run/dirty/"
