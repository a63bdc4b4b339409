"""The status screen: what it shows, and that it follows a campaign in a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from project_fixtures import Site
from txfuzz import CampaignSettings
from txfuzz.analysis.anomalies.durability import Durability
from txfuzz.analysis.explain.verdict import explain_durability
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.events import CampaignStarted, IterationEnded, IterationStarted
from txfuzz.campaign.stop_conditions import stop_reason
from txfuzz.cli.plain_screen import PlainScreen
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.report.campaign_result import CampaignFacts, CampaignResult
from txfuzz.report.iteration import Iteration
from txfuzz.report.text.status import Status, clock, sparkline, status_rows
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight, Workload

WORKLOAD = """version: 1
name: small
database: {adapter: dictionary}
expect: serializable
workload:
  transactions:
    - name: look
      steps:
        - {f: r, key: {choice: {range: [1, 9]}, as: a}}
        - {f: append, key: {ref: a}}
scheduling: {clients: 3, duration: 1s}
"""


def test_numbers_and_nouns_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Transaction("one", (Step("append", Choice((1,))),))
    workload = Workload(
        "least", (one,), (Weight("one", 1),), expect="strict-serializable", scheduling=Scheduling(clients=1)
    )
    result = AnalysisResult("h", Verdict.VALID, "strong-serializable", near_cycles_counted=1)
    ran = ExecutionSummary(
        asked=10, ok=3, fail=5, info=2, aborts={"40001": 5, "08006": 2}, seconds=1.0, final_reads=1
    )
    screen = PlainScreen()
    facts = CampaignFacts(promised="serializable")
    iteration = Iteration.ran(0, tmp_path, workload, result, ran)
    screen(CampaignStarted(CampaignResult(tmp_path, facts), workload))
    screen(IterationStarted(0, workload))
    screen(IterationEnded(iteration, CampaignResult(tmp_path, facts, (iteration,))))
    said = capsys.readouterr().err
    assert "(promises serializable) checked against strong-serializable" in said, "the name in all sentences"
    assert "iteration 0: 1 client on 1 key, one 100%" in said
    assert "5 aborted, 2 unknown (40001 ×5, 08006 ×2); 1 final read" in said
    assert "1 near-cycle: nothing found" in said


def test_the_reasons_for_an_end_agree_with_their_numbers(tmp_path: Path) -> None:
    workload = Workload("empty", (), ())
    result = AnalysisResult("h", Verdict.VALID, "serializable", transactions=1)
    iterations = [Iteration.ran(number, tmp_path, workload, result) for number in range(2)]

    def reason(count: int, **limits: Any) -> str | None:
        return stop_reason(CampaignSettings(**limits), None, iterations[:count], 1.0)

    assert reason(2, plateau=1) == "1 iteration showed nothing new"
    assert reason(1, max_transactions=1) == "1 transaction has been run"
    assert reason(2, max_transactions=2) == "2 transactions have been run"
    assert reason(1, max_seconds=1.0) == "1 second has passed"
    assert reason(1, max_seconds=0.5) == "0.5 seconds have passed"


def test_what_the_final_reads_settle(snapshot: SnapshotAssertion) -> None:
    assert explain_durability(Durability(1, 0, 1)) == snapshot(name="one")
    assert explain_durability(Durability(3, 1, 2)) == snapshot(name="several")


def test_a_sparkline_is_in_proportion() -> None:
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([0, 50, 100]) == "▁▄█"
    assert len(sparkline(range(100))) == 100


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (61.9, "1:01"), (3723, "1:02:03")])
def test_a_clock(seconds: float, words: str) -> None:
    assert clock(seconds) == words


def test_the_rows_of_the_screen(snapshot: SnapshotAssertion) -> None:
    status = Status(
        "title",
        elapsed=70,
        left=10,
        iteration=1,
        iterations=4,
        stage="run",
        rate=1234.5,
        asked=3000,
        committed=2900,
        aborts={"40001": 90, "08006": 4},
        unknown=4,
        edges=1.5,
        concurrent=0.25,
        near=(3, 40),
        found={"G2-item": 1},
        keys=(1, 2),
        mix={"a": 1, "b": 3},
        clients=8,
        last="mix: because",
    )
    assert dict(status_rows(status)) == snapshot
    long = dict(status_rows(replace(status, last="because " * 99)))["decided"]
    assert long.endswith("because …")
    assert len(long) <= 242
    assert dict(status_rows(Status("new")))["found"] == "nothing yet"


def in_a_terminal(directory: Path, path: Path, *more: str) -> str:
    """What a person at a terminal sees of a campaign, without the control sequences."""
    (directory / "w.yaml").write_text(WORKLOAD)
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "110", "LINES": "40", "PYTHONPATH": str(path)}
    command = [sys.executable, "-m", "txfuzz", "run", "--config", "w.yaml", "--iterations", "2", *more]
    process = subprocess.Popen(
        command, cwd=directory, env=environment, stderr=slave, stdout=slave, stdin=slave
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            seen += (data := os.read(master, 4096))
        except OSError:  # the other end is closed
            break
        if not data:
            break
    process.wait(30)
    os.close(master)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())


def test_a_terminal_gets_the_screen_and_the_lines(site: Site, tmp_path: Path) -> None:
    site.add_third()
    seen = in_a_terminal(tmp_path, site.path)
    assert "╭─ small · dictionary 1" in seen
    assert re.search(r"transactions  [1-9][\d,]* issued, [1-9][\d,]* committed", seen)
    assert "iteration 1: " in seen
    assert "nothing found" in seen
    assert "Traceback" not in seen
    plain = in_a_terminal(tmp_path, site.path, "--plain")
    assert "╭" not in plain
    assert "iteration 1: " in plain
    quiet = in_a_terminal(tmp_path, site.path, "--quiet")
    assert "╭" not in quiet
    assert "iteration 1: " not in quiet
    assert "nothing found" in quiet


def test_what_a_strategy_has_learnt_has_its_rows() -> None:
    rows = status_rows(Status("t", learnt=("coverage: 3 features", "nothing new for 2 iterations")))
    assert rows[-2:] == [("learnt", "coverage: 3 features"), ("", "nothing new for 2 iterations")]
