"""The GitHub Action: well-formed, and its scripts run as they stand there, with a stub for gh."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pages import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SCRIPTS = ROOT / ".github/action"
WORKLOAD = """version: 1
name: skew
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: read_one_write_the_other
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: seen}}
        - {f: append, key: {choice: {from: [1, 2]}}}
scheduling: {clients: 3, transactions: 60}
"""
# Keeps what it is asked, and answers a search for comments with what the test says
GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$GH_ASKED"
[ -z "${GH_FAILS:-}" ] || { echo "HTTP 403" >&2; exit 1; }
for word; do case $word in body=@*) cp "${word#body=@}" "$GH_BODY";; esac; done
case $* in *--paginate*) printf '%s' "${GH_FOUND:-}";; esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout with a workload, and commands on its path."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    for name, text in {"txfuzz": f'#!/bin/sh\nexec {sys.executable} -m txfuzz "$@"\n', "gh": GH}.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    return tmp_path


def script(name: str, place: Path, **given: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    named = {each: str(place / each.lower()) for each in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    asked = {each: str(place / each.lower()) for each in ("GH_ASKED", "GH_BODY")}
    environment = kept | named | asked | {"PATH": f"{place / 'bin'}:{kept['PATH']}"}
    environment |= {"PYTHONPATH": str(ROOT), "GITHUB_REPOSITORY": "us/app", "GITHUB_ACTION_PATH": str(ROOT)}
    return subprocess.run(
        [str(SCRIPTS / name)], cwd=place, env=environment | given, capture_output=True, text=True, check=False
    )


def outputs(place: Path) -> dict[str, str]:
    lines = (place / "github_output").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_input_arrives_and_every_script_is_there() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name in ACTION["inputs"]:
        assert f"inputs.{name}" in text
    named = re.findall(r"\$GITHUB_ACTION_PATH/(\S+?\.sh)", text)
    assert {ROOT / each for each in named} == {*SCRIPTS.glob("*.sh")}
    assert all(os.access(ROOT / each, os.X_OK) for each in named)
    given = {name for step in ACTION["runs"]["steps"] for name in step.get("env", {})}
    for path in SCRIPTS.glob("*.sh"):
        for name in re.findall(r"\$\{?([A-Z_]+)", path.read_text()):
            assert name in {*given, "PIPESTATUS"} or name.startswith("GITHUB_"), (path.name, name)
    # In a script of the workflow, ${{ }} would let an input run as code
    assert not any("${{" in step.get("run", "") for step in ACTION["runs"]["steps"])


@pytest.mark.slow
def test_a_finding_is_reported_and_fails_at_the_end(place: Path) -> None:
    given = {"WORKLOAD": "w.yaml", "ARGUMENTS": "--iterations 1 --max-graph-nodes 0", "OUTPUT_DIR": "out"}
    ran = script("run.sh", place, **given)
    assert ran.returncode == 0, ran.stderr
    assert outputs(place) == {"exit-code": "1", "report": "out/report.md", "page": "out/report.html"}
    report = (place / "out/report.md").read_text()
    assert "G2-item" in report
    assert (place / "github_step_summary").read_text() == report
    assert (place / "out/report.html").read_text().startswith("<!doctype html>")
    (place / "known.yaml").write_text("version: 1\nexpected: []\n")
    written = ("report", "out", "--write-baseline", "known.yaml")
    subprocess.run([place / "bin/txfuzz", *written], cwd=place, check=True, capture_output=True)
    again = script("run.sh", place, **given, BASELINE="known.yaml")
    assert again.returncode == 0, again.stderr
    assert outputs(place)["exit-code"] == "0"


def test_bad_input_is_reported_too(place: Path) -> None:
    secret = "postgresql://u:s3cret@127.0.0.1:9/d"
    ran = script(
        "run.sh", place, WORKLOAD="no_such", URL=secret, ARGUMENTS="--iterations *", OUTPUT_DIR="out"
    )
    assert ran.returncode == 0
    assert outputs(place)["exit-code"] == "2"
    summary = (place / "github_step_summary").read_text()
    assert "did not come to a report** (exit code 2)" in summary
    assert "'*'" in summary  # not the files of the directory
    assert "s3cret" not in summary + ran.stdout + ran.stderr


def test_the_comment_is_made_once_and_then_replaced(place: Path) -> None:
    (place / "report.md").write_text("## Write skew\n")
    given = {"REPORT": "report.md", "PULL_REQUEST": "7", "WORKLOAD": 'a "b"\n.yaml'}
    assert script("comment.sh", place, **given).returncode == 0
    asked = (place / "gh_asked").read_text().splitlines()
    assert asked[0].startswith("api --paginate repos/us/app/issues/7/comments --jq ")
    assert asked[1].startswith("api --method POST repos/us/app/issues/7/comments --field body=@")
    body = (place / "gh_body").read_text()
    assert body == "<!-- txfuzz report: a__b__.yaml -->\n## Write skew\n"
    assert f"startswith({json.dumps(body.splitlines()[0])})" in asked[0]
    assert script("comment.sh", place, **given, GH_FOUND="41\n42\n").returncode == 0
    asked = (place / "gh_asked").read_text().splitlines()
    assert asked[3].startswith("api --method PATCH repos/us/app/issues/comments/41 --field body=@")


def test_a_token_that_may_not_write_is_a_warning(place: Path) -> None:
    (place / "report.md").write_text("x\n")
    ran = script("comment.sh", place, REPORT="report.md", PULL_REQUEST="7", WORKLOAD="", GH_FAILS="1")
    assert ran.returncode == 0
    assert ran.stdout.startswith("::warning::txfuzz: the report is in the summary of the job")


def test_what_is_installed_is_the_source_of_the_action(place: Path) -> None:
    (place / "bin/python").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$GH_ASKED"\n')
    (place / "bin/python").chmod(0o755)
    assert script("install.sh", place, EXTRAS="sqlite duckdb").returncode == 0
    asked = (place / "gh_asked").read_text().splitlines()
    paths = [Path(word) for word in asked if word.startswith(str(ROOT)) and not word.endswith(".txt")]
    assert {path.name for path in paths[1:]} == {
        "default", "heuristics", "postgres", "templates", "sqlite", "duckdb"
    }  # fmt: skip
    assert all((path / "pyproject.toml").exists() for path in paths)
    ran = script("install.sh", place, EXTRAS="oracle")
    assert (ran.returncode, ran.stderr) == (2, "::error::txfuzz: there is no adapter 'oracle'\n")
