"""The pages are true: links resolve, commands parse, tables and code are those of the program."""

from __future__ import annotations

import csv
import importlib
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pages import (
    DOCS,
    FENCE,
    PAGES,
    ROOT,
    blocks,
    fields,
    first_column,
    prose,
    script_of_replay,
    section,
    text,
)
from project_fixtures import Ran, Site
from txfuzz import AnalysisResult, Verdict, run_campaign
from txfuzz.campaign.iterations.record import KeptIteration, Seen
from txfuzz.cli.group import command_line
from txfuzz.errors import ExitCode
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.plugin.loader import load_plugins
from txfuzz.replay.result import ReplayResult
from txfuzz.report.text.lines import paragraph
from txfuzz.report.verdict import verdict_sentence
from txfuzz.workload.shipped import shipped_workloads

Cli = Callable[..., Ran]

TUTORIAL = DOCS / "tutorial" / "first-finding.md"
OUTPUT = DOCS / "tutorial" / "reading-the-output.md"
ARTEFACTS = DOCS / "reference" / "artefacts.md"
OF_A_PLUGIN = {"verdicts"}  # the command of docs/plugins/plugin-command.md


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as code hosts generate them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(there), f"{page.name} links to {target}"


def test_every_page_is_in_the_map() -> None:
    decisions = set(DOCS.glob("decisions/*.md")) - {DOCS / "decisions" / "index.md"}
    for index, pages in (
        (DOCS / "index.md", set(DOCS.rglob("*.md")) - {DOCS / "index.md"} - decisions),
        (DOCS / "decisions" / "index.md", decisions),
    ):
        linked = re.findall(r"\]\(([^)\s#]+\.md)\)", text(index))
        assert pages <= {(index.parent / name).resolve() for name in linked}


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    for page in PAGES:
        for words in re.findall(r"(?:^    |`)make ([a-z][\w-]*)", text(page), re.MULTILINE):
            assert words in targets, f"{page.name}: make {words}"


def test_files_that_pages_name_exist() -> None:
    for page in PAGES:
        for name in re.findall(r"(?:benchmarks|docs/makers|\.ci|tests)/[\w/-]+(?:\.\w+)?", prose(page)):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_files_and_folders_of_the_source_that_pages_name_exist() -> None:
    for page in PAGES:
        for name in re.findall(r"`(txfuzz/[\w/]+(?:\.py)?)`", prose(page)):
            assert (ROOT / name).exists(), f"{page.name}: {name}"
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \| .* \|$",
        section(DOCS / "explanation" / "architecture.md", "The loop"),
        re.MULTILINE,
    )
    assert {folder for folder, _ in rows} == {path.parent.name for path in ROOT.glob("txfuzz/*/__init__.py")}
    for folder, holds in rows:
        for below in re.findall(r"`(\w+)/`", holds):
            assert (ROOT / "txfuzz" / folder / below).is_dir(), f"{folder}/{below}"


def test_pictures_are_small_and_used() -> None:
    used = " ".join(map(text, PAGES))
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size < 200_000
        assert f"pictures/{picture.name}" in used


def commands(page: Path) -> Iterator[str]:
    """Every command of txfuzz on a page: indented, after a prompt, or in the text."""
    for line in prose(page).splitlines():
        if found := re.match(r" {4}(?:\$ )?txfuzz (.*)", line):
            yield found[1]
    for language in ("console", "sh", "bash"):
        for body in blocks(page, language):
            yield from re.findall(r"^(?:\$ |more: )txfuzz (.*)$", body, re.MULTILINE)
    yield from re.findall(r"`txfuzz ([^`]+)`", prose(page))


def test_there_are_commands() -> None:
    assert sum(1 for page in PAGES for _ in commands(page)) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_parse(page: Path) -> None:
    for line in commands(page):
        words = shlex.split(line, comments=True)
        if words[0] not in OF_A_PLUGIN:
            parses(command_line(), "txfuzz", words)


def parses(command: click.Command, name: str, words: list[str]) -> None:
    """Click accepts the words; nothing is run. A command without arguments only mentions it."""
    if name != "txfuzz" and not words:
        return
    try:
        context = command.make_context(name, list(words))
    except click.exceptions.Exit:  # --help and --version exit while they are parsed
        return
    except click.MissingParameter:  # "`txfuzz analyze --json` prints …": its options are known
        return
    if isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        below, found, left = command.resolve_command(context, rest)
        assert found is not None
        parses(found, below or "", left)


def test_exit_codes_are_those_of_the_program() -> None:
    rows = [row for row in first_column(section(ARTEFACTS, "Exit codes")) if row.isdigit()]
    assert [int(code) for code in rows] == list(ExitCode)
    epilog = command_line().epilog
    assert epilog is not None
    assert re.findall(r"\b\d+\b", epilog) == [str(int(code)) for code in ExitCode]


def test_the_workloads_of_the_reference_are_those_that_ship() -> None:
    rows = first_column(text(DOCS / "reference" / "workloads.md"))
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {name for name, _ in shipped_workloads()}


def test_the_finding_of_the_tutorial_is_worded_as_the_program_does() -> None:
    result = AnalysisResult(
        "h", Verdict.INVALID, "serializable", anomaly_types=("G2-item",), all_types=("G2-item",)
    )
    said = "\n".join(paragraph(verdict_sentence(result, "repeatable read", "snapshot-isolation")))
    assert said in text(OUTPUT)


def test_the_readme_is_one_screen() -> None:
    """And what it shows of `txfuzz check` is what the tutorial shows."""
    page = ROOT / "README.md"
    assert len(text(page).splitlines()) <= 65
    assert re.findall(r"^    (txfuzz .*)$", text(page), re.M) == ["txfuzz run"]
    assert "`txfuzz check seats.yaml`" in text(page)
    assert yaml.safe_load(blocks(page, "yaml")[0]) == yaml.safe_load(
        blocks(DOCS / "tutorial" / "check.md", "yaml")[0]
    )
    shown = blocks(page, "")[0].splitlines()
    assert set(shown) <= set(blocks(DOCS / "tutorial" / "check.md", "console")[0].splitlines())


def test_the_commands_of_replay_follow_the_demo() -> None:
    """make demo installs into .venv, so txfuzz is not found before that is on the path."""
    commands = re.findall(r"^    (\S.*)$", script_of_replay(), re.M)
    assert commands[0].startswith(". .venv/bin/activate")
    assert any(command.startswith("txfuzz execute ") for command in commands)
    last = text(OUTPUT).split("```")[1].strip().splitlines()[-1]
    echoed = re.search(r'echo "([^"]*activate)"', text(ROOT / "Makefile"))
    assert echoed is not None
    assert last == echoed[1].replace("$(BIN)", ".venv/bin")


def test_pages_about_the_loop_tell_one_and_the_same_run() -> None:
    one = re.search(
        r"^  A cycle of 2 transactions: (\d+) → .*?a contradiction!$", text(TUTORIAL), re.M | re.S
    )
    assert one is not None
    for page in (TUTORIAL, ARTEFACTS):
        assert f"{{:index {one[1]}, :type :ok" in text(page)


def test_the_tutorial_shows_that_a_campaign_begins_at_small_scope() -> None:
    shown = text(OUTPUT)
    assert shown.index("small scope: the workload's transactions") < shown.index("iteration 0: ")
    assert "in iterations small-scope, 0, 1, 2 and 3" in shown


AFTER_A_REPLAY = ("replay_history.edn", "replay_result.json", "replay_analysis.json")
ASKED = """version: 1
name: asked
database: {adapter: memory, isolation: read committed}
expect: serializable
workload:
  transactions:
    - name: probe
      steps:
        - {f: r, key: {choice: {range: [1, 6]}, as: a}}
        - {f: r, key: {choice: {range: [1, 6]}, as: b, distinct_from: [a]}}
        - {f: append, key: {ref: b}}
        - {f: r, key: {choice: {range: [1, 6]}, as: c, distinct_from: [a, b]}}
scheduling: {clients: 6, transactions: 400}
heuristics: [hot-keys, schema-init]
"""


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with something in it."""
    directory = tmp_path_factory.mktemp("run")
    (directory / "asked.yaml").write_text(ASKED)
    run_campaign(
        workload=directory / "asked.yaml", iterations=2, output=directory / "run", max_graph_nodes=2000
    )
    return directory / "run"


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_every_file_is_described(left_behind: Path) -> None:
    tree = FENCE.findall(text(ARTEFACTS))[0][2]
    for path in [*left_behind.iterdir(), *(left_behind / "iter_00").iterdir()]:
        assert re.search(
            rf"^ +{re.escape(path.name.replace('iter_01', 'iter_00'))}\b", tree, re.MULTILINE
        ) or (f"`{path.name}`" in text(ARTEFACTS))
    described = re.findall(r"^ +([\w.]+\.\w+) ", tree, re.MULTILINE)
    assert len(described) > 8
    elsewhere = {"report.html", "runner.log", "0000.yaml", "corpus.json", "feedback.json"}
    for name in set(described) - {*AFTER_A_REPLAY, *elsewhere}:
        places = (left_behind, left_behind / "iter_00", left_behind / "iter_small_scope")
        assert any((place / name).exists() for place in places), name


def test_the_fields_of_the_record_are_described(left_behind: Path) -> None:
    record = load(left_behind / "campaign.json")
    assert set(record) == fields(ARTEFACTS, "campaign.json")
    row = next(
        line for line in section(ARTEFACTS, "campaign.json").splitlines() if line.startswith("| `iterations`")
    )
    known = set(re.findall(r"`(\w+)`", row))
    assert set(record["iterations"][0]) <= known
    row = next(
        line
        for line in section(ARTEFACTS, "campaign.json").splitlines()
        if line.startswith("| `small_scope`")
    )
    assert set(record["small_scope"]) <= known | set(re.findall(r"`(\w+)`", row))


def test_the_fields_of_the_numbers_are_described(left_behind: Path) -> None:
    stats = load(left_behind / "stats.json")
    with open(left_behind / "progress.csv", encoding="utf-8") as file:
        columns = list(next(csv.reader(file)))
    beside = set(stats["by_iteration"][0]) - set(columns)
    assert first_column(section(ARTEFACTS, "progress.csv")) == [f"`{name}`" for name in columns]
    assert set(stats) | beside == fields(ARTEFACTS, "stats.json")
    row = next(
        line for line in section(ARTEFACTS, "stats.json").splitlines() if line.startswith("| `stages`")
    )
    assert set(stats["by_iteration"][0]["stages"]) == set(re.findall(r"`(\w+)`", row)) - {"stages"}


def test_the_fields_of_the_execution_are_described(left_behind: Path) -> None:
    assert set(load(left_behind / "iter_00" / "execution.json")) == fields(ARTEFACTS, "execution.json")


def test_the_fields_of_what_the_feedback_knows_are_described() -> None:
    told = section(ARTEFACTS, "feedback.json")
    for name in (*KeptIteration.__dataclass_fields__, *Seen.__dataclass_fields__):
        assert f"`{name}`" in told, name


def test_the_fields_of_decisions_are_described(left_behind: Path) -> None:
    decisions = load(left_behind / "iter_00" / "decisions.json")
    assert set(decisions[0]) == fields(ARTEFACTS, "decisions.json")
    row = next(
        line for line in section(ARTEFACTS, "decisions.json").splitlines() if line.startswith("| `target`")
    )
    assert set(re.findall(r"`([\w.]+)`", row)) - {"target"} == set(TARGETS)


def test_the_fields_of_the_analysis_are_described(left_behind: Path) -> None:
    analysis = load(left_behind / "iter_00" / "analysis.json")
    assert set(analysis) == fields(ARTEFACTS, "analysis.json")
    anomaly = next(each for each in analysis["anomalies"] if each["edges"])
    near = analysis["near_cycles"][0]
    shown: Mapping[str, Mapping[str, Any]] = {
        "An anomaly": anomaly,
        "A transaction": anomaly["transactions"][0],
        "An edge": anomaly["edges"][0],
        "A near-cycle": near,
        "A missing edge": near["missing"],
        "A component": analysis["sccs"][0],
        "A key's pressure": analysis["key_pressure"][0],
    }
    for title, found in shown.items():
        assert set(found) == fields(ARTEFACTS, title), title


def test_the_fields_of_the_corpus_are_described(left_behind: Path, tmp_path: Path) -> None:
    run_campaign(
        workload=left_behind.parent / "asked.yaml",
        iterations=1,
        strategy="learning",
        lean=True,
        output=tmp_path / "run",
    )
    corpus = load(tmp_path / "run" / "corpus" / "corpus.json")
    assert (tmp_path / "run" / "corpus" / "0000.yaml").exists()
    assert set(corpus["entries"][0]) == fields(ARTEFACTS, "corpus.json")


def test_the_fields_of_replays_are_described() -> None:
    assert set(ReplayResult.__dataclass_fields__) | {"origins", "tried", "failed"} == fields(
        ARTEFACTS, "Replays"
    )


def test_the_keys_of_operations_are_described(left_behind: Path) -> None:
    lines = (left_behind / "iter_00" / "history.edn").read_text(encoding="utf-8").splitlines()
    written = {
        key for line in lines for key in re.findall(r"[{ ](:\w+) ", line.partition(" :value")[0] + " :value ")
    }
    described = fields(ARTEFACTS, "history.edn")
    assert written | {":error", ":at"} == described  # ":at" with endpoints only
    (example,) = blocks(ARTEFACTS, "clojure")
    assert set(re.findall(r"[{ ](:\w+) (?!nil)", example)) >= described - {":error", ":at"}


def test_python_of_the_tutorial_runs(site: Site) -> None:
    own, script = blocks(TUTORIAL, "python")
    site.add("txfuzz-patience", "txfuzz_patience", own)
    heuristic = load_plugins(strict=True).find("heuristic", "patience")
    assert heuristic().most == 32
    names = re.findall(r"from txfuzz import (.*)", script)[0].split(", ")
    assert all(hasattr(importlib.import_module("txfuzz"), name) for name in names)


@pytest.mark.server
def test_the_script_of_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    exec(compile(blocks(TUTORIAL, "python")[1], "tutorial", "exec"), {})
    found, allowed = capsys.readouterr().out.splitlines()
    assert found == "Verdict.INVALID {'G2-item': [0]}"
    assert allowed == "Verdict.VALID"


@pytest.mark.slow
@pytest.mark.server
def test_the_workloads_of_the_tutorial_show_what_it_says(txfuzz: Cli) -> None:
    for body in blocks(TUTORIAL, "yaml"):
        Path(f"{yaml.safe_load(body)['name']}.yaml").write_text(body)
    on_call = ("run", "--config", "on_call.yaml", "--iterations", 1)
    found = txfuzz(*on_call)
    assert found.code == ExitCode.VIOLATED
    assert "G2-item" in found.out
    assert txfuzz(*on_call, "--isolation", "serializable").code == ExitCode.NOTHING_FOUND
    locked = txfuzz("run", "--config", "on_call_locked.yaml", "--iterations", 1)
    assert locked.code == ExitCode.NOTHING_FOUND, locked.out
