"""A server that fails under a hunt: the hunt goes on, and tells of it with the server's log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from txfuzz.cli import run_command
from txfuzz.errors import ExitCode
from txfuzz.hunt.finding import findings

pytestmark = [pytest.mark.server, pytest.mark.slow]

# Each fails where the row of its key is there
PLUGIN = """
from txfuzz.plugin_api import Change, Effect, Form, hookimpl

UPDATE = "UPDATE {table} SET v = {value} WHERE k = {key}"
ERROR = "RAISE 'cache lookup failed' USING ERRCODE = 'XX000';"
END = "PERFORM pg_terminate_backend(pg_backend_pid());"
CRASH = "COPY (SELECT 1) TO PROGRAM 'kill -SEGV $PPID'; PERFORM pg_sleep(1);"


def planted(name, what, when):
    body = f"DO $$ BEGIN IF {when} THEN {what} END IF; END $$"
    return Form(name, "planted", (UPDATE, body), Effect(present=Change.UPDATE), adapter="postgres")


@hookimpl
def txfuzz_register_forms():
    there = "(SELECT count(*) FROM {table} WHERE k = {key}) > 0"
    # Only beside another transaction that has written
    others = "FROM pg_locks WHERE locktype = 'transactionid' AND pid <> pg_backend_pid()"
    beside = f"(SELECT count(*) {others}) > 0"
    return [
        planted("fails", ERROR, beside),
        planted("ends", END, beside),
        planted("crashes", CRASH, there),
    ]
"""


def hunted(tmp_path: Path, forms: str, budget: int) -> list[dict[str, Any]]:
    plugin, place = tmp_path / "planted.py", tmp_path / "hunt"
    plugin.write_text(PLUGIN)
    asked = ["hunt", "--plugin-file", str(plugin), "--forms", forms, "--layouts", "plain", "--seed", "1"]
    code = run_command([*asked, "--budget", str(budget), "--output-dir", str(place)])
    assert code == ExitCode.VIOLATED
    kept = json.loads((place / "hunt.json").read_text())
    assert kept["counts"]["schedules"] >= budget
    holes: list[dict[str, Any]] = kept["holes"]
    assert all(each["shown"] == each["tries"] == 3 for each in holes)
    return holes


@pytest.mark.parametrize(
    ("form", "wrong", "words"),
    [
        ("fails", "internal", "aborted: cache lookup failed (exec_stmt_raise, pl_exec.c:"),
        ("ends", "lost", "The database ended the connection, which no statement here asks for."),
    ],
)
def test_errors_of_its_own_and_lost_connections_are_found(
    form: str,
    wrong: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(findings, "SHRINK_SCHEDULES", 4)
    [hole] = hunted(tmp_path, f"select,{form}", 4)
    assert (hole["wrong"], form in hole["forms"]) == (wrong, True)
    told = " ".join(capsys.readouterr().out.split())
    assert words in told
    assert "breaks its promise" not in told


def test_a_server_that_goes_down_is_found_with_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [hole] = hunted(tmp_path, "select,delete,crashes", 8)
    assert (hole["wrong"], hole["forms"]) == ("crash", ["crashes"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Found, at SERIALIZABLE: the server went down" in told
    assert "was terminated by signal 11: Segmentation fault" in told
    place = tmp_path / "hunt" / "findings" / "crashes_serializable_crash"
    assert "was terminated by signal 11" in (place / "server.log").read_text()
    assert "findings/crashes_serializable_crash/server.log" in (tmp_path / "hunt" / "hunt.html").read_text()
