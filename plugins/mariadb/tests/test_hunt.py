"""Hunts in MariaDB: what REPEATABLE READ lets pass is proven and known, and so is what savepoints do."""

from __future__ import annotations

import json

import pytest

from txfuzz.cli import run_command
from txfuzz.errors import ExitCode

pytestmark = [pytest.mark.server, pytest.mark.slow]
FORMS = "select,select-for-update,update,update-add,delete"


def _hunted(capsys: pytest.CaptureFixture[str], level: str) -> dict[str, object]:
    asked = ["hunt", "--adapter", "mariadb", "--forms", FORMS, "--layouts", "plain", "--isolation", level]
    assert run_command([*asked, "--budget", "150", "--seed", "2", "--json"]) == ExitCode.NOTHING_FOUND
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_repeatable_read_loses_updates_and_skews_reads(capsys: pytest.CaptureFixture[str]) -> None:
    found = _hunted(capsys, "repeatable read")
    holes = found["holes"]
    assert isinstance(holes, list)
    assert {"lost_update", "read_skew"} <= {each["wrong"] for each in holes}
    assert {each["known"] for each in holes} == {"writes-see-the-latest-rows"}
    assert all(each["shown"] == each["tries"] == 3 for each in holes)


def test_what_a_level_allows_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = _hunted(capsys, "read uncommitted")
    assert found["holes"] == []
    allowed = found["allowed"]
    assert isinstance(allowed, dict)
    assert allowed["dirty read"] > 0


def test_locks_that_a_savepoint_gives_back_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["hunt", "--adapter", "mariadb", "--forms", "delete,insert,update-undone", "--layouts", "plain"]
    more = ["--isolation", "serializable", "--budget", "20", "--seed", "1", "--json"]
    assert run_command([*asked, *more]) == ExitCode.NOTHING_FOUND
    [hole] = json.loads(capsys.readouterr().out)["holes"]
    assert hole["known"] == "savepoint-gives-back-locks"
    assert (hole["wrong"], hole["shown"], hole["tries"]) == ("no_order", 3, 3)
