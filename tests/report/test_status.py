"""The status of a campaign: what its rows say, and that they follow its events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from directed_schedules import SKEW, WORKLOAD
from txfuzz import CampaignSettings
from txfuzz.analysis.anomalies.durability import Durability
from txfuzz.analysis.explain.verdict import explain_durability
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.campaign.events import (
    CampaignStarted,
    HistoryAnalysed,
    IterationEnded,
    IterationStarted,
    Preparing,
    StageStarted,
    Warned,
    WorkersProgress,
)
from txfuzz.campaign.stop_conditions import stop_reason
from txfuzz.cli.progress.campaign import LiveScreen
from txfuzz.cli.progress.plain import PlainScreen
from txfuzz.cli.progress.screen import Screen
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.report.campaign_result import CampaignFacts, CampaignResult
from txfuzz.report.iteration import Iteration, Reached
from txfuzz.report.text.course import Course, sparkline
from txfuzz.report.text.decisions import decision_sentence
from txfuzz.report.text.status import New, Progress, Status, beginning, clock, status_rows
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight, Workload


def test_numbers_and_nouns_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Transaction("one", (Step("append", Choice((1,))),))
    workload = Workload(
        "least", (one,), (Weight("one", 1),), expect="strict-serializable", scheduling=Scheduling(clients=1)
    )
    result = AnalysisResult("h", Verdict.VALID, "strict-serializable", near_cycles_counted=1)
    ran = ExecutionSummary(
        asked=10, ok=3, fail=5, info=2, aborts={"40001": 5, "08006": 2}, seconds=1.0, final_reads=1
    )
    screen = PlainScreen()
    facts = CampaignFacts(promised="serializable")
    iteration = Iteration.ran(0, tmp_path, workload, result, ran)
    screen(CampaignStarted(CampaignResult(tmp_path, facts), workload))
    screen(IterationStarted(0, workload))
    screen(HistoryAnalysed(0, result, ran))
    screen(IterationEnded(iteration, CampaignResult(tmp_path, facts, (iteration,))))
    said = capsys.readouterr().err
    assert "(promises serializable) checked against strict-serializable" in said, "the name in all sentences"
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
    assert sparkline([0.0, 0.05, 0.1]) == "▁▄█"
    assert len(sparkline(range(100))) == 100


def test_a_course_keeps_few_points_and_loses_no_growth() -> None:
    course = Course()
    for second in range(1000):
        course = course.at(second, second * 3)
        assert len(course.counts) <= 48
    assert sum(course.growth) == course.counts[-1] - course.counts[0]
    assert len(set(course.growth[1:])) == 1, "it grew evenly"


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (61.9, "1:01"), (3723, "1:02:03")])
def test_a_clock(seconds: float, words: str) -> None:
    assert clock(seconds) == words


def rows(status: Status) -> dict[str, str]:
    return {row.label: row.text for row in status_rows(status)}


def test_which_iteration_and_what_it_does() -> None:
    assert rows(Status())["iteration"] == "before the first · 0:00"
    assert rows(Status(iterations=4))["iteration"] == "before the first of 4 · 0:00"
    searching = Status(iterations=4, small_scope=True, elapsed=3)
    assert rows(searching)["iteration"] == "small-scope search, before the first of 4 · 0:03"
    third = Status(iteration=2, iterations=30, elapsed=61, left=125)
    assert rows(third)["iteration"] == "3 of 30 (iter_02) · 1:01, about 2:05 left"
    assert rows(Status(doing="starting postgres"))["now"] == "starting postgres"
    drawing = Status(stage="pictures", stage_seconds=3, usual=8)
    assert rows(drawing)["now"] == "drawing the pictures (0:03 of about 0:08)"
    analysing = Status(stage="analysis", stage_seconds=3, analysis=Progress("looking for cycles", 0.5, 4))
    assert rows(analysing)["now"] == "analysing the history (0:03, about 0:04 left): looking for cycles"


def test_how_long_there_has_been_nothing_new() -> None:
    assert rows(Status(elapsed=9))["new"] == "nothing yet, in 0:09"
    found = Status(elapsed=75, new=New("G2-item, in iter_01", 10))
    assert rows(found)["new"] == "nothing new for 1:05; the last: G2-item, in iter_01"


def test_decisions_as_a_short_sentence() -> None:
    assert decision_sentence(()) == ""
    clients = Adjustment("scheduling.clients", 8, 16, "nobody met", "h")
    assert decision_sentence([clients]) == "clients 8 → 16, because nobody met"
    keys = Adjustment("keys", list(range(1, 1001)), [1, 2], "they meet there", "h")
    assert decision_sentence([keys]) == "1,000 keys → keys 1 and 2, because they meet there"
    mix = Adjustment("mix", {f"t{n}": 1.0 for n in range(9)}, {f"t{n}": 2.0 for n in range(9)}, "x", "h")
    schema = Adjustment("init_schema", True, False, "y", "h")
    said = decision_sentence([clients, mix, mix, keys, schema])
    assert said == "clients 8 → 16, other mix, 1,000 keys → keys 1 and 2 and 1 more, because nobody met"


class Unseen(Screen):
    """A screen that stands nowhere."""

    def open(self) -> None:
        self.standing = True

    def row(self, label: str) -> str:
        return {row.label: row.text for row in self.frame(self.seconds).rows}[label]


def test_a_finding_is_shown_before_the_pictures_are_drawn(tmp_path: Path) -> None:
    screen = Unseen(beginning)
    screen.open()
    live = LiveScreen(5, screen)
    campaign = CampaignResult(tmp_path, CampaignFacts(promised="serializable"))
    live(Preparing("starting postgres"))
    assert screen.row("now") == "starting postgres"
    live(CampaignStarted(campaign, WORKLOAD))
    live(IterationStarted(0, WORKLOAD))
    live(StageStarted("analysis"))
    assert screen.frame(1.0).found == ()
    found = AnalysisResult("h", Verdict.INVALID, "serializable", anomaly_types=("G2-item",))
    live(HistoryAnalysed(0, found))
    assert screen.frame(1.0).found == ("iter_00: G2-item",)
    assert "the last: G2-item, in iter_00" in screen.row("new")
    live(StageStarted("pictures"))
    assert screen.row("now") == "drawing the pictures"
    iteration = Iteration.ran(
        0,
        tmp_path,
        WORKLOAD,
        found,
        directed=(DirectedOutcome(SKEW, 40, 3, refused={"40001": 5}),),
        reached=Reached(12, 12, 2, {"layout": 3.25}),
        decisions=(Adjustment("scheduling.clients", 3, 6, "nobody met", "h"),),
    )
    live(IterationEnded(iteration, campaign))
    assert screen.row("directed") == "rw edge book → book on key 2 forced 3 of 40, refused: 40001 ×5"
    assert screen.row("coverage") == "12 features, 12 new in the last iteration"
    assert screen.row("corpus") == "2 entries; yields per 100 transactions: layout 3.25"
    assert screen.row("decided") == "clients 3 → 6, because nobody met"
    assert "12 features, in iter_00" in screen.row("new")
    live(HistoryAnalysed(1, found))
    assert screen.frame(1.0).found == ("iter_00: G2-item (seen 2 times)",)


def test_what_several_workers_do_is_shown_together(tmp_path: Path) -> None:
    screen = Unseen(beginning)
    screen.open()
    live = LiveScreen(5, screen)
    campaign = CampaignResult(tmp_path, CampaignFacts(promised="serializable", workers=2))
    live(CampaignStarted(campaign, WORKLOAD))
    live(Preparing("starting 2 workers"))
    assert screen.row("now") == "starting 2 workers"
    live(WorkersProgress(2, (0, 1), 50, {"ok": 30, "fail": 10, "info": 2}, {"40001": 10, "08006": 2}))
    assert screen.row("now") == "2 iterations under way, by 2 workers"
    assert screen.row("iteration").startswith("1 of 5 (iter_00)")
    assert screen.row("committed").startswith("30 of 50 transactions")
    assert screen.row("aborts") == "10, 2 unknown (24%): 40001 ×10, 08006 ×2"
    live(IterationStarted(0, WORKLOAD))
    result = AnalysisResult("h", Verdict.VALID, "serializable")
    live(HistoryAnalysed(0, result))
    execution = ExecutionSummary(40, 35, 5, aborts={"40001": 5})
    live(IterationEnded(Iteration.ran(0, tmp_path, WORKLOAD, result, execution), campaign))
    live(WorkersProgress(2, (1, 2), 20, {"ok": 9, "fail": 1}, {"40001": 1}))
    assert screen.row("iteration").startswith("2 of 5 (iter_01)")
    assert "left" in screen.row("iteration")
    assert screen.row("committed").startswith("44 of 60 transactions")
    assert screen.row("aborts") == "6 (10%): 40001 ×6"


def test_warnings_stay_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Unseen(beginning)
    screen.open()
    live = LiveScreen(5, screen)
    live(Warned("fsync is off"))
    assert [each.split("  ")[1] for each in screen.messages] == ["txfuzz: fsync is off"]
    screen.standing = False  # the terminal was given back
    live(Warned("plain from now on"))
    assert capsys.readouterr().err == "txfuzz: plain from now on\n"
