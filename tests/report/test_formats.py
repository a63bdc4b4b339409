"""`txfuzz report` for CI: JUnit, Markdown, and baselines of what is expected."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from project_fixtures import Ran
from report_runs import ABORTED, FORK, READ_SKEW, SKEW, campaign, edit, judged, third_plugin
from txfuzz.campaign.directory.reader import read_run
from txfuzz.report.baseline import AcceptedAnomaly, BaselineEntry, baseline_text, read_baseline

Cli = Callable[..., Ran]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("runs")
    with third_plugin(root / "site"):
        judged(root, "dirty", SKEW, FORK, SKEW)
        judged(root, "skew", READ_SKEW)
        judged(root, "twice", SKEW, [(2, "read", 1, 5, "[:r 3 []]"), *SKEW])
        judged(root, "aborted", ABORTED)
        campaign(root, "clean", 1)
        yield root


def copy(runs: Path, tmp_path: Path, name: str) -> Path:
    return Path(shutil.copytree(runs / name, tmp_path / name))


def junit(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    cases, suite = list(root.iter("testcase")), root.find("testsuite")
    assert suite is not None
    for element in (root, suite):
        assert int(element.get("tests", -1)) == len(cases)
        for kind in ("failure", "error"):
            assert int(element.get(f"{kind}s", -1)) == sum(case.find(kind) is not None for case in cases)
    return root


# -- JUnit --------------------------------------------------------------------------------------


def test_a_test_case_an_iteration(runs: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", runs / "dirty", "--format", "junit")
    assert ran.code == 1
    root = junit(ran.out)
    names = [case.get("name") for case in root.iter("testcase")]
    assert names == [f"iteration {number} against serializable" for number in range(3)]
    failures = list(root.iter("failure"))
    assert [failure.get("type") for failure in failures] == ["G2-item", "G-nonadjacent-item", "G2-item"]
    assert "which contradicts serializable" in (failures[0].get("message") or "")
    told = " ".join((failures[0].text or "").split())
    for line in read_run(runs / "dirty").findings[0].anomaly.explanation.splitlines():
        assert " ".join(line.split()) in told


def test_each_iteration_tells_its_own_transactions(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    known = tmp_path / "known.yaml"
    cases = list(
        junit(txfuzz("report", "--exit-code", runs / "twice", "--format", "junit").out).iter("failure")
    )
    assert len(cases) == 2
    ran = txfuzz("report", "--exit-code", runs / "twice", "--format", "junit", "--write-baseline", known)
    assert ran.code == 1
    accepted = junit(
        txfuzz("report", "--exit-code", runs / "twice", "--format", "junit", "--baseline", known).out
    )
    for elements in (cases, list(accepted.iter("system-out"))):
        told = [element.text or "" for element in elements]
        assert ["transaction 2, look" in text for text in told] == [True, False]
        assert ["transaction 4, look" in text for text in told] == [False, True]


def test_junit_of_a_campaign_that_found_nothing(runs: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", runs / "clean", "--format", "junit")
    assert ran.code == 0
    small_scope, iteration = junit(ran.out).iter("testcase")
    assert [(each.get("name") or "").split()[1] for each in (small_scope, iteration)] == ["small-scope", "0"]
    assert [*small_scope, *iteration] == []


def test_junit_without_a_verdict(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run = copy(runs, tmp_path, "clean")
    edit(run / "iter_00" / "analysis.json", verdict="unknown", reason="vacuous: nothing committed")
    ran = txfuzz("report", "--exit-code", run, "--format", "junit")
    assert ran.code == 3
    [error] = junit(ran.out).iter("error")
    assert error.get("message") == "no verdict: vacuous: nothing committed"


def test_junit_of_a_campaign_that_failed(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run = copy(runs, tmp_path, "clean")
    edit(run / "campaign.json", state="failed: the server went away")
    ran = txfuzz("report", "--exit-code", run, "--format", "junit")
    assert ran.code == 3
    [error] = junit(ran.out).iter("error")
    assert error.get("message") == "the campaign failed: the server went away"


def test_what_strangers_wrote_is_text_in_xml(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run = copy(runs, tmp_path, "dirty")
    evil = "]]></failure><x a='\"&\x00\x1b\ufffe\ud800\n"
    path = run / "iter_00" / "analysis.json"
    data = json.loads(path.read_text())
    data["anomaly_types"] = [evil]
    for anomaly in data["anomalies"]:
        anomaly["type"] = anomaly["explanation"] = evil
        for view in anomaly["transactions"]:
            view["template"], view["mops"] = evil, [["append", evil, {"edn": evil}]]
    path.write_text(json.dumps(data))
    edit(run / "campaign.json", workload=evil, isolation=evil)
    root = junit(txfuzz("report", "--exit-code", run, "--format", "junit").out)
    assert root.find(".//x") is None


# -- Markdown -----------------------------------------------------------------------------------


def test_markdown(runs: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", runs / "dirty", "--format", "markdown")
    assert ran.code == 1
    assert "Found G2-item, which contradicts serializable" in ran.out
    assert ran.out.count("<details>") == ran.out.count("</details>") == 2
    rows = re.findall(r"^\| (\d) \| (\w+) \|", ran.out, re.MULTILINE)
    assert rows == [("0", "invalid"), ("1", "invalid"), ("2", "invalid")]
    assert "T1 < T2, because T1 read key" in ran.out


def test_markdown_holds_the_smallest_sql(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run = copy(runs, tmp_path, "dirty")
    place = run / "findings" / read_run(run).findings[0].signature.name
    place.mkdir(parents=True)
    (place / "repro.sql").write_text("SELECT 1; -- ```` nothing ends here\n")
    out = txfuzz("report", "--exit-code", run, "--format", "markdown").out
    assert "`````sql\nSELECT 1; -- ```` nothing ends here\n`````\n" in out


def test_what_strangers_wrote_is_text_in_markdown(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run = copy(runs, tmp_path, "dirty")
    evil = "@somebody <img src=x> | [a](b) `c` ``` **d** \ud800 \n# e"
    path = run / "iter_00" / "analysis.json"
    data = json.loads(path.read_text())
    for anomaly in data["anomalies"]:
        anomaly["type"] = anomaly["explanation"] = evil
    data["anomaly_types"] = [evil]
    path.write_text(json.dumps(data))
    edit(run / "campaign.json", workload=evil, cautions=[evil])
    out = txfuzz("report", "--exit-code", run, "--format", "markdown").out
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", out, flags=re.DOTALL | re.MULTILINE)
    assert "@somebody" not in outside
    assert "<img" not in outside
    assert "[a](" not in outside
    assert "\n# e" not in outside
    assert " | [a" not in outside


def test_markdown_is_bounded(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run = copy(runs, tmp_path, "dirty")
    for number in range(3):
        path = run / f"iter_{number:02d}" / "analysis.json"
        data = json.loads(path.read_text())
        [anomaly] = data["anomalies"][:1]
        data["anomalies"] = [
            {**anomaly, "type": f"G{at}-{number}", "explanation": "because " * 5_000} for at in range(50)
        ]
        path.write_text(json.dumps(data))
    out = txfuzz("report", "--exit-code", run, "--format", "markdown").out
    assert len(out) < 60_000
    assert "more finding" in out


# -- baselines ----------------------------------------------------------------------------------


def test_only_new_findings_fail(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    known = tmp_path / "known.yaml"
    ran = txfuzz("report", "--exit-code", runs / "dirty", "--format", "junit", "--write-baseline", known)
    assert ran.code == 1
    assert ran.err == f"recorded in {known}: G-nonadjacent-item, G2-item\n"
    assert yaml.safe_load(known.read_text())["expected"] == [
        {
            "adapter": "dictionary",
            "isolation": "dirty",
            "expect": "serializable",
            "anomalies": [{"type": "G-nonadjacent-item"}, {"type": "G2-item"}],
        }
    ]
    again = txfuzz("report", "--exit-code", runs / "dirty", "--format", "junit", "--baseline", known)
    assert again.code == 0
    assert [case.find("failure") for case in junit(again.out).iter("testcase")] == [None] * 3
    assert "expected by the baseline: G2-item" in again.out

    other = txfuzz("report", "--exit-code", runs / "skew", "--format", "markdown", "--baseline", known)
    assert other.code == 1
    assert "New, not in the baseline: G-single-item; in the baseline but not seen: " in other.out
    page = txfuzz("report", "--exit-code", runs / "dirty", "--baseline", known)
    assert page.code == 0
    assert (
        "Expected by the baseline: G-nonadjacent-item and G2-item."
        in (runs / "dirty/report.html").read_text()
    )


def test_a_reviewed_file_keeps_its_comments(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    known = tmp_path / "known.yaml"
    txfuzz("report", "--exit-code", runs / "dirty", "--write-baseline", known)
    reviewed = known.read_text().replace("{type: G2-item}", "{type: G2-item}   # reviewed")
    known.write_text(reviewed)
    again = txfuzz("report", "--exit-code", runs / "dirty", "--write-baseline", known)
    assert known.read_text() == reviewed
    assert "taken out" not in again.err
    other = txfuzz("report", "--exit-code", runs / "skew", "--write-baseline", known)
    gone = "G-nonadjacent-item, G2-item"
    assert other.err.endswith(f"\nremoved from {known}, as not seen this time: {gone}\n")
    assert known.read_text().startswith(reviewed[: reviewed.index("      - ")])


def test_a_finding_beside_a_known_one_is_new(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    known = tmp_path / "known.yaml"
    expected = BaselineEntry("dictionary", "dirty", "serializable", (AcceptedAnomaly("G2-item"),))
    known.write_text(baseline_text([expected]))
    ran = txfuzz("report", "--exit-code", runs / "dirty", "--format", "junit", "--baseline", known)
    assert ran.code == 1
    assert [failure.get("type") for failure in junit(ran.out).iter("failure")] == ["G-nonadjacent-item"]


def test_a_signature_narrows_a_type(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    known = tmp_path / "known.yaml"
    first = read_run(runs / "skew").findings[0]
    for names, code in (((first.signature.name,), 0), (("another",), 1)):
        accepted = tuple(AcceptedAnomaly(name, names) for name in read_run(runs / "skew").found)
        known.write_text(baseline_text([BaselineEntry("dictionary", "dirty", "serializable", accepted)]))
        assert txfuzz("report", "--exit-code", runs / "skew", "--baseline", known).code == code


@pytest.mark.parametrize("place", [("other", "dirty"), ("dictionary", "locked")])
def test_what_is_known_of_another_place_does_not_count(
    runs: Path, tmp_path: Path, txfuzz: Cli, place: tuple[str, str]
) -> None:
    known = tmp_path / "known.yaml"
    known.write_text(baseline_text([BaselineEntry(*place, "serializable", (AcceptedAnomaly("G1a"),))]))
    assert txfuzz("report", "--exit-code", runs / "aborted", "--baseline", known).code == 1
    txfuzz("report", "--exit-code", runs / "aborted", "--write-baseline", known)
    places = [(each["adapter"], each["isolation"]) for each in yaml.safe_load(known.read_text())["expected"]]
    assert sorted(places) == sorted([place, ("dictionary", "dirty")])


def test_an_unknown_iteration_is_not_forgiven(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run, known = copy(runs, tmp_path, "dirty"), tmp_path / "known.yaml"
    txfuzz("report", "--exit-code", run, "--write-baseline", known)
    edit(run / "iter_02" / "analysis.json", verdict="unknown", anomaly_types=[], anomalies=[])
    assert txfuzz("report", "--exit-code", run, "--baseline", known).code == 3


def test_an_invalid_history_without_an_anomaly_is_not_forgiven(
    runs: Path, tmp_path: Path, txfuzz: Cli
) -> None:
    run, known = copy(runs, tmp_path, "dirty"), tmp_path / "known.yaml"
    txfuzz("report", "--exit-code", run, "--write-baseline", known)
    edit(run / "iter_02" / "analysis.json", anomaly_types=[], anomalies=[], reason="an analyzer said no")
    ran = txfuzz("report", "--exit-code", run, "--baseline", known, "--format", "junit")
    assert ran.code == 1
    assert len(list(junit(ran.out).iter("failure"))) == 1


def test_a_baseline_is_read_as_it_was_written() -> None:
    written = [
        BaselineEntry(
            "a",
            "read committed",
            "serializable",
            (AcceptedAnomaly("G0"), AcceptedAnomaly("G1a", ("x_1", "y: {z}"))),
        ),
        BaselineEntry("b: c", "- ü", "snapshot-isolation"),
    ]
    assert read_baseline(baseline_text(written), "b.yaml") == tuple(written)
    assert read_baseline(baseline_text([]), "b.yaml") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "b.yaml: found an empty file, expected a baseline"),
        ("version: 2\nexpected: []", "b.yaml:1:10: found the number 2"),
        ("version: 1\nexpcted: []", "b.yaml:2:1: found the unknown field 'expcted'"),
        ("version: 1", "found a baseline without the field 'expected'"),
        (
            "version: 1\nexpected: [{adapter: a}]",
            "b.yaml:2:12: found an entry of a baseline without the field",
        ),
        ("version: [", "found invalid YAML"),
        (
            "version: 1\nexpected: [{adapter: a, isolation: b, expect: serialisable, anomalies: []}]",
            "serialisable",
        ),
        (
            "version: 1\nexpected: [{adapter: a, isolation: b, expect: serializable, anomalies: [{typ: x}]}]",
            "found the unknown field 'typ' in an anomaly",
        ),
    ],
)
def test_a_baseline_that_is_not_as_it_should_be(
    runs: Path, tmp_path: Path, txfuzz: Cli, text: str, words: str
) -> None:
    (tmp_path / "b.yaml").write_text(text)
    ran = txfuzz("report", "--exit-code", runs / "skew", "--baseline", "b.yaml")
    assert ran.code == 2
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_no_baseline_file(runs: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", runs / "skew", "--baseline", "nowhere.yaml")
    assert (ran.code, ran.err) == (2, "txfuzz: nowhere.yaml: cannot be read: No such file or directory\n")


def test_a_baseline_needs_to_know_the_place(runs: Path, tmp_path: Path, txfuzz: Cli) -> None:
    run = copy(runs, tmp_path, "skew")
    (run / "campaign.json").unlink()
    ran = txfuzz("report", "--exit-code", run, "--write-baseline", tmp_path / "b.yaml")
    assert ran.code == 2
    assert "a baseline needs the adapter, isolation level and model" in ran.err


def test_an_unknown_format(runs: Path, txfuzz: Cli) -> None:
    ran = txfuzz("report", "--exit-code", runs / "skew", "--format", "pdf")
    assert ran.code == 2
    assert "html" in ran.err
