"""`txfuzz run --control`."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from txfuzz.campaign.loop import run_campaign
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.cli import run_command
from txfuzz.compare.control import control_of
from txfuzz.errors import ExitCode

WIDE = """version: 1
name: wide
database: {adapter: memory, isolation: snapshot%s}
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {range: [1, 400]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 8, transactions: 200}
"""


def test_it_says_how_soon_an_open_loop_finds_something(tmp_path: Path, capsys) -> None:
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE % ", defects: [lost-update], probability: 0.3")
    run = str(tmp_path / "run")
    code = run_command(
        ["run", "--config", str(path), "--iterations", "4", "--lean", "--control", "--output-dir", run, "-q"]
    )
    assert code == ExitCode.VIOLATED
    last = capsys.readouterr().out.splitlines()[-1]
    control = json.loads((tmp_path / "run" / "control.json").read_text())
    assert last.startswith(f"found after {control['campaign']:,} attempted transaction")
    assert control["most"] == max(2000, 10 * control["campaign"])
    assert control["control"] is None or control["control"] <= control["most"]


def test_a_campaign_that_found_nothing_has_no_control(tmp_path: Path) -> None:
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE % "")
    settings = CampaignSettings(workload=path, iterations=1, output=tmp_path / "run", lean=True)
    assert control_of(run_campaign(settings), settings, threading.Event()) is None


@pytest.mark.parametrize("option", [["--open-loop"], ["--strategy", "open-loop"], ["--runner-cmd", "true"]])
def test_there_is_none_of_an_open_loop_or_of_foreign_clients(option: list[str], capsys) -> None:
    assert run_command(["run", "--control", *option]) == ExitCode.USAGE
    assert "--control runs" in capsys.readouterr().err
