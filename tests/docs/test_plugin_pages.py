"""The pages for plugin authors, followed word for word in an empty directory and a fresh environment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from environments import Environment
from pages import DOCS, Block, Command, blocks_of, commands, text
from project_fixtures import Site
from txfuzz.cli.group import COMMANDS, command_line
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.plugin import hookspecs
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.scaffold.files import KINDS
from txfuzz.testing import MemoryAdapter
from txfuzz.testing.memory.defects import DEFECTS

ENTRY = DOCS / "plugins" / "writing-a-plugin.md"
KIND_PAGES = {kind: DOCS / "plugins" / f"plugin-{kind}.md" for kind in (*KINDS, "command")}
# What comes with forms has no page of its own
HUNTED = {"txfuzz_register_known_holes"}
FINDS = ("txfuzz run ", "txfuzz analyze ")  # exit with 1 when they found something


def follow(page: Path, environment: Environment) -> None:
    """Write each file of the page, run each command, and compare the output with the page."""
    for block in blocks_of(page):
        if block.file is not None and block.language != "console":
            (environment.directory / block.file).write_text(block.body)
        for command in commands(block.body) if block.language == "console" else ():
            run(command, environment)


def run(command: Command, environment: Environment) -> None:
    ran = environment.run(["sh", "-c", command.line])
    assert ran.returncode == 0 or (ran.returncode == 1 and command.line.startswith(FINDS)), (
        f"{command.line} ended with {ran.returncode}:\n{ran.stdout}"
    )
    assert command.pattern().search(ran.stdout), f"{command.line} printed\n{ran.stdout}\nnot\n{command.shown}"


@pytest.fixture(scope="module")
def walks(
    installed: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Environment]]]:
    """Each page followed in its own environment, two at a time, because they mostly wait for processes."""

    def walk(page: Path, environment: Environment) -> Environment:
        follow(page, environment)
        return environment

    with ThreadPoolExecutor(2) as pool:
        yield {
            kind: pool.submit(walk, page, installed.child(tmp_path_factory.mktemp(kind)))
            for kind, page in KIND_PAGES.items()
        }


@pytest.mark.install
@pytest.mark.timeout(900)  # packages may have to be downloaded
@pytest.mark.parametrize("kind", KIND_PAGES)
def test_a_page_leads_from_an_empty_folder_to_what_it_says(
    walks: dict[str, Future[Environment]], kind: str
) -> None:
    environment = walks[kind].result()
    listed = environment.txfuzz("plugins", "--strict-plugins")
    assert listed.returncode == 0, listed.stderr
    if kind == "heuristic":
        used_by_its_campaign(environment.directory / "runs" / "press", "press")
    if kind == "template":
        found(environment.directory / "runs" / "hospital", "G2-item", "go-off-call")
        found(environment.directory / "runs" / "night-shift", "G2-item", "night-shift")


def used_by_its_campaign(run: Path, heuristic: str) -> None:
    """The campaign recorded the heuristic, applied its proposals, and explains them in its notes."""
    record = json.loads((run / "campaign.json").read_text())
    assert heuristic in record["heuristics"]
    assert f"txfuzz-{heuristic}" in {each["distribution"] for each in record["plugins"]}
    decisions = json.loads((run / "iter_00" / "decisions.json").read_text())
    (made,) = [each for each in decisions if each["heuristic"] == heuristic]
    notes = (run / "iter_00" / "notes.md").read_text()
    assert f"**{heuristic}** changes the choice of keys" in notes
    assert made["reason"] in notes
    chosen = set(
        re.findall(r"choice: \{from: \[([\d, ]+)\]", (run / "iter_01" / "workload.yaml").read_text())
    )
    assert chosen == {", ".join(map(str, made["after"]))}


def found(run: Path, anomaly: str, template: str) -> None:
    record = json.loads((run / "campaign.json").read_text())
    assert record["found"][anomaly]
    iteration = record["found"][anomaly][0]
    analysis = json.loads((run / f"iter_{iteration:02d}" / "analysis.json").read_text())
    assert {each["template"] for each in analysis["anomalies"][0]["transactions"]} == {template}


@pytest.mark.slow
def test_what_the_pages_build_conforms(tmp_path: Path) -> None:
    """The one file of each page, checked by the class and the line that the page names."""
    for kind in KINDS:
        page = KIND_PAGES[kind]
        (file,) = [block for block in blocks_of(page) if block.language == "python"]
        assert file.file is not None
        (tmp_path / file.file).write_text(file.body)
        (told,) = re.findall(
            r"subclass\s+of\s+`txfuzz\.testing\.(\w+)`\s+with\s+the\s+line\s+`(.+?)`", text(page)
        )
        needed = "from txfuzz_sqlite.adapter import SqliteAdapter\n" if "SqliteAdapter" in told[1] else ""
        (tmp_path / f"test_{kind}.py").write_text(
            f"{needed}from {Path(file.file).stem} import *\nfrom txfuzz.testing import {told[0]}\n\n"
            f"class TestPage({told[0]}):\n    {told[1]}\n"
        )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stdout
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) > 40


def test_every_hook_has_its_page() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("txfuzz_register_")}
    rows = re.findall(r"^\| \[`(txfuzz_register_\w+)\(\w*\)`\]\(([\w-]+\.md)\)", text(ENTRY), re.MULTILINE)
    assert {name for name, _ in rows} == hooks - HUNTED
    assert all(f"| `{name}()` |" in text(ENTRY) for name in HUNTED)
    for name, page in rows:
        assert re.search(rf"^def {name}\(", text(ENTRY.parent / page), re.MULTILINE), (
            f"{page} shows no {name}"
        )
    assert {page for _, page in rows} == {path.name for path in KIND_PAGES.values()}


def test_the_ladder_leads_to_every_page() -> None:
    rungs = text(ENTRY).split("## The hooks")[0]
    for page in KIND_PAGES.values():
        assert f"]({page.name})" in rungs


def test_plugin_files_are_taken_where_the_page_says() -> None:
    (listed,) = re.findall(r"plugins are loaded \((.*?)\)", text(ENTRY))
    taking = set()
    for name in COMMANDS:
        commands = command_line()
        command = commands.get_command(click.Context(commands), name)
        assert command is not None
        if any("--plugin-file" in each.opts for each in command.params):
            taking.add(name)
    assert set(re.findall(r"`([\w-]+)`", listed)) == taking


def test_the_targets_of_the_page_are_those_of_the_program() -> None:
    section = text(KIND_PAGES["heuristic"]).split("## What can be changed")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)) == set(TARGETS)


def test_the_database_in_memory_is_as_the_page_says() -> None:
    section = text(ENTRY).split("## A database to try things on")[1].split("\n## ")[0]
    assert dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", section, re.MULTILINE)) == dict(DEFECTS)
    levels = re.search(r"At (.*?) it keeps its promise", section, re.DOTALL)
    assert levels is not None
    assert re.findall(r"`(.+?)`", levels[1]) == list(MemoryAdapter().capabilities().isolation)


def test_numbers_and_dots_stand_for_others() -> None:
    shown = Command("x", "found 12 of 1,000 … keys\n…\nthe end\n").pattern()
    assert shown.search("found 3 of 2,512 hot\nkeys and so on\nand so on: the end")
    assert not shown.search("found some of 2,512 hot keys the end")
    assert commands("$ a b\n1\n2\n$ c\n") == [Command("a b", "1\n2\n"), Command("c", "")]


def test_files_are_named_before_their_blocks() -> None:
    for page in KIND_PAGES.values():
        for block in blocks_of(page):
            assert isinstance(block, Block)
            assert block.language in ("python", "yaml", "toml", "console"), page
            assert block.file or block.language == "console", f"{page.name}: a block that nobody runs"


def test_the_complaints_of_the_plugin_page_are_those_of_the_program(site: Site) -> None:
    (page_says,) = re.findall(r"`… (unknown hook '\w+': did you mean '\w+'\?)`", text(ENTRY))
    wrong = "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_adaptors():\n    return []"
    site.add("txfuzz-oncall", "txfuzz_oncall", wrong)
    (problem,) = load_plugins().problems
    assert page_says in str(problem)
    site.add("txfuzz-other", "other", "raise ValueError")
    said = " ".join(map(str, load_plugins().problems))
    assert "plugin 'other' of txfuzz-other 1.0: importing other failed: " in said
