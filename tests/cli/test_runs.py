"""`txfuzz runs`, and the latest campaign, which other commands take by default."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran

Cli = Callable[..., Ran]
WORKLOAD = """version: 1
name: kept
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: a
      steps:
        - {f: r, key: {choice: {range: [1, 3]}, as: k}}
        - {f: r, key: {choice: {range: [1, 3]}, distinct_from: [k]}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 4, transactions: 200}
"""
LATEST = "runs/new: the latest campaign\n"


def record(path: Path, age: float, **fields: object) -> None:
    path.mkdir(parents=True)
    data = {"state": "ended", "verdict": "valid", "found": {}, "workload": path.name, "isolation": "snapshot"}
    file = path / "campaign.json"
    file.write_text(json.dumps(data | fields))
    written = time.time() - age
    os.utime(file, (written, written))


@pytest.fixture
def several(txfuzz: Cli, tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    record(runs / "old", 3 * 86_400.0, database={"product": "DB", "version": "9"})
    record(runs / "newer", 7200.0, verdict="invalid", found={"G2-item": [0], "lost-update": [1]})
    record(runs / "cut", 60.0, state="interrupted", verdict="unknown")
    (runs / "broken").mkdir()
    (runs / "broken" / "campaign.json").write_text("{")
    return runs


def test_the_table_has_the_newest_first(txfuzz: Cli, several: Path) -> None:
    ran = txfuzz("runs")
    assert (ran.code, ran.err) == (0, "")
    head, broken, cut, newer, old = ran.out.splitlines()
    assert head.split() == ["name", "kind", "of", "database", "level", "verdict", "found", "age", "size"]
    assert broken.startswith("broken")
    assert "campaign.json cannot be read" in broken
    assert cut.split("  ")[0] == "cut"
    assert "no verdict, interrupted" in cut
    assert "1 minute ago" in cut
    assert "anomalies found" in newer
    assert "G2-item and lost-update  2 hours ago" in newer
    assert "DB 9" in old
    assert "3 days ago" in old


def test_known_holes_have_a_verdict_of_their_own(txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "runs" / "nightly").mkdir(parents=True)
    data = {"counts": {"schedules": 9}, "holes": [{"name": "unseen", "known": "unseen"}]}
    (tmp_path / "runs" / "nightly" / "hunt.json").write_text(json.dumps(data))
    assert "promise broken (known)  unseen (known)" in txfuzz("runs").out
    (told,) = json.loads(txfuzz("runs", "--json").out)["runs"]
    assert (told["verdict"], told["broken"], told["known"]) == ("valid", False, ["unseen"])


def test_only_the_newest_are_shown_and_the_others_counted(txfuzz: Cli, several: Path) -> None:
    ran = txfuzz("runs", "--last", 2)
    assert [line.split()[0] for line in ran.out.splitlines()] == ["name", "broken", "cut"]
    assert ran.err == "\n2 older ones: txfuzz runs --all\n"
    assert len(txfuzz("runs", "--last", 2, "--all").out.splitlines()) == 5
    Path("runs").rename("my runs")
    assert txfuzz("runs", "my runs", "--last", 2).err == "\n2 older ones: txfuzz runs 'my runs' --all\n"


def test_as_json(txfuzz: Cli, several: Path) -> None:
    data = json.loads(txfuzz("runs", "runs", "--json", "--last", 3).out)
    assert data["older"] == 1
    broken, cut, newer = data["runs"]
    assert broken["unreadable"].startswith("campaign.json cannot be read")
    assert (broken["verdict"], cut["state"]) == (None, "interrupted")
    assert newer == {
        "name": "newer", "path": "runs/newer", "kind": "campaign", "subject": "newer", "database": "",
        "level": "snapshot", "state": "ended", "verdict": "invalid", "broken": False,
        "found": ["G2-item", "lost-update"], "known": [], "unreadable": None, "written": newer["written"],
        "size": (several / "newer" / "campaign.json").stat().st_size,
    }  # fmt: skip


def test_the_verdict_has_its_colour(txfuzz: Cli, several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = txfuzz("runs").out.splitlines()
    assert "\x1b[1;33manomalies found" in lines[3]
    assert "\x1b[1;32mnothing found" in lines[4]
    assert "\x1b[" not in lines[1]


def test_a_name_cannot_control_the_terminal(txfuzz: Cli, several: Path) -> None:
    record(several / "odd", 1.0, workload="a\x1b[2Jb\nc")
    assert "\x1b" not in txfuzz("runs").out
    assert len(txfuzz("runs").out.splitlines()) == 6


def test_where_there_are_none(txfuzz: Cli, tmp_path: Path) -> None:
    ran = txfuzz("runs")
    assert (ran.code, ran.out, ran.err) == (0, "", "no runs in runs/\n")
    assert json.loads(txfuzz("runs", "--json").out) == {"runs": [], "older": 0}
    ran = txfuzz("runs", "nowhere")
    assert (ran.code, ran.err) == (2, "txfuzz: nowhere: cannot be listed: No such file or directory\n")


@pytest.fixture
def campaign(txfuzz: Cli, tmp_path: Path) -> Path:
    record(tmp_path / "runs" / "old", 86_400.0)
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    run = ("run", "w.yaml", "--iterations", 1, "--output-dir", "runs/new", "--max-graph-nodes", 0, "-q")
    assert txfuzz(*run).code == 1
    return tmp_path / "runs" / "new"


def test_the_latest_campaign_is_what_commands_take(txfuzz: Cli, campaign: Path) -> None:
    ran = txfuzz("report")
    assert (ran.code, ran.out, ran.err) == (0, "runs/new/report.html\n", LATEST)
    ran = txfuzz("shrink", "--budget", "0s", "--attempts", 1, "-q", "--output-dir", "none")
    assert (ran.code, ran.err) == (3, LATEST)
    ran = txfuzz("run", "--resume", "--iterations", 2, "-q")
    assert ran.code == 1
    assert ran.err.startswith(LATEST)
    assert (campaign / "iter_01").is_dir()
    assert "runs/new: the campaign has ended after 2 iterations" in txfuzz("run", "--resume").err


def test_what_is_named_is_taken_without_a_word(txfuzz: Cli, campaign: Path) -> None:
    assert txfuzz("report", campaign, "--out", "r.html").err == ""
    assert txfuzz("run", "--resume", "runs/new", "--iterations", 2, "-q").code == 1


@pytest.mark.parametrize("arguments", [("report",), ("shrink",), ("run", "--resume")])
def test_without_a_campaign_there_is_no_latest(txfuzz: Cli, arguments: tuple[str, ...]) -> None:
    ran = txfuzz(*arguments)
    said = "txfuzz: there is no campaign in runs/ here: name the directory of one\n"
    assert (ran.code, ran.out, ran.err) == (2, "", said)
