"""The progress of a check where no screen stands."""

from __future__ import annotations

import pytest

from txfuzz.campaign.check.check import CheckPlan
from txfuzz.campaign.check.sets import CheckProgress
from txfuzz.cli.progress import check
from txfuzz.cli.progress.check import CheckScreen
from txfuzz.cli.progress.screen import Screen, doing


def followed(monkeypatch: pytest.MonkeyPatch, seconds: int, *, quiet: bool) -> None:
    """A check of this length, of which something is told twice a second."""
    now = [100.0]
    monkeypatch.setattr(check.time, "monotonic", lambda: now[0])
    shown = CheckScreen(Screen(doing("txfuzz check", "starting")), 60.0, quiet=quiet)
    shown.began(CheckPlan("seats", "Server 1", levels=3, sets=2, programs=8))
    for number in range(2 * seconds):
        now[0] += 0.5
        shown(CheckProgress("book × book", "read committed", 1000 + number, 7 if number > 30 else 0))


def test_there_is_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    followed(monkeypatch, 29, quiet=False)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ", 1)[0] for line in err.splitlines()] == ["0:10", "0:20"]
    assert err.splitlines()[0].startswith("0:10 book × book at READ COMMITTED; 1,019 schedules (")
    assert err.splitlines()[1].endswith("/s), 7 fail, 1 of 6 parts begun")


def test_a_short_check_needs_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    followed(monkeypatch, 9, quiet=False)
    assert capsys.readouterr() == ("", "")


def test_quiet_means_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    followed(monkeypatch, 60, quiet=True)
    assert capsys.readouterr() == ("", "")
