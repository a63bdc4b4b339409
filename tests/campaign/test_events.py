"""What a campaign tells its subscribers, and that what it found is one record, told or read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz import CampaignResult, TxfuzzError, run_campaign
from txfuzz.campaign.directory.reader import read_run
from txfuzz.campaign.events import (
    CampaignEnded,
    CampaignFailed,
    CampaignStarted,
    Event,
    HistoryAnalysed,
    IterationEnded,
    IterationStarted,
    Preparing,
    RunProgress,
    StageStarted,
    Warned,
)
from txfuzz.report.html.page import report_page
from txfuzz.report.junit import junit_text
from txfuzz.report.markdown import markdown_text

WORKLOAD = """
version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: left
      steps: [{f: r, key: {choice: {range: [1, 4]}}}, {f: append, key: {choice: {range: [1, 4]}}}]
    - name: right
      steps: [{f: append, key: {choice: {range: [1, 4]}}}, {f: r, key: {choice: {range: [1, 4]}}}]
scheduling: {clients: 4, transactions: 300, barrier_every: 5}
"""
STAGES = ["run", "read", "analysis", "pictures", "replay", "feedback"]


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD)
    return path


@pytest.mark.slow
def test_the_events_of_a_campaign(workload: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    complete: list[bool] = []

    def subscriber(event: Event) -> None:
        events.append(event)
        if isinstance(event, IterationEnded):
            complete.append((event.iteration.path / "decisions.json").exists())

    result = run_campaign(workload=workload, iterations=2, output=tmp_path / "run", subscriber=subscriber)
    told = [each for each in events if not isinstance(each, Warned | RunProgress | Preparing)]
    assert [each.stage for each in told if isinstance(each, StageStarted)] == 2 * STAGES
    assert [type(each) for each in told if not isinstance(each, StageStarted)] == [
        CampaignStarted, *(2 * [IterationStarted, HistoryAnalysed, IterationEnded]), CampaignEnded,
    ]  # fmt: skip
    judged = [at for at, each in enumerate(told) if isinstance(each, HistoryAnalysed)]
    assert [told[at - 1] for at in judged] == 2 * [StageStarted("analysis")]
    assert [told[at + 1] for at in judged] == 2 * [StageStarted("pictures")], "what is found is told first"
    assert isinstance(events[0], Preparing), "and at once that something is being done"
    assert complete == [True, True], "all artefacts are there when an iteration has ended"
    assert isinstance(told[-1], CampaignEnded)
    assert told[-1].campaign is result


def test_a_campaign_that_fails_says_so(workload: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    with pytest.raises(TxfuzzError, match="failed with exit code 3"):
        run_campaign(
            workload=workload, output=tmp_path / "run", runner_cmd="exit 3 #", subscriber=events.append
        )
    assert isinstance(events[-1], CampaignFailed)
    assert events[-1].campaign.facts.state.startswith("failed: ")
    assert read_run(tmp_path / "run").facts.state == events[-1].campaign.facts.state


@pytest.mark.slow
def test_what_is_read_back_is_what_was_run(workload: Path, tmp_path: Path) -> None:
    def numbers(campaign: CampaignResult) -> list[object]:
        return [
            (each.number, each.verdict, each.found, each.numbers.transactions, each.numbers.ok,
             each.numbers.clients, each.numbers.near_cycles, each.decisions, each.label)
            for each in campaign.iterations
        ]  # fmt: skip

    ran = run_campaign(workload=workload, iterations=2, output=tmp_path / "run")
    read = read_run(tmp_path / "run")
    assert numbers(read) == numbers(ran)
    assert (read.verdict, read.found, read.exit_code) == (ran.verdict, ran.found, ran.exit_code)
    assert (read.isolation, read.expect, read.promised, read.answers_for) == (
        ran.isolation, ran.expect, ran.promised, ran.answers_for,
    )  # fmt: skip
    assert [each.signature for each in read.findings] == [each.signature for each in ran.findings]
    assert repr(read) == repr(ran)
    assert read._repr_html_() == ran._repr_html_()
    for form in (junit_text, markdown_text, report_page):
        assert "skew" in form(ran), "every form of the report takes a campaign that was just run"
