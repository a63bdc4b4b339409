"""Which runs lie in a directory: only their records are read, whatever state they are in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from project_fixtures import Ran
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.directory import runs
from txfuzz.campaign.directory.reader import read_run
from txfuzz.campaign.directory.run_directory import locked
from txfuzz.campaign.directory.runs import (
    latest_campaign,
    latest_runs,
    list_runs,
    read_summary,
    size_of,
)
from txfuzz.campaign.shrink import ShrinkSettings, shrink_findings
from txfuzz.errors import UsageError

FOUND = {
    "state": "ended",
    "verdict": "invalid",
    "found": {"G2-item": [0, 1]},
    "workload": "skew",
    "levels": None,
    "isolation": "serializable",
    "answers_for": "serializable",
    "adapter": "memory",
    "database": {"product": "memory", "version": "0.1.0", "defects": "none"},
}


def a_run(path: Path, record: str, data: Mapping[str, Any] | str, *, written: float | None = None) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    file = path / record
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    if written is not None:
        os.utime(file, (written, written))
    return path


def test_a_campaign_says_what_it_came_to(tmp_path: Path) -> None:
    a_run(tmp_path / "one", "campaign.json", FOUND, written=1000.0)
    (found,) = list_runs(tmp_path)
    facts = found.facts
    assert (found.name, found.written, found.verdict) == ("one", 1000.0, Verdict.INVALID)
    assert (facts.subject, facts.database, facts.level) == ("skew", "memory 0.1.0", "serializable")
    assert (facts.state, facts.found, facts.broken) == ("ended", ("G2-item",), True)


@pytest.mark.parametrize(
    ("answers_for", "broken"), [("serializable", True), ("snapshot-isolation", False), (None, False)]
)
def test_a_promise_is_broken_only_if_it_was_made(
    answers_for: str | None, broken: bool, tmp_path: Path
) -> None:
    a_run(tmp_path / "one", "campaign.json", FOUND | {"answers_for": answers_for})
    assert list_runs(tmp_path)[0].facts.broken is broken


def test_a_hunt_that_shows_known_holes_only_says_so(tmp_path: Path) -> None:
    holes = [{"name": "a", "known": "a"}, {"name": "a snapshot", "known": "a"}, {"name": "b", "known": "b"}]
    a_run(tmp_path / "one", "hunt.json", {"counts": {"schedules": 9}, "holes": holes})
    facts = list_runs(tmp_path)[0].facts
    assert (facts.broken, facts.found, facts.known) == (False, (), ("a", "b"))


@pytest.mark.parametrize(
    ("record", "data", "kind", "verdict", "found"),
    [
        ("hunt.json", {"counts": {"schedules": 9, "unknown": 2}, "holes": []}, "hunt", "valid", ()),
        ("hunt.json", {"counts": {"schedules": 9, "unknown": 9}, "holes": []}, "hunt", "unknown", ()),
        (
            "hunt.json",
            {"counts": {"schedules": 9}, "holes": [{"name": "new"}, {"name": "x", "known": "x"}]},
            "hunt", "invalid", ("new",),
        ),
        (
            "race.json",
            {"counts": {"rounds": 9}, "holes": [{"hole": {"name": "new", "known": ""}, "points": []}]},
            "races", "invalid", ("new",),
        ),
        ("check.json", {"failing": ["a × b"], "sets": []}, "check", "invalid", ("a × b",)),
        ("check.json", {"crowds": [{"broken": [{"name": "total"}]}]}, "check", "invalid", ("total",)),
        ("check.json", {"failing": [], "unjudged": ["a × b"]}, "check", "unknown", ()),
        (
            "explore.json",
            {"levels": [{"isolation": "s", "anomalies": {"G0": 2}, "broken": [], "judged": 3}]},
            "exploration", "valid", (),
        ),
        ("matrix.json", {"cells": [{"outcome": "broken", "broken": ["G1a"]}]}, "matrix", "invalid", ("G1a",)),
        ("matrix.json", {"cells": [{"outcome": "unknown"}]}, "matrix", "unknown", ()),
        ("plan.json", {"name": "m", "databases": [{"name": "sqlite"}]}, "matrix", "unknown", ()),
        ("compare.json", {"targets": ["t"], "strategies": ["a", "b"]}, "comparison", None, ()),
    ],
)  # fmt: skip
def test_every_kind_of_run_has_a_record(
    record: str, data: dict[str, Any], kind: str, verdict: str | None, found: tuple[str, ...], tmp_path: Path
) -> None:
    summary = read_summary(a_run(tmp_path / "one", record, data))
    assert summary is not None
    assert summary.kind is not None
    assert summary.kind.value == kind
    assert (summary.verdict and summary.verdict.value) == verdict
    assert summary.facts.found == found


def test_the_newest_comes_first_and_the_records_of_the_others_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        a_run(tmp_path / f"run-{number}", "campaign.json", FOUND, written=1000.0 + number)
    read = []
    really = runs.json_in
    monkeypatch.setattr(runs, "json_in", lambda path: read.append(path.parent.name) or really(path))
    newest, older = latest_runs(tmp_path, 2)
    assert ([each.name for each in newest], older) == (["run-4", "run-3"], 3)
    assert read == ["run-4", "run-3"]
    assert [each.name for each in list_runs(tmp_path)] == [f"run-{number}" for number in (4, 3, 2, 1, 0)]


def test_what_no_command_has_made_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    assert list_runs(tmp_path) == []
    assert read_summary(tmp_path / "empty") is None
    with pytest.raises(UsageError, match="cannot be listed: No such file"):
        list_runs(tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "campaign.json cannot be read: "),
        ("[]", "campaign.json expected a JSON object"),
    ],
)
def test_a_record_that_cannot_be_used_is_listed_with_the_reason(text: str, why: str, tmp_path: Path) -> None:
    a_run(tmp_path / "damaged", "campaign.json", text)
    (found,) = list_runs(tmp_path)
    assert found.unreadable.startswith(why)
    assert found.verdict is None


def test_values_of_other_types_do_no_harm(tmp_path: Path) -> None:
    a_run(tmp_path / "a", "campaign.json", {"found": 7, "database": [], "verdict": {}, "state": 1})
    a_run(tmp_path / "b", "hunt.json", {"counts": {"schedules": "many", "unknown": "x"}, "holes": [1, None]})
    a_run(tmp_path / "c", "matrix.json", {"cells": {"outcome": "broken"}})
    found = {each.name: each for each in list_runs(tmp_path)}
    assert {name: each.verdict for name, each in found.items()} == dict.fromkeys("abc", Verdict.UNKNOWN)


def test_a_campaign_without_a_record_was_killed_early(tmp_path: Path) -> None:
    (tmp_path / "one" / "iter_00").mkdir(parents=True)
    assert list_runs(tmp_path)[0].unreadable == "campaign.json is missing"


def test_whether_it_runs_says_the_lock(tmp_path: Path) -> None:
    a_run(tmp_path / "c", "campaign.json", FOUND | {"state": "running"})
    a_run(tmp_path / "h", "hunt.json", {"counts": {"schedules": 1}})
    assert {each.name: each.facts.state for each in list_runs(tmp_path)} == {"c": "killed", "h": "ended"}
    with locked(tmp_path / "c"), locked(tmp_path / "h"):
        assert {each.facts.state for each in list_runs(tmp_path)} == {"running"}


def test_the_root_itself_may_be_a_run(tmp_path: Path) -> None:
    """As after `txfuzz adapt`, which writes its first campaign right into `runs`."""
    a_run(tmp_path / "runs", "campaign.json", FOUND, written=1000.0)
    a_run(tmp_path / "runs" / "adapt-1", "campaign.json", FOUND, written=2000.0)
    (tmp_path / "runs" / "iter_00").mkdir()
    assert [each.name for each in list_runs(tmp_path / "runs")] == ["adapt-1", "runs"]


def test_the_latest_campaign_is_the_one_that_was_written_last(tmp_path: Path) -> None:
    assert latest_campaign(tmp_path / "runs") is None
    old = a_run(tmp_path / "runs" / "z", "campaign.json", FOUND, written=1000.0)
    assert latest_campaign(tmp_path / "runs") == old
    new = a_run(tmp_path / "runs" / "a", "campaign.json", FOUND, written=2000.0)
    a_run(tmp_path / "runs" / "later-hunt", "hunt.json", {}, written=3000.0)
    assert latest_campaign(tmp_path / "runs") == new


@pytest.mark.parametrize(
    ("record", "is_a", "look"),
    [
        ("hunt.json", "a hunt", "hunt.html"),
        ("check.json", "a check", "check.html"),
        ("matrix.json", "a matrix", "matrix.html"),
    ],
)
def test_what_is_no_campaign_is_named(record: str, is_a: str, look: str, tmp_path: Path) -> None:
    place = a_run(tmp_path / "one", record, {})
    for ask in (lambda: shrink_findings(ShrinkSettings(place)), lambda: read_run(place)):
        with pytest.raises(UsageError, match=f"this is {is_a}, not a campaign: see {look} there"):
            ask()


@pytest.mark.parametrize(
    ("record", "command", "says"),
    [
        ("campaign.json", "hunt", "this is a campaign: txfuzz run --resume one"),
        ("hunt.json", "run", "this is a hunt: txfuzz hunt --resume one"),
        ("hunt.json", "matrix", "this is a hunt: txfuzz hunt --resume one"),
        ("matrix.json", "hunt", "this is a matrix: txfuzz matrix --resume one"),
        ("check.json", "run", "this is a check: it cannot be resumed"),
        ("hunt.json", "compare", "this is a hunt: txfuzz hunt --resume one"),
        ("matrix.json", "matrix", "no matrix to resume (no plan.json)"),
    ],
)
def test_what_another_command_resumes_is_named(
    record: str, command: str, says: str, txfuzz: Callable[..., Ran], tmp_path: Path
) -> None:
    a_run(tmp_path / "one", record, {})
    ran = txfuzz(command, "--resume", "one")
    assert (ran.code, ran.err) == (2, f"txfuzz: one: {says}\n")


def test_of_two_records_the_later_counts(tmp_path: Path) -> None:
    place = a_run(tmp_path / "one", "plan.json", {"name": "m", "databases": []}, written=1000.0)
    a_run(place, "matrix.json", {"cells": [{"outcome": "none"}]}, written=1000.0)
    summary = read_summary(place)
    assert summary is not None
    assert summary.verdict is Verdict.VALID


def test_the_size_is_that_of_all_files(tmp_path: Path) -> None:
    place = a_run(tmp_path / "one", "campaign.json", "{}")
    (place / "iter_00").mkdir()
    (place / "iter_00" / "history.edn").write_bytes(b"x" * 1000)
    (place / "link").symlink_to(place / "iter_00")
    assert size_of(place) == 1002 + os.lstat(place / "link").st_size


def test_of_a_run_nothing_but_the_record_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        place = a_run(tmp_path / f"run-{number:04d}", "campaign.json", FOUND)
        (place / "iter_00").mkdir()
    opened = []
    really = runs.json_in
    monkeypatch.setattr(runs, "json_in", lambda path: opened.append(path.name) or really(path))
    assert len(list_runs(tmp_path)) == 50
    assert opened == ["campaign.json"] * 50
