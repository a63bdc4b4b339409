"""The page of `txfuzz report`: whole, safe, bounded, and true whatever the run directory holds."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from directed_schedules import SKEW as DIRECTED
from project_fixtures import Ran
from report_runs import ABORTED, FORK, NEAR, SKEW, Page, campaign, edit, judged, third_plugin
from txfuzz.analysis.result import as_data
from txfuzz.campaign.directory.reader import read_run
from txfuzz.feedback.directed.direction import DirectedOutcome
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.html.page import report_page
from txfuzz.report.html.shell import asset
from txfuzz.report.verdict import verdict_sentence

Cli = Callable[..., Ran]


# Another write skew, of another template
BENT = [
    (4, "bend", 610, 800, "[:r 5 []] [:append 6 1]"),
    (5, "bend", 640, 780, "[:r 6 []] [:append 5 1]"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("runs")
    with third_plugin(root / "site"):
        judged(root, "dirty", SKEW, FORK, SKEW, ABORTED)
        judged(root, "near", NEAR)
        judged(root, "two", [*SKEW, *BENT])
        campaign(root, "clean")
        yield root


@pytest.fixture
def dirty(runs: Path, tmp_path: Path) -> Path:
    """A campaign with findings, to be tampered with."""
    return Path(shutil.copytree(runs / "dirty", tmp_path / "dirty"))


@pytest.fixture
def clean(runs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(runs / "clean", tmp_path / "clean"))


def page(directory: Path) -> Page:
    return Page(report_page(read_run(directory)))


# -- what it says -----------------------------------------------------------------------------


def test_the_verdict_is_that_of_the_screen(dirty: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", dirty)
    assert ran.code == 1
    assert ran.out == f"{dirty / 'report.html'}\n"
    facts = json.loads((dirty / "campaign.json").read_text())
    told = read_run(dirty).told_first
    assert told is not None
    said = verdict_sentence(told.deciding_result, facts["isolation"], facts["promised"])
    assert said in Page((dirty / "report.html").read_text()).text


def test_a_report_that_is_written_has_done_what_it_was_asked_for(
    dirty: Path, tmp_path: Path, txfuzz: Cli
) -> None:
    assert txfuzz("report", dirty).code == 0
    assert txfuzz("report", dirty, "--exit-code").code == 1
    (tmp_path / "none.yaml").write_text("version: 1\nexpected: []\n")
    assert txfuzz("report", dirty, "--baseline", tmp_path / "none.yaml").code == 1


def test_the_most_telling_finding_leads(dirty: Path) -> None:
    shown = Page(report_page(read_run(dirty)))
    headline = json.loads((dirty / "campaign.json").read_text())["headline"]
    assert headline.startswith("Aborted read (G1a): ")
    assert headline in shown.text
    assert shown.text.index("Aborted read (G1a)") < shown.text.index("Write skew (G2-item)")


def test_nothing_found(clean: Path, txfuzz: Cli) -> None:
    assert txfuzz("report", "--exit-code", clean).code == 0
    shown = Page((clean / "report.html").read_text())
    assert "Nothing found: " in shown.text
    assert "are consistent with serializable." in shown.text
    assert "verdict valid" in shown.classes("div")
    assert "finding" not in shown.classes("article")


def test_every_edge_of_a_cycle_has_its_sentence_and_its_arrow(dirty: Path) -> None:
    record = read_run(dirty)
    cycles = [each for each in record.findings if each.anomaly.edges]
    assert [len(each.anomaly.edges) for each in cycles] == [2, 4]
    shown = page(dirty)
    for finding in cycles:
        for line in finding.anomaly.explanation.splitlines():
            assert " ".join(line.split()) in shown.text
    assert shown.classes("svg").count("cycle") == 3
    arrows = [each for each in shown.all("path") if each.get("class") == "edge"]
    assert len(arrows) == 2 + 4
    assert all(re.fullmatch(r"url\(#tip-\w+\)", each["marker-end"] or "") for each in arrows)


def test_findings_are_told_apart_by_their_signatures(dirty: Path) -> None:
    found = read_run(dirty).findings
    assert [(each.anomaly.type, each.iterations) for each in found] == [
        ("G1a", (3,)),
        ("G2-item", (0, 2)),
        ("G-nonadjacent-item", (1,)),
    ]


def test_the_course_of_the_campaign_is_drawn(clean: Path, dirty: Path) -> None:
    shown = page(clean)
    assert shown.classes("svg").count("chart") == 4
    assert shown.classes("circle").count("found") == 0
    decisions = json.loads((clean / "iter_00" / "decisions.json").read_text())
    assert decisions
    for decision in decisions:
        assert " ".join(decision["reason"].split()) in shown.text
    shown = page(dirty)
    assert shown.classes("svg").count("hot-keys") == 1
    assert shown.classes("svg").count("chart") == 3  # nobody knows how fast these were made
    assert shown.classes("circle").count("found") == 4 * 4  # one of the charts has two lines


def test_what_came_of_directed_schedules_is_there(clean: Path) -> None:
    assert "Directed schedules" not in page(clean).text
    stats = json.loads((clean / "stats.json").read_text())
    played = DirectedOutcome(DIRECTED, 40, 3, committed=30, refused={"40001": 5}, waited=7)
    idle = DirectedOutcome(DIRECTED, reason="the run ended first")
    stats["by_iteration"][0]["directed"] = [as_data(played), as_data(idle)]
    (clean / "stats.json").write_text(json.dumps(stats))
    assert read_run(clean).iterations[0].directed == (played, idle)
    shown = page(clean).text
    assert "In 3 of 40 plays the missing edge arose." in shown
    assert "rw edge book → book on key 2 40 3 30 7 40001 ×5" in " ".join(shown.split())
    assert "not played: the run ended first" in shown


def test_database_versions_and_settings_are_there(clean: Path) -> None:
    facts = json.loads((clean / "campaign.json").read_text())
    text = page(clean).text
    assert f"seed {facts['seed']}" in text
    assert facts["database"]
    for plugin in facts["plugins"]:
        assert f"{plugin['distribution']} {plugin['version']}" in text
    for value in facts["database"].values():
        assert value in text


def test_the_smallest_sql_and_the_replay_stand_with_their_finding(dirty: Path) -> None:
    finding = read_run(dirty).findings[0]
    place = dirty / "findings" / finding.signature.name
    place.mkdir(parents=True)
    (place / "repro.sql").write_text("/* t1 */ SELECT val FROM t WHERE key < 1 & 2;\n")
    (place / "replay.yaml").write_text("version: 1\n")
    shown = page(dirty)
    assert "SELECT val FROM t WHERE key < 1 & 2;" in shown.text
    assert f"txfuzz execute {place / 'replay.yaml'} --out again.edn" in shown.text


REPLAY = """
version: 1
database: {adapter: not-installed, isolation: serializable, option: 1}
workload:
  transactions:
    - {name: look_t1, steps: [{f: r, key: {choice: {range: [1, 20]}}}]}
    - {name: look_t2, steps: [{f: append, key: {choice: {range: [1, 20]}}}]}
replay:
  transactions: [{alias: t1, txn: look_t1, template: look}, {alias: t2, txn: look_t2, template: look}]
  anomaly: G2-item
"""


def test_the_replay_stands_with_the_finding_that_it_is_about(runs: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(runs / "two", tmp_path / "two"))
    path = run / "iter_00" / "replay.yaml"
    found = read_run(run).findings
    assert [(each.anomaly.type, each.first) for each in found] == [("G2-item", 0), ("G2-item", 0)]
    followed = f"txfuzz execute {path} --out again.edn"
    for written, expected in (
        (REPLAY, "2 × look"),
        (REPLAY.replace("look", "bend"), "2 × bend"),
        (REPLAY.replace("G2-item", "lost-update"), None),
        (REPLAY.replace("anomaly", "focus_key: 17\n  anomaly"), None),
        ("version: [1", None),
        ("version: 1\nreplay: 3", None),
    ):
        path.write_text(written)
        articles = report_page(read_run(run)).split("<article")
        told = [article for article in articles if followed in article]
        assert len(told) == (expected is not None), written
        assert all(expected in article for article in told if expected), written


def test_near_cycles_stand_where_nothing_was_found(runs: Path) -> None:
    shown = page(runs / "near")
    [result] = [each.result for each in read_run(runs / "near").iterations]
    assert result is not None
    assert result.near_cycles
    assert "What nearly happened" in shown.text
    assert any("missing" in each for each in shown.classes("g"))
    for edge in result.near_cycles[0].path:
        assert edge.why in shown.text


# -- what it is made of -----------------------------------------------------------------------


def test_nothing_is_fetched_and_nothing_runs_but_its_own_script(dirty: Path) -> None:
    text = report_page(read_run(dirty))
    shown = Page(text)
    tags = {name for name, _ in shown.elements}
    assert not tags & {"link", "iframe", "object", "embed", "img", "base", "form"}
    names = {name for _, attributes in shown.elements for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "xlink:href")}
    assert all((each["href"] or "").startswith("#") for each in shown.all("a"))
    assert not re.search(r"url\((?!#)|@import|https?://", text)
    [policy] = [each["content"] for each in shown.all("meta") if "http-equiv" in each]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script == asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy


def test_there_is_a_way_to_each_part(dirty: Path) -> None:
    text = report_page(read_run(dirty))
    shown = Page(text)
    places = {attributes["id"] for _, attributes in shown.elements if "id" in attributes}
    ways = [(each["href"] or "").removeprefix("#") for each in shown.all("a")]
    assert {"findings", "finding-1", "finding-3", "iterations", "run"} <= {*ways}
    assert {*ways} <= places
    assert {f"iteration-{number}" for number in range(4)} <= places


def test_operations_have_details_for_pointer_and_keyboard(dirty: Path) -> None:
    shown = page(dirty)
    told = [attributes for tag, attributes in shown.elements if tag == "g" and "data-tip" in attributes]
    assert told
    assert all(each["tabindex"] == "0" and each["aria-label"] == each["data-tip"] for each in told)
    tips = [each["data-tip"] or "" for each in told]
    assert any(re.match(r"T\d reads key 1: \[\]\noperation 1 of 2 of transaction \d", tip) for tip in tips)
    edge = r"T\d appends 1 to key 2\noperation 2 of 2 .*\n.*T\d appended 1, its next element\."
    assert any(re.fullmatch(edge, tip) for tip in tips)


def test_commands_can_be_copied(dirty: Path) -> None:
    shown = page(dirty)
    buttons = [each for each in shown.all("button") if each.get("class") == "copy"]
    assert len(buttons) == shown.classes("pre").count("command") > 0
    assert all("hidden" in each for each in buttons)  # until the script has seen that it can


def test_what_strangers_wrote_stays_text(dirty: Path) -> None:
    evil = "</code><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b[2J'\"&amp;\ud800"
    path = dirty / "iter_00" / "analysis.json"
    data = json.loads(path.read_text())
    for anomaly in data["anomalies"]:
        anomaly["type"] = f"G1c{evil}"
        anomaly["definition"] = anomaly["explanation"] = evil
        for view in anomaly["transactions"]:
            view["template"], view["mops"] = evil, [[evil, evil, {"edn": evil}]]
        for edge in anomaly["edges"]:
            edge["key"] = edge["value"] = edge["why"] = evil
    for each in data["key_pressure"]:
        each["key"] = evil
    path.write_text(json.dumps(data))
    edit(dirty / "campaign.json", workload=evil, isolation=evil, database={evil: evil}, cautions=[evil])
    decisions = [{"target": evil, "before": {evil: 1}, "after": [evil], "reason": evil, "heuristic": evil}]
    (dirty / "iter_00" / "decisions.json").write_text(json.dumps(decisions))
    text = report_page(read_run(dirty))
    tags = {name for name, _ in Page(text).elements}
    assert "img" not in tags
    assert text.count("<script") == 1
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.slow
def test_the_page_is_bounded(dirty: Path) -> None:
    """Hundreds of iterations full of long cycles of transactions with long lists."""
    plain = len(report_page(read_run(dirty)))
    path = dirty / "iter_00" / "analysis.json"
    data = json.loads(path.read_text())
    anomaly = next(each for each in data["anomalies"] if each["edges"])
    view, edge = anomaly["transactions"][0], anomaly["edges"][0]
    many = 400
    anomaly["transactions"] = [
        {**view, "row": at, "index": at, "template": "t" * 400, "mops": [["append", 1, 2]] * 2_000}
        for at in range(many)
    ]
    anomaly["edges"] = [
        {**edge, "source": at, "target": (at + 1) % many, "why": "because " * 2_000} for at in range(many)
    ]
    anomaly["explanation"] = "\n".join(["because " * 2_000] * many)
    data["anomalies"] = [anomaly]
    data["key_pressure"] *= 100
    text = json.dumps(data)
    path.write_text(text)
    first = dirty / "iter_00"
    stats = json.loads((dirty / "stats.json").read_text())
    for number in range(4, 400):
        place = dirty / f"iter_{number:02d}"
        place.mkdir()
        (place / "decisions.json").write_text((first / "decisions.json").read_text())
        stats["by_iteration"].append({**stats["by_iteration"][0], "iteration": number})
        result = {**data, "anomalies": [], "key_pressure": data["key_pressure"][:8], "near_cycles": []}
        (place / "analysis.json").write_text(json.dumps(result))
    edit(dirty / "stats.json", by_iteration=stats["by_iteration"])
    large = report_page(read_run(dirty))
    Page(large)
    assert len(large) < 1_500_000
    assert len(large) < 40 * plain
    assert "392 more transactions" in large
    assert "in progress.csv" in large


# -- run directories that are not whole ---------------------------------------------------------


def read(directory: Path) -> tuple[CampaignResult, str]:
    record = read_run(directory)
    return record, Page(report_page(record)).text


def test_a_killed_campaign(clean: Path, txfuzz: Cli) -> None:
    edit(clean / "campaign.json", state="running")
    shutil.rmtree(clean / "iter_01")
    (clean / "iter_01").mkdir()
    (clean / "iter_01" / "history.edn").write_text("")
    _, text = read(clean)
    assert "The campaign was killed: `txfuzz run --resume" in text
    assert "Iteration 1 was not analysed (iter_01/analysis.json is missing; its history is there)" in text
    assert txfuzz("report", "--exit-code", clean).code == 3


def test_a_campaign_that_runs_now(clean: Path) -> None:
    edit(clean / "campaign.json", state="running")
    with open(clean / ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "The campaign is still running" in read(clean)[1]


def test_a_failed_campaign_is_not_valid(clean: Path, txfuzz: Cli) -> None:
    edit(clean / "campaign.json", state="failed: the server went away <here>")
    _, text = read(clean)
    assert "The campaign failed: the server went away <here>" in text
    assert "No verdict: the campaign did not finish" in text
    assert txfuzz("report", "--exit-code", clean).code == 3


def test_a_failed_campaign_keeps_what_it_found(dirty: Path, txfuzz: Cli) -> None:
    edit(dirty / "campaign.json", state="failed: the server went away")
    assert txfuzz("report", "--exit-code", dirty).code == 1


def test_an_interrupted_campaign(clean: Path, txfuzz: Cli) -> None:
    edit(clean / "campaign.json", state="interrupted")
    assert "The campaign was interrupted" in read(clean)[1]
    assert txfuzz("report", "--exit-code", clean).code == 0


def test_no_campaign_json(dirty: Path) -> None:
    (dirty / "campaign.json").unlink()
    record, text = read(dirty)
    assert "campaign.json is missing or damaged" in text
    assert record.expect == "serializable"
    assert record.findings


def test_no_stats(clean: Path) -> None:
    whole = read_run(clean)
    (clean / "stats.json").unlink()
    record, _ = read(clean)
    for before, now in zip(whole.iterations, record.iterations, strict=True):
        assert now.numbers.transactions == before.numbers.transactions
        assert now.numbers.near_cycles == before.numbers.near_cycles
        assert now.numbers.per_second == pytest.approx(before.numbers.per_second, abs=0.1)


@pytest.mark.parametrize(
    "name", ["campaign.json", "stats.json", "iter_00/analysis.json", "iter_00/decisions.json"]
)
@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", "[1]", '{"by_iteration": [{"iteration": []}]}', "null", "\x00"]
)
def test_spoilt_files_are_told(dirty: Path, name: str, spoilt: str) -> None:
    (dirty / name).write_text(spoilt)
    record, _ = read(dirty)
    assert len(record.iterations) == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [("transactions", "many"), ("anomalies", [{"type": "G0"}]), ("verdict", "perhaps"), ("edge_counts", [1])],
)  # fmt: skip
def test_an_analysis_of_another_shape_is_told(dirty: Path, field: str, value: object) -> None:
    edit(dirty / "iter_00" / "analysis.json", **{field: value})
    record, text = read(dirty)
    assert record.iterations[0].reason == "it was not analysed"
    assert "iter_00/analysis.json was not written by this version of txfuzz" in text


def test_an_unknown_field_is_passed_over(dirty: Path) -> None:
    edit(dirty / "iter_00" / "analysis.json", later=[1])
    assert read_run(dirty).iterations[0].reason != "it was not analysed"


def test_without_times_the_order_is_drawn(dirty: Path) -> None:
    path = dirty / "iter_00" / "analysis.json"
    data = json.loads(path.read_text())
    for anomaly in data["anomalies"]:
        for view in anomaly["transactions"]:
            view["start"] = view["end"] = None
    path.write_text(json.dumps(data))
    assert "the times below are exact" in read(dirty)[1], "those of other iterations"
    first = next(part for part in report_page(read_run(dirty)).split("<article")[1:] if "G2-item" in part)
    assert 'class="cycle"' in first
    assert '<g class="axis"></g>' in first
    assert "not to scale." in first


def test_no_campaign_at_all(tmp_path: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"txfuzz: {tmp_path}: no campaign here (neither campaign.json nor iter_00)\n"
    assert txfuzz("report", "--exit-code", tmp_path / "nowhere").code == 2


def test_a_directory_of_campaigns(dirty: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", dirty.parent)
    assert ran.code == 2
    assert f"; the newest one below it is {dirty}\n" in ran.err


def test_a_page_that_cannot_be_written(dirty: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", dirty, "--out", dirty / "nowhere" / "page.html")
    assert ran.code == 2
    assert "cannot be written" in ran.err


def test_a_device_is_written_to_not_replaced(dirty: Path, txfuzz: Cli) -> None:
    assert txfuzz("report", "--exit-code", dirty, "--out", "/dev/null").code == 1
    assert Path("/dev/null").is_char_device()


def test_the_page_on_stdout(dirty: Path, txfuzz: Cli) -> None:
    assert txfuzz("report", "--exit-code", dirty, "--out", "-").out.startswith("<!doctype html>")
    assert not (dirty / "report.html").exists()
