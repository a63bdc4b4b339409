"""A long campaign as it would lie on disk, made without running it: for what pages on one take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from txfuzz.analysis.analyze import analyze_history
from txfuzz.analysis.result import AnalysisResult, TransactionView, as_data
from txfuzz.campaign.directory.campaign_files import campaign_data, stats
from txfuzz.campaign.directory.run_directory import iteration_path, write_json
from txfuzz.campaign.directory.timeline import FaultBand, timeline_entry
from txfuzz.feedback.contract import Adjustment
from txfuzz.history.course import Stretch
from txfuzz.history.reader import read_history
from txfuzz.report.campaign_result import CampaignFacts, CampaignResult
from txfuzz.report.iteration import Iteration, Numbers

ISOLATION = "repeatable read"
_STRETCHES = 6


def write_long_campaign(
    directory: Path, history: Path, *, iterations: int, findings: int, state: str = "ended"
) -> None:
    """findings: each of transactions of another name, evenly spread over the iterations. history: of a real
    write skew, from which they are made."""
    skew = analyze_history(read_history(history), "serializable")
    every = max(1, iterations // findings) if findings else iterations + 1
    directory.mkdir(parents=True)
    known: set[str] = set()
    ran = []
    with open(directory / "timeline.jsonl", "w", encoding="utf-8") as timeline:
        for number in range(iterations):
            finds = number % every == 0 and number // every < findings
            result = _named(skew, number // every) if finds else _clean(skew)
            iteration = _iteration(directory, number, result)
            ran.append(iteration)
            entry = timeline_entry(iteration, ISOLATION, known)
            known.update(each.name for each in entry.found)
            if number % 7 == 3:
                entry = replace(entry, faults=(FaultBand("kill-server", 0.4, 0.3),))
            timeline.write(f"{json.dumps(as_data(entry))}\n")
            if finds:
                path = iteration_path(directory, number)
                path.mkdir()
                write_json(path / "analysis.json", result.to_json())
                write_json(path / "decisions.json", [as_data(each) for each in iteration.decisions])
    facts = CampaignFacts(
        state, "long", ISOLATION, None, "serializable", "snapshot-isolation", "snapshot-isolation", 1,
        adapter="memory", strategy="classic", database={"product": "Memory", "version": "1"},
    )  # fmt: skip
    campaign = CampaignResult(directory, facts, tuple(ran))
    write_json(directory / "campaign.json", campaign_data(campaign))
    write_json(directory / "stats.json", stats(campaign))


def _iteration(directory: Path, number: int, result: AnalysisResult) -> Iteration:
    numbers = Numbers.of(result, seconds=2.0, per_second=600.0 + number % 50, clients=8, keys=4)
    decided = () if number % 3 else (Adjustment("keys", 4, 5, f"after {number}: more keys", "keys"),)
    course = tuple(
        Stretch(at * 0.2, 0.2, 100 + number % 30 + at, 3.0 + at / 10, 9.0 + number % 5)
        for at in range(_STRETCHES)
    )
    return Iteration(
        number, iteration_path(directory, number), result, numbers, decided, seconds={"run": 2.0},
        course=course,
    )  # fmt: skip


def _named(skew: AnalysisResult, finding: int) -> AnalysisResult:
    """The same anomaly between transactions of another name."""

    def named(view: TransactionView) -> TransactionView:
        return replace(view, template=f"{view.template}_{finding}")

    anomaly = skew.anomalies[0]
    views = tuple(map(named, anomaly.transactions))
    return replace(skew, anomalies=(replace(anomaly, transactions=views),), near_cycles=())


def _clean(skew: AnalysisResult) -> AnalysisResult:
    from txfuzz.analysis.result import Verdict

    return replace(
        skew, verdict=Verdict.VALID, reason="", anomaly_types=(), all_types=(), anomalies=(), near_cycles=()
    )
