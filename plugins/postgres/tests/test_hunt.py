"""Hunts on the embedded server: what is known is found, shrunk and named; without it nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from txfuzz.cli import run_command
from txfuzz.errors import ExitCode

pytestmark = pytest.mark.server
FORMS = "select,update,delete,insert,insert-or-nothing,insert-or-update-never,insert-or-update"
SMALL = ("hunt", "--forms", FORMS, "--layouts", "plain,one-table", "--seed", "1")


def test_the_known_hole_is_found_shrunk_and_no_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "hunt"
    assert run_command([*SMALL, "--budget", "800", "--output-dir", str(place)]) == ExitCode.NOTHING_FOUND
    told = capsys.readouterr().out
    assert "Known: on-conflict-reads-unseen, at SERIALIZABLE: no serial order explains it" in told
    assert "Nothing that is not known; 1 hole is." in told
    kept = json.loads((place / "hunt.json").read_text())
    [hole] = kept["holes"]
    assert hole["shown"] == hole["tries"] == 3
    assert len(hole["forms"]) <= 4
    replay = place / "findings" / "on-conflict-reads-unseen_serializable" / "replay.yaml"
    assert run_command(["check", str(replay)]) == ExitCode.VIOLATED
    more = ["--budget", "20", "--workers", "2"]
    assert run_command(["hunt", "--resume", str(place), *more]) == ExitCode.NOTHING_FOUND
    assert json.loads((place / "hunt.json").read_text())["counts"]["schedules"] >= 820


def test_without_its_forms_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    without = ["--exclude", "insert-or-nothing,insert-or-update-never", "--budget", "300", "--known"]
    assert run_command([*SMALL, *without]) == ExitCode.NOTHING_FOUND
    assert "Nothing found." in capsys.readouterr().out


def test_a_weaker_level_promises_no_order(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [*SMALL, "--isolation", "repeatable read", "--budget", "100"]
    assert run_command(asked) == ExitCode.NOTHING_FOUND
    assert "are explained by no serial order, which these levels do not promise" in capsys.readouterr().out
