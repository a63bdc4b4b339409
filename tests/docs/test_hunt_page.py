"""docs/how-to/hunt.md: its form is registered and used, its workflow hunts, and it names every anomaly."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from pages import DOCS, blocks, text
from txfuzz.cli import run_command
from txfuzz.cli.commands.hunt import hunt
from txfuzz.errors import ExitCode
from txfuzz.hunt.judging.wrong import Wrong

PAGE = DOCS / "how-to" / "hunt.md"


@pytest.mark.slow
def test_its_form_is_hunted_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = blocks(PAGE, "python")
    plugin = tmp_path / "forms.py"
    plugin.write_text(code)
    chosen = ["--adapter", "sqlite", "--plugin-file", str(plugin)]
    assert run_command(["forms", *chosen]) == ExitCode.NOTHING_FOUND
    assert "update-unless-negative" in capsys.readouterr().out
    forms = "select,delete,update-unless-negative"
    assert run_command(["hunt", *chosen, "--forms", forms, "--budget", "20"]) == ExitCode.NOTHING_FOUND
    told = capsys.readouterr().out
    assert "Nothing found." in told
    assert "Left out" not in told


def test_its_workflow_hunts() -> None:
    [workflow] = blocks(PAGE, "yaml")
    steps = yaml.safe_load(workflow)["jobs"]["hunt"]["steps"]
    [command] = [step["run"] for step in steps if step.get("run", "").startswith("txfuzz")]
    words = shlex.split(command.replace("${{ github.run_number }}", "7"))
    assert words[:2] == ["txfuzz", "hunt"]
    assert hunt.make_context("hunt", words[2:]).params["seed"] == 7


def test_it_names_every_anomaly() -> None:
    anomalies = list(Wrong)[list(Wrong).index(Wrong.DIRTY_WRITE) :]
    assert all(f"| {each.value}" in text(PAGE) for each in anomalies)
