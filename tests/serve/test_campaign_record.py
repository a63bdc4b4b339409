"""A campaign from its timeline is the campaign that its artefacts tell of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from long_campaign import write_long_campaign
from txfuzz.campaign.directory.reader import read_run
from txfuzz.report.campaign_result import CampaignResult, run_sentence
from txfuzz.report.html.page import tone
from txfuzz.serve.records.campaign_record import CampaignRecord


def said(record: CampaignResult) -> list[object]:
    return [
        run_sentence(record), tone(record), record.verdict, record.found, record.name, record.model,
        [(each.name, each.iterations, each.everywhere) for each in record.findings],
        [(each.numbers, each.verdict, each.found, each.name, each.vacuous) for each in record.analysed],
        [[(one.target, one.reason[:300]) for one in each.decisions] for each in record.analysed],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["dirty", "clean"])
def test_the_timeline_says_the_same_as_the_artefacts(made: Path, name: str) -> None:
    whole = read_run(made / name)
    state = CampaignRecord(made / name).state()
    assert state.entries == len(whole.analysed) > 0
    assert said(state.record) == said(whole)


def test_a_campaign_without_a_timeline_is_read_as_a_whole(runs: Path) -> None:
    (runs / "dirty" / "timeline.jsonl").unlink()
    state = CampaignRecord(runs / "dirty").state()
    assert state.entries is None
    assert said(state.record) == said(read_run(runs / "dirty"))


def test_a_shown_finding_has_its_anomaly(made: Path) -> None:
    source = CampaignRecord(made / "dirty")
    record = source.with_whole(source.state().record, range(8), range(4))
    whole = read_run(made / "dirty")
    assert [each.anomaly for each in record.findings] == [each.anomaly for each in whole.findings]
    assert [each.decisions for each in record.iterations] == [each.decisions for each in whole.iterations]
    firsts = {each.first for each in record.findings}
    for mine, its in zip(record.iterations, whole.iterations, strict=True):
        assert mine.number not in firsts or mine.aim == its.aim


def test_only_new_lines_are_read(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / "long"
    write_long_campaign(long, made / "dirty" / "iter_00" / "history.edn", iterations=30, findings=3)
    source = CampaignRecord(long)
    assert len(source.state().record.iterations) == 30
    read: list[int] = []
    original = source._add
    monkeypatch.setattr(source, "_add", lambda entry: read.append(entry["iteration"]) or original(entry))
    line = json.loads((long / "timeline.jsonl").read_text().splitlines()[0])
    half = json.dumps({**line, "iteration": 31})
    with open(long / "timeline.jsonl", "a") as timeline:
        timeline.write(
            json.dumps({**line, "iteration": 30, "found": [], "again": [line["found"][0]["name"]]})
        )
        timeline.write("\n" + half[:40])  # in the middle of being written
    state = source.state()
    assert read == [30]
    assert state.entries == 31
    again = next(each for each in state.record.findings if each.name == line["found"][0]["name"])
    assert again.iterations == (0, 30)


def test_a_timeline_that_is_begun_again_is_read_again(made: Path, tmp_path: Path) -> None:
    long = tmp_path / "long"
    write_long_campaign(long, made / "dirty" / "iter_00" / "history.edn", iterations=12, findings=2)
    source = CampaignRecord(long)
    assert len(source.state().record.iterations) == 12
    lines = (long / "timeline.jsonl").read_text().splitlines(keepends=True)
    fresh = long / "fresh"
    fresh.write_text("".join(lines[:5]))
    fresh.replace(long / "timeline.jsonl")
    assert len(source.state().record.iterations) == 5


@pytest.mark.parametrize("damage", ["{}", "[]", "nonsense", '{"iteration": 0}'])
def test_a_damaged_timeline_does_not_hide_the_campaign(runs: Path, damage: str) -> None:
    with open(runs / "dirty" / "timeline.jsonl", "a") as timeline:
        timeline.write(f"{damage}\n")
    state = CampaignRecord(runs / "dirty").state()
    assert state.entries is None
    assert [each.name for each in state.record.findings] == [
        each.name for each in read_run(runs / "dirty").findings
    ]
