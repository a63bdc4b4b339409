"""What the pages show: the list of the runs, and each of them."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from long_campaign import write_long_campaign
from report_runs import Page
from txfuzz.campaign.directory.reader import read_run
from txfuzz.report.campaign_result import run_sentence

from .conftest import client


def listed(text: str) -> list[str]:
    """The names of the runs, in their order."""
    return re.findall(r'<th scope="row"><a href="/(?:run|live)/([^"/]*)/?">', text)


def test_all_runs_are_in_one_place(browse: TestClient) -> None:
    answer = browse.get("/")
    assert answer.status_code == 200
    assert {*listed(answer.text)} == {"dirty", "clean", "holes", "bank", "race"}
    shown = Page(answer.text)
    kinds = {"campaign", "hunt", "check", "comparison"}
    assert kinds <= {*shown.text.split()}
    assert "5 runs in " in shown.text


@pytest.mark.parametrize(
    ("name", "mark", "words"),
    [
        ("dirty", "allowed", "anomalies found"),
        ("clean", "valid", "nothing found"),
        ("holes", "broken", "promise broken"),
        ("race", "none", "not judged"),
    ],
)
def test_a_verdict_is_told_by_colour_sign_and_words(
    browse: TestClient, name: str, mark: str, words: str
) -> None:
    row = next(each for each in browse.get("/").text.split("<tr>") if f'href="/run/{name}/"' in each)
    assert re.search(
        rf'<span class="verdict-mark {mark}"><span aria-hidden="true">.</span>{words}</span>', row
    )


def test_known_holes_have_a_verdict_of_their_own(runs: Path) -> None:
    data = json.loads((runs / "holes" / "hunt.json").read_text())
    data["holes"] = [{"name": "gone", "known": "gone"}]
    (runs / "holes" / "hunt.json").write_text(json.dumps(data))
    own = client(runs)
    (row,) = (each for each in own.get("/?verdict=known").text.split("<tr>") if 'href="/run/' in each)
    assert re.search(r'<span class="verdict-mark known">.*promise broken \(known\)</span>', row)
    assert "gone (known)" in row
    assert not listed(own.get("/?verdict=valid&kind=hunt").text)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("verdict=valid", {"clean", "bank"}),
        ("verdict=broken", {"holes"}),
        ("kind=hunt", {"holes"}),
        ("database=Memory+2", {"holes"}),
        ("text=GONE", {"holes"}),
        ("text=serializable+bank", {"bank"}),
        ("text=nowhere", set()),
        ("verdict=nonsense&first=x&sort=y", {"dirty", "clean", "holes", "bank", "race"}),
    ],
)
def test_filters_are_in_the_address(browse: TestClient, query: str, names: set[str]) -> None:
    assert {*listed(browse.get(f"/?{query}").text)} == names


def test_the_order_is_in_the_address(browse: TestClient) -> None:
    by_name = listed(browse.get("/?sort=name").text)
    assert by_name == sorted(by_name)
    assert listed(browse.get("/?sort=name&backwards=1").text) == by_name[::-1]


def test_many_runs_come_in_parts(runs: Path) -> None:
    for number in range(230):
        (runs / f"more-{number:03d}").mkdir()
        shutil.copy(runs / "bank" / "check.json", runs / f"more-{number:03d}")
    many = client(runs)
    pages = [many.get(f"/?kind=check&sort=name&first={first}").text for first in (0, 100, 200)]
    names = [name for page in pages for name in listed(page)]
    assert names == ["bank", *(f"more-{number:03d}" for number in range(230))]
    assert "runs 101–200 of 231" in pages[1]
    assert 'href="/?kind=check&amp;sort=name&amp;first=200"' in pages[1]


def test_only_what_has_changed_is_read_again(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from txfuzz.serve.records import catalog

    read: list[str] = []
    original = catalog.read_summary

    def counted(path: Path) -> object:
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(catalog, "read_summary", counted)
    there = client(runs)
    there.get("/")
    read.clear()
    there.get("/")
    assert read == []
    record = runs / "bank" / "check.json"
    fresh = record.with_name("fresh")
    fresh.write_text(record.read_text().replace('"bank"', '"savings"'))
    os.replace(fresh, record)
    os.utime(runs / "bank", ns=(1, 1))
    assert "savings" in there.get("/").text
    assert read == ["bank"]


def test_a_campaign_is_as_in_its_report(browse: TestClient, made: Path) -> None:
    record = read_run(made / "dirty")
    answer = browse.get("/run/dirty/")
    shown = Page(answer.text)
    assert run_sentence(record) in shown.text
    assert shown.classes("article").count("finding") == len(record.findings)
    for finding in record.findings:
        for line in finding.anomaly.explanation.splitlines():
            assert " ".join(line.split()) in shown.text
    assert "Latency in milliseconds" in shown.text
    assert not re.search(r"<script(?! src=)", answer.text)


def test_each_finding_has_a_page(browse: TestClient, made: Path) -> None:
    findings = read_run(made / "dirty").findings
    for at, finding in enumerate(findings):
        answer = browse.get("/finding/dirty/", params={"name": finding.name})
        assert answer.status_code == 200
        shown = Page(answer.text)
        assert f"finding {at + 1} of {len(findings)}" in shown.text
        assert shown.classes("article") == ["finding"]
        assert finding.anomaly.explanation.splitlines()[0].strip() in shown.text
    assert browse.get("/finding/dirty/?name=G1a_nobody").status_code == 404


def test_a_single_run_can_be_served(made: Path) -> None:
    alone = client(made / "dirty")
    assert "verdict" in alone.get("/run/").text
    assert listed(alone.get("/").text) == [""]


def test_the_pages_of_other_runs(browse: TestClient) -> None:
    check = browse.get("/run/bank/").text
    assert "All safe" in check
    assert 'href="/zip/bank/"' in check
    compared = Page(browse.get("/run/race/").text).text
    assert "skew classic 40 1 of 1" in compared
    assert "promise broken" in browse.get("/run/holes/").text


def test_a_run_that_cannot_be_read_is_named(runs: Path) -> None:
    (runs / "clean" / "campaign.json").write_text("{")
    (runs / "bank" / "check.json").write_text("[]")
    there = client(runs)
    answer = there.get("/")
    assert answer.status_code == 200
    assert "campaign.json cannot be read" in answer.text
    assert there.get("/run/clean/").status_code == 200
    (runs / "dirty" / "timeline.jsonl").write_text("no line of ours\n")
    assert "Findings" in there.get("/run/dirty/").text


def test_a_long_campaign_is_in_parts(made: Path, tmp_path: Path) -> None:
    write_long_campaign(
        tmp_path / "long", made / "dirty" / "iter_00" / "history.edn", iterations=650, findings=130
    )
    there = client(tmp_path)
    first = there.get("/run/long/").text
    assert "iterations 1–100 of 650" in first
    assert "further findings 1–60 of 122" in first
    last = there.get("/run/long/?row=600&further=120").text
    assert "iterations 601–650 of 650" in last
    assert "further findings 121–122 of 122" in last
    assert 'id="iteration-649"' in last
    assert 'id="iteration-0"' not in last
    links = re.findall(r'href="(/finding/long/[^"]*)"', last)
    assert len(links) == 2
    page = there.get(links[-1].replace("&amp;", "&"))
    assert "finding 130 of 130" in page.text
    assert "However, T2" in page.text


def test_a_page_is_not_made_again_while_nothing_changes(made: Path, tmp_path: Path) -> None:
    from txfuzz.serve.pages import campaign

    long = tmp_path / "long"
    write_long_campaign(long, made / "dirty" / "iter_00" / "history.edn", iterations=20, findings=2)
    made_pages: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        original = campaign.report_page
        patch.setattr(
            campaign, "report_page", lambda *given, **more: made_pages.append("") or original(*given, **more)
        )
        there = client(tmp_path)
        assert there.get("/run/long/").text == there.get("/run/long/").text
        assert len(made_pages) == 1
        line = json.loads((long / "timeline.jsonl").read_text().splitlines()[-1])
        with open(long / "timeline.jsonl", "a") as timeline:
            timeline.write(json.dumps({**line, "iteration": 20}) + "\n")
        assert 'id="iteration-20"' in there.get("/run/long/").text
        assert len(made_pages) == 2
