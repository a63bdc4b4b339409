"""Files of a campaign that were changed by hand, cut short or written by others: one sentence each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_fixtures import Ran
from txfuzz.campaign.directory.values import ArtefactError, json_in, read_back
from txfuzz.campaign.loop import run_campaign
from txfuzz.execution.summary import ExecutionSummary

Cli = Callable[..., Ran]
WORKLOAD = """version: 1
name: kept
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: a
      steps:
        - {f: r, key: {choice: {range: [1, 3]}, as: k}}
        - {f: r, key: {choice: {range: [1, 3]}, distinct_from: [k]}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 4, transactions: 200}
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with replays."""
    place = tmp_path_factory.mktemp("ended")
    (place / "w.yaml").write_text(WORKLOAD)
    run_campaign(
        workload=place / "w.yaml", output=place / "o", iterations=1, run_replay=True, max_graph_nodes=0
    )
    return place / "o"


@pytest.fixture
def campaign(ended: Path, txfuzz: Cli, tmp_path: Path) -> Path:
    shutil.copytree(ended, tmp_path / "o")
    return tmp_path / "o"


def changed(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_untouched_it_goes_on(campaign: Path, txfuzz: Cli) -> None:
    assert txfuzz("run", "--resume", "o", "--iterations", 2, "-q").code == 1
    assert txfuzz("run", "--skip-run", "--output-dir", "o", "-q").code == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"asked": "many"}, "ExecutionSummary.asked is 'many', expected int"),
        ({"aborts": {"40001": "x"}}, "ExecutionSummary.aborts.40001 is 'x', expected int"),
        ({"aborts": []}, "ExecutionSummary.aborts is [], expected an object"),
        ({"faults": [{"name": 1}]}, "ExecutionSummary.faults[0].name is 1, expected str"),
        ({"faults": 7}, "ExecutionSummary.faults is 7, expected a list"),
        ({"seconds": None}, "ExecutionSummary.seconds is None, expected float"),
        ({"failure": {"exit_code": 0}}, "ExecutionSummary.failure is {'exit_code': 0}"),
        ({"last_key": 1 << 70}, f"last_key is {1 << 70}, expected a physical key"),
        ({"last_key": -1}, "last_key is -1, expected a physical key"),
    ],
)
def test_execution(fields: dict[str, Any], sentence: str, campaign: Path, txfuzz: Cli) -> None:
    changed(campaign / "iter_00/execution.json", **fields)
    for command in (("--resume", "o", "--iterations", 2), ("--skip-run", "--output-dir", "o", "--lean")):
        ran = txfuzz("run", *command)
        assert ran.code == 2
        assert "o/iter_00/execution.json: " in ran.err
        assert sentence in ran.err


SPOILT = [
    (b"\xff\xfe", "cannot be read: it is not UTF-8"),
    (b"", "cannot be read: "),
    (b"[" * 100_000, "cannot be read: "),
    (b'{"failed": NaN}', "cannot be read: NaN is not a JSON number"),
    (b"[1]", "not written by this version of txfuzz: KeptReplays is [1], expected an object"),
    (b"{}", "not written by this version of txfuzz: KeptReplays has no field 'failed'"),
    (b'{"failed": {"x": 1}}', "not written by this version of txfuzz: keys must be numbers"),
    (b'{"failed": {"1": "x"}}', "KeptReplays.failed.1 is 'x', expected int"),
    (b'{"failed": {}, "origins": 3}', "KeptReplays.origins is 3, expected an object"),
]


@pytest.mark.parametrize(("data", "sentence"), SPOILT)
def test_replay_result(data: bytes, sentence: str, campaign: Path, txfuzz: Cli) -> None:
    (campaign / "iter_00/replay_result.json").write_bytes(data)
    ran = txfuzz("run", "--skip-run", "--output-dir", "o", "--lean")
    assert ran.code == 2
    assert "o/iter_00/replay_result.json: " in ran.err
    assert sentence in ran.err
    assert ran.err.count("\n") < 16


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"iterations": "four"}, "iterations is 'four', expected int"),
        ({"plugin_files": "x.py"}, "plugin_files is 'x.py', expected a list"),
        ({"max_seconds": "1"}, "max_seconds is '1', expected float"),
        ({"max_seconds": -1}, "max_seconds must be a number of seconds, found -1"),
        ({"open_loop": 1}, "open_loop is 1, expected bool"),
        ({"workload": None}, "workload is None, expected str"),
        ({"max_seconds": 10**400}, "max_seconds is 1000"),
    ],
)
def test_arguments_of_a_campaign(
    arguments: dict[str, Any], sentence: str, campaign: Path, txfuzz: Cli
) -> None:
    path = campaign / "campaign.json"
    changed(path, arguments=json.loads(path.read_text())["arguments"] | arguments)
    ran = txfuzz("run", "--resume", "o", "--iterations", 2)
    assert ran.code == 2
    assert sentence in ran.err
    # Histories are judged without what cannot be relied on
    assert txfuzz("run", "--skip-run", "--output-dir", "o", "-q").code == 1


@pytest.mark.parametrize("fields", [{"arguments": [1]}, {"state": 1}, {"iterations": 7}, {"iterations": [3]}])
def test_the_record_of_a_campaign(fields: dict[str, Any], campaign: Path, txfuzz: Cli) -> None:
    changed(campaign / "campaign.json", **fields)
    ran = txfuzz("run", "--resume", "o", "--iterations", 2)
    assert ran.code == 2
    assert "o/campaign.json: not written by this version of txfuzz: StoredCampaign." in ran.err
    assert txfuzz("report", "--exit-code", "o", "--format", "markdown").code in (1, 3)


@pytest.mark.parametrize(
    "name", ["campaign.json", "stats.json", "iter_00/analysis.json", "iter_00/decisions.json",
             "iter_00/replay_result.json", "iter_00/replay_analysis.json", "iter_00/execution.json"],
)  # fmt: skip
@pytest.mark.parametrize("data", [b"\xff", b"{}", b"[[1]]", b"7", b'{"a": Infinity}'])
def test_a_report_says_what_is_spoilt(name: str, data: bytes, campaign: Path, txfuzz: Cli) -> None:
    (campaign / name).write_bytes(data)
    assert txfuzz("report", "--exit-code", "o", "--format", "markdown").code in (1, 3)


def test_how_often_a_finding_was_seen(campaign: Path, txfuzz: Cli) -> None:
    shrink = ("shrink", "--exit-code", "o", "--budget", 3, "--findings", 1, "-q")
    assert txfuzz(*shrink).code == 1
    [path] = campaign.glob("findings/*/finding.json")
    path.write_text('{"seen": {"x": "often"}}')
    ran = txfuzz(*shrink)
    assert ran.code == 2
    assert f"{path.relative_to(campaign.parent)}: not written by this version" in ran.err


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        json_in(tmp_path / "x.json")
    (tmp_path / "d.json").mkdir()
    with pytest.raises(ArtefactError, match="cannot be read"):
        read_back(tmp_path / "d.json", ExecutionSummary)
