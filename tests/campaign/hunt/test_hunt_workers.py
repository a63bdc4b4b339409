"""Hunts with several workers: the same programs and findings as with one, in whatever pieces they are run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from txfuzz.campaign.hunt.artefacts import read_hunt
from txfuzz.campaign.hunt.hunt import HuntReport, hunt
from txfuzz.campaign.hunt.settings import HuntSettings
from txfuzz.campaign.workers.engines import Workers
from txfuzz.cli import run_command
from txfuzz.errors import ExitCode, OutputError
from txfuzz.hunt.hunt import Budget
from txfuzz.hunt.result import HuntCounts
from txfuzz_sqlite.scenario.sessions import SqliteScenarioSession

pytestmark = pytest.mark.slow

SMALL = HuntSettings("sqlite", "systematic", forms=("select", "update"), layouts=("plain",), each=2, seed=3)
OPTIONS = ["--adapter", "sqlite", "--strategy", "systematic", "--forms", "select,update",
           "--layouts", "plain", "--each", "2", "--seed", "3"]  # fmt: skip
# Statements that commit by themselves: a database that promises to be serializable and is not
CARELESS = """
from txfuzz.plugin_api import Begin, Commit, KnownHole, Run, hookimpl
from txfuzz_sqlite.scenario.sessions import SqliteScenarioSession

ask = SqliteScenarioSession.ask


def careless(self, request, along=0):
    ask(self, Run("SELECT 1") if isinstance(request, Begin | Commit) else request)


SqliteScenarioSession.ask = careless

@hookimpl
def txfuzz_register_known_holes():
    return [KnownHole("another", "", "another", frozenset(), "")]
"""


def plain(counts: HuntCounts) -> dict[str, Any]:
    return {name: value for name, value in vars(counts).items() if name not in ("seconds", "number")}


@pytest.fixture(scope="module")
def alone() -> HuntReport:
    return hunt(SMALL, Budget())


def test_a_hunt_goes_on_with_other_workers(alone: HuntReport, tmp_path: Path) -> None:
    place = tmp_path / "hunt"
    first = hunt(SMALL, Budget(schedules=20), workers=Workers(2), output=place)
    assert 20 <= first.result.counts.schedules <= 24
    assert first.result.left
    second = hunt(HuntSettings(""), Budget(schedules=20), resume=place)
    assert second.result.counts.schedules >= first.result.counts.schedules + 20
    last = hunt(HuntSettings(""), Budget(), workers=Workers(3), resume=place)
    assert last.result.exhausted
    assert plain(last.result.counts) == plain(alone.result.counts)
    assert read_hunt(place)[1].covered == alone.result.covered


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_hunt_goes_on(alone: HuntReport, tmp_path: Path, workers: int) -> None:
    place = tmp_path / "hunt"
    more = ["--budget", "1m", "--workers", str(workers), "--output-dir", str(place)]
    with subprocess.Popen(
        [sys.executable, "-m", "txfuzz", "hunt", *OPTIONS, *more],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        until = time.monotonic() + 30
        while not (place / "hunt.json").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    last = hunt(HuntSettings(""), Budget(), workers=Workers(workers), resume=place)
    assert plain(last.result.counts) == plain(alone.result.counts)


def _children() -> set[int]:
    return set(map(int, Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()))


def test_a_killed_worker_costs_nothing(alone: HuntReport, tmp_path: Path) -> None:
    told: list[str] = []
    killed: list[int] = []
    others = _children()  # of earlier tests

    def kill_one(counts: HuntCounts, holes: object) -> bool:
        workers = sorted(_children() - others)
        if not killed and counts.schedules and workers:
            killed.append(workers[0])
            os.kill(killed[0], signal.SIGKILL)
        return True

    report = hunt(SMALL, Budget(), workers=Workers(2), on_progress=kill_one, on_lost=told.append)
    assert killed
    [sentence] = told
    assert "it was ended by SIGKILL; another one goes on from program" in sentence
    assert report.result.lost == (sentence,)
    assert plain(report.result.counts) == plain(alone.result.counts)


def test_what_is_found_is_found_by_any_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The plugin replaces it in this process, too
    monkeypatch.setattr(SqliteScenarioSession, "ask", SqliteScenarioSession.ask)
    plugin = tmp_path / "careless.py"
    plugin.write_text(CARELESS)
    counts, found = {}, {}
    for workers in (1, 2, 3):
        place = tmp_path / str(workers)
        more = ["--plugin-file", str(plugin), "--workers", str(workers), "--output-dir", str(place), "--json"]
        assert run_command(["hunt", *OPTIONS, *more]) == ExitCode.VIOLATED
        kept = json.loads(capsys.readouterr().out)
        counts[workers] = plain(HuntCounts(**kept["counts"]))
        found[workers] = [
            {name: hole[name] for name in ("name", "wrong", "hits", "forms", "layout")}
            for hole in kept["holes"]
        ]
        assert kept["exhausted"]
        assert len(list((place / "findings").iterdir())) == len(kept["holes"])
        for folder in (place / "findings").iterdir():
            assert {each.name for each in folder.iterdir()} == {"story.md", "repro.sql", "replay.yaml"}
            story = (folder / "story.md").read_text()
            assert re.search(r"on SQLite 3\S+ at SERIALIZABLE", story)
            [(first, command)] = re.findall(r"schedule ([\d,]+) of this hunt:\n\n```text\n(.*)\n```", story)
            ends = f"--seed 3 --budget {first.replace(',', '')} --plugin-file {plugin}"
            assert command.startswith("txfuzz hunt --adapter sqlite ")
            assert command.endswith(ends)
    assert found[1]
    assert found[1] == found[2] == found[3]
    assert counts[1] == counts[2] == counts[3]


def test_a_directory_is_for_one_hunt_at_a_time(tmp_path: Path) -> None:
    place = tmp_path / "hunt"

    def again(counts: HuntCounts, holes: object) -> bool:
        with pytest.raises(OutputError, match="another hunt is running there"):
            hunt(SMALL, Budget(schedules=2), output=place)
        return False

    hunt(SMALL, Budget(schedules=2), output=place, on_progress=again)
    report = hunt(SMALL, Budget(schedules=2), output=place)
    assert report.moved == tmp_path / "hunt.1"
    assert (report.moved / "hunt.json").exists()
