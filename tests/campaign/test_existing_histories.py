"""What is there stays there: judging again, putting histories in place, resuming, ending early."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_fixtures import Ran, Site
from txfuzz import CampaignResult, run_campaign
from txfuzz.campaign.sources.resumed import histories_in, resumed_settings
from txfuzz.errors import HistoryError, UsageError
from txfuzz.history.reader import read_history

Cli = Callable[..., Ran]

WORKLOAD = """\
version: 1
name: loose
database: {adapter: memory, isolation: read committed}
expect: serializable
seed: 5
workload:
  transactions:
    - name: add
      steps:
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 4, transactions: 80, barrier_every: 3}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of three iterations that found something in each."""
    root = tmp_path_factory.mktemp("made")
    (root / "w.yaml").write_text(WORKLOAD)
    result = campaign(root, "out", iterations=3)
    assert result.exit_code == 1
    return root


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copy(made / "w.yaml", tmp_path)
    return shutil.copytree(made / "out", tmp_path / "out")


def campaign(root: Path, name: str, **more: Any) -> CampaignResult:
    return run_campaign(workload=root / "w.yaml", output=root / name, max_graph_nodes=0, **more)


def record(place: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((place / "campaign.json").read_text())
    return data


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def histories(place: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(place.glob("iter_*/history.edn"))]


# -- judging again ------------------------------------------------------------------------


def test_a_campaign_that_is_judged_again_says_the_same(place: Path, txfuzz: Cli) -> None:
    before, kept = record(place), contents(place)
    rows = (place / "progress.csv").read_text().splitlines()
    ran = txfuzz("run", "--skip-run", "--output-dir", "out", "--max-graph-nodes", 0)
    assert ran.code == 1, ran.err
    after = record(place)
    assert {**after, "versions": before["versions"]} == before
    for name in ("history.edn", "workload.yaml", "decisions.json", "next_workload.yaml", "execution.json"):
        for number in range(3):
            at = f"iter_{number:02d}/{name}"
            assert (place / at).read_bytes() == kept[at], at
    for row, again in zip(rows, (place / "progress.csv").read_text().splitlines(), strict=True):
        assert row.split(",")[2:] == again.split(",")[2:]  # all but the seconds


def test_it_can_be_held_against_another_model(place: Path, txfuzz: Cli) -> None:
    ran = txfuzz("run", "--skip-run", "--output-dir", "out", "--expect", "read-committed", "-q")
    assert ran.code == 0, ran.out
    told = record(place)
    assert (told["expect"], told["verdict"], told["isolation"]) == (
        "read-committed",
        "valid",
        "read committed",
    )
    assert told["arguments"]["skip_run"] is False
    assert resumed_settings(place, iterations=4).iterations == 4


@pytest.mark.parametrize("open_loop", [False, True])
def test_the_feedback_says_what_it_said(made: Path, tmp_path: Path, open_loop: bool) -> None:
    shutil.copy(made / "w.yaml", tmp_path)
    first = campaign(tmp_path, "out", iterations=2, open_loop=open_loop)
    again = run_campaign(iterations=2, output=tmp_path / "out", skip_run=True)
    assert [each.decisions for each in again.iterations] == [each.decisions for each in first.iterations]


def test_nothing_is_left_out_and_nothing_is_missing(place: Path, txfuzz: Cli) -> None:
    before = contents(place)
    for iterations, said in ((2, "has 3 iterations; --iterations 2 would leave some out"),
                             (5, "iter_03/history.edn: no such file")):  # fmt: skip
        ran = txfuzz("run", "--skip-run", "--output-dir", "out", "--iterations", iterations)
        assert ran.code == 2
        assert said in ran.err
        assert contents(place) == before
    with pytest.raises(HistoryError):
        run_campaign(skip_run=True, output=place)


def test_no_condition_ends_it_before_the_last_history(place: Path) -> None:
    again = run_campaign(skip_run=True, iterations=3, output=place, stop_on_finding=True, max_seconds=0.0)
    assert (len(again.iterations), again.stopped) == (3, None)


def test_a_directory_that_is_not_there_is_not_made(txfuzz: Cli) -> None:
    ran = txfuzz("run", "--skip-run", "--output-dir", "nowhere")
    assert (ran.code, "nowhere: no such directory" in ran.err) == (2, True)
    assert not Path("nowhere").exists()


def test_a_history_that_cannot_be_read_leaves_the_record(place: Path, txfuzz: Cli) -> None:
    (place / "iter_01/history.edn").write_text("garbled")
    before = (place / "campaign.json").read_bytes()
    ran = txfuzz("run", "--skip-run", "--output-dir", "out")
    assert ran.code == 2
    assert "iter_01/history.edn:1" in ran.err
    assert (place / "campaign.json").read_bytes() == before


# -- putting histories in place -----------------------------------------------------------


COPIER = """
import os, shutil
shutil.copy("given.edn", os.environ["HISTORY_OUT"])
"""


def test_a_command_that_puts_histories_in_place_overwrites_none(place: Path, txfuzz: Cli) -> None:
    Path("copier.py").write_text(COPIER)
    shutil.copy(place / "iter_02/history.edn", "given.edn")
    recorded = histories(place)
    copy = ("run", "--config", "w.yaml", "--skip-run", "--iterations", 2, "--max-graph-nodes", 0,
            "--runner-cmd", f"{shlex.quote(sys.executable)} copier.py", "--output-dir")  # fmt: skip
    ran = txfuzz(*copy, "out")
    assert ran.code == 1, ran.err
    assert "out held an earlier campaign, which was moved to out.1" in ran.err
    assert histories(Path("out.1")) == recorded
    assert histories(place) == [Path("given.edn").read_bytes()] * 2


def test_workloads_that_were_prepared_are_run(place: Path, txfuzz: Cli) -> None:
    Path("copier.py").write_text(COPIER)
    shutil.copy(place / "iter_02/history.edn", "given.edn")
    prepared = Path("new/iter_00")
    prepared.mkdir(parents=True)
    shutil.copy(place / "iter_01/workload.yaml", prepared)
    ran = txfuzz("run", "--skip-run", "--iterations", 1, "--output-dir", "new",
                 "--runner-cmd", f"{shlex.quote(sys.executable)} copier.py")  # fmt: skip
    assert ran.code == 1, ran.err
    assert not Path("new.1").exists()
    assert (prepared / "workload.yaml").read_bytes() == (place / "iter_01/workload.yaml").read_bytes()
    assert record(Path("new"))["workload"] == "loose"


# -- resuming -----------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [0, 1, 3])
def test_what_a_killed_campaign_found_is_not_left_out(place: Path, txfuzz: Cli, listed: int) -> None:
    """listed: iterations in the record of a campaign, which may have been killed while it was resumed."""
    data = record(place)
    (place / "campaign.json").write_text(
        json.dumps({**data, "state": "running", "iterations": data["iterations"][:listed]})
    )
    before = contents(place)
    ran = txfuzz("run", "--resume", "out", "--iterations", 2)
    assert ran.code == 2
    assert "the campaign has 3 iterations; --iterations 2 would leave some out" in ran.err
    assert contents(place) == before
    assert histories_in(place) == 3
    assert txfuzz("run", "--resume", "out", "--iterations", 3).code == 1
    assert record(place)["found"] == data["found"]


def test_a_resumed_campaign_judges_all_that_is_there(place: Path) -> None:
    data = record(place)
    data["arguments"] |= {"max_seconds": 0.0, "stop_on_finding": True}
    (place / "campaign.json").write_text(json.dumps({**data, "state": "running"}))
    again = run_campaign(resumed_settings(place, iterations=5))
    assert len(again.iterations) == 3
    assert again.stopped == "something was found"


# -- ending early -------------------------------------------------------------------------


def test_interrupted_before_anything_ran(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "w.yaml", tmp_path)
    (tmp_path / "w.yaml").write_text(
        WORKLOAD.replace("memory,", "dictionary,").replace("read committed", "dirty")
    )
    interrupted = threading.Event()
    interrupted.set()
    with pytest.raises(UsageError):
        campaign(tmp_path, "out", interrupted=interrupted)  # that adapter is not installed
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    result = campaign(tmp_path, "out", interrupted=interrupted)
    assert (result.exit_code, result.iterations) == (130, ())
    assert record(tmp_path / "out")["state"] == "interrupted"
    assert record(tmp_path / "out")["database"] == {}
    assert not (tmp_path / "out/iter_00").exists()
    assert len(run_campaign(resumed_settings(tmp_path / "out", iterations=1)).iterations) == 1


def test_a_campaign_that_fails_says_what_it_found(site: Site, tmp_path: Path, txfuzz: Cli) -> None:
    site.add_third()
    text = WORKLOAD.replace("memory,", "dictionary, refuse: '12',").replace("read committed", "dirty")
    Path("w.yaml").write_text(text + "analyzers: [{name: longest-list, allowed: 1}]\n")
    ran = txfuzz("run", "--config", "w.yaml", "--output-dir", "out")
    assert ran.code == 2
    assert "Iteration 0:\nNot serializable: longest-list: a list of " in ran.out
    refused = r"w\.yaml:\d+:\d+: the database rejects transaction"
    assert re.search(rf"^ended after \d+ iterations?: {refused}", ran.out, re.MULTILINE)
    assert "artefacts: out" in ran.out
    assert re.match(f"txfuzz: {refused}", ran.err.splitlines()[-1])


def test_an_adaptive_campaign_goes_on_behind_the_history_that_was_given(place: Path, txfuzz: Cli) -> None:
    shutil.copy(place / "iter_00/history.edn", "h.edn")
    ran = txfuzz("adapt", "--history", "h.edn", "--prev-workload", "w.yaml", "--execute", "--iterations", 2)
    assert ran.code == 1, ran.err
    directory = Path("runs")
    shutil.rmtree(directory / "iter_02")
    Path("h.edn").rename("moved.edn")
    data = record(directory)
    (directory / "campaign.json").write_text(
        json.dumps({**data, "state": "running", "iterations": data["iterations"][:2]})
    )
    again = txfuzz("run", "--resume", directory)
    assert again.code == 1, again.err
    made = histories(directory)
    assert len(made) == 3
    keys = [set(read_history(directory / f"iter_{number:02d}/history.edn").keys) for number in (1, 2)]
    assert keys[1]
    assert not keys[0] & keys[1]
