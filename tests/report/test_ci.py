"""The workflow of docs/how-to/ci.md: it is well-formed, and its shell steps run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from txfuzz.report.baseline import read_baseline

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "ci.md"
WORKFLOW, WITH_ACTION, BASELINE = re.findall(
    r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
)


def job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW)["jobs"]["txfuzz"]
    return found


def test_the_workflow_installs_what_is_here() -> None:
    scripts = [step["run"] for step in job()["steps"] if "run" in step]
    [install] = [script for script in scripts if "pip install" in script]
    for word in install.split()[4:]:
        assert (ROOT / word / "pyproject.toml").exists()
    assert job()["env"]["DATABASE_URL"].startswith("postgresql://")


def test_the_action_takes_what_the_page_gives_it() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    used = yaml.safe_load(WITH_ACTION)["jobs"]["txfuzz"]["steps"][-1]
    assert used["uses"].startswith("txfuzz/txfuzz@")
    assert used["with"].keys() <= action["inputs"].keys()
    section = PAGE.read_text().split("## The action", 1)[1].split("## The baseline", 1)[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert {name.strip("`") for row in rows for name in row.split(", ")} == action["inputs"].keys()


def test_the_baseline_of_the_page_is_one() -> None:
    [expected] = read_baseline(BASELINE, "isolation.yaml")
    assert [each.type for each in expected.anomalies] == ["G2-item"]


@pytest.mark.server
@pytest.mark.slow
def test_the_steps_run_as_they_stand_there(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    known, summary = tmp_path / ".github" / "isolation.yaml", tmp_path / "summary.md"
    known.write_text(BASELINE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GITHUB_STEP_SUMMARY": str(summary)}
    environment.pop("DATABASE_URL", None)  # the embedded server stands in for the service

    def step(name: str) -> int:
        [script] = [each["run"] for each in job()["steps"] if each.get("name") == name]
        ran = subprocess.run(
            ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, timeout=120,
            capture_output=True, check=False,
        )  # fmt: skip
        return ran.returncode

    assert step("Run the workload") == 0
    assert step("Report") == 0
    cases = list(ElementTree.parse(tmp_path / "report.xml").getroot().iter("testcase"))
    assert len(cases) == 4  # the search at small scope, and three iterations
    assert "expected by the baseline: G2-item" in (tmp_path / "report.xml").read_text()
    assert "Expected by the baseline: G2-item." in summary.read_text()
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")

    known.write_text("version: 1\nexpected: []\n")
    assert step("Report") == 1
    assert "New, not in the baseline: G2-item." in summary.read_text()
