"""What `txfuzz check` makes of findings when the server is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from double_booking import SEATS
from txfuzz.campaign.check import check as check_module
from txfuzz.campaign.check import sets
from txfuzz.campaign.check.check import CheckProgress, check_file
from txfuzz.campaign.check.subject import Subject
from txfuzz.check.finding.result import CheckResult
from txfuzz.errors import DatabaseUnavailable

pytestmark = pytest.mark.server


class KilledServers:
    """Opens subjects, so many, on servers of which the first ones are killed when something has failed."""

    def __init__(self, *, killed: int = 1, opened: int = 2) -> None:
        self._killed, self._opened, self.subjects = killed, opened, list[Subject]()
        self._open = check_module.open_subject

    def open(self, *arguments: Any) -> Subject:
        if len(self.subjects) >= self._opened:
            raise DatabaseUnavailable("no server can be started")
        self.subjects.append(self._open(*arguments))
        return self.subjects[-1]

    def watch(self, progress: CheckProgress) -> None:
        failed = progress.failing == 3 or progress.doing
        if failed and len(self.subjects) <= self._killed:
            database: Any = self.subjects[-1].database
            if database.server_runs():
                database.injector().kill()


def lost_check(monkeypatch: pytest.MonkeyPatch, place: Path, servers: KilledServers) -> CheckResult:
    monkeypatch.setattr(check_module, "open_subject", servers.open)
    monkeypatch.setattr(sets, "_COMES_BACK", 0.0)
    (place / "seats.yaml").write_text(SEATS)
    levels = ["read committed"]
    found = check_file(place / "seats.yaml", isolation=levels, on_progress=servers.watch)
    assert isinstance(found, CheckResult)
    assert found.lost
    assert not found.sets[0].levels[0].complete
    return found


def test_findings_are_made_smaller_on_a_server_that_is_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    servers = KilledServers()
    found = lost_check(monkeypatch, tmp_path, servers)
    assert len(servers.subjects) == 2
    (finding,) = found.findings
    assert (finding.shown, finding.tries) == (3, 3)
    assert finding.setup is not None
    assert not any("(2, NULL)" in statement for statement in finding.setup)
    assert [fix.about for fix in found.sets[0].fixes] == ["FOR UPDATE in step 1 of book"]
    assert found.notes[-1].startswith("What failed before the database was lost was made smaller when")


def test_it_is_said_why_findings_are_made_no_smaller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = lost_check(monkeypatch, tmp_path, KilledServers(opened=1))
    (finding,) = found.findings
    assert finding.tries == 0
    said = "What failed before the database was lost could not be made smaller: no server can be started"
    assert found.notes[-1] == said


def test_a_server_that_is_lost_again_is_not_started_a_third_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    servers = KilledServers(killed=2, opened=3)
    found = lost_check(monkeypatch, tmp_path, servers)
    assert len(servers.subjects) == 2
    assert found.findings[0].tries == 0
    assert found.notes[-1].startswith("What failed before the database was lost could not be made smaller: ")
