"""A matrix file: what it says, and one sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from txfuzz.compare.matrix.plan import Asks
from txfuzz.compare.matrix.reader import default_matrix, read_matrix
from txfuzz.errors import UsageError
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.shipped import scenario_path

ASK = "ask: [{scenario: p4}]"


def test_the_default_asks_every_scenario_that_ships() -> None:
    plan = read_matrix(default_matrix(), load_plugins())
    folder = Path(__file__).parents[3] / "examples" / "hermitage"
    assert {each.name for each in plan.questions} == {path.stem for path in folder.glob("*.yaml")}
    assert all(each.asks is Asks.SCENARIO and each.anomaly for each in plan.questions)
    assert list(dict.fromkeys(each.heading for each in plan.questions)) == [
        "G0", "G1a", "G1b", "G1c", "OTV", "PMP", "P4", "G-single", "G2-item", "G2",
    ]  # fmt: skip
    adapters = [each.adapter for each in plan.databases]
    assert {"postgres", "sqlite", "duckdb"} <= set(adapters)
    assert not {"memory", "sqlalchemy"} & set(adapters)


def test_what_is_left_out_is_as_in_the_default(tmp_path: Path) -> None:
    path = tmp_path / "matrix.yaml"
    path.write_text("version: 1\nseed: 3\n")
    plan, default = read_matrix(path, load_plugins()), read_matrix(default_matrix(), load_plugins())
    assert (plan.questions, plan.databases) == (default.questions, default.databases)
    assert (plan.name, plan.seed) == ("matrix", 3)


@pytest.mark.parametrize(
    ("question", "anomaly"),
    [
        ("scenario: g-single-write", "G-single"),
        ("scenario: g-single-write, anomaly: G1c", "G1c"),
        ("scenario: own.yaml", ""),
        ("scenario: shipped/p4.yaml", "lost-update"),
    ],
)
def test_a_shipped_scenario_keeps_its_anomaly(tmp_path: Path, question: str, anomaly: str) -> None:
    (tmp_path / "own.yaml").write_text(scenario_path("p4").read_text())
    (tmp_path / "shipped").symlink_to(scenario_path("p4").parent)
    path = tmp_path / "matrix.yaml"
    path.write_text(f"version: 1\nask: [{{{question}}}]\n")
    (asked,) = read_matrix(path, load_plugins()).questions
    assert asked.anomaly == anomaly


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x\nask: []\n", ":1:1: found no version"),
        ("version: 1\nask: []\n", ":2:6: found an empty list, expected at least one of the questions"),
        ("version: 1\nask: [{scenario: p5}]\n", "no scenario 'p5' comes with txfuzz: known: "),
        ("version: 1\nask: [{scenario: p4, anomaly: lost}]\n", "no level forbids an anomaly 'lost'"),
        ("version: 1\nask: [{scenario: p4}, {scenario: p4}]\n", "two questions called 'p4'"),
        ("version: 1\nask: [{scenario: p4, workload: x}]\n", "expected one of the fields"),
        ("version: 1\nask: [{scenario: p4, transactions: 5}]\n", "found 'transactions' of a scenario"),
        ("version: 1\nask: [{hunt: 5}]\n", "found the number 5, expected `hunt: true`"),
        ("version: 1\nask: [{workload: nothing}]\n", "no workload 'nothing'"),
        (f"version: 1\n{ASK}\ndatabases: [oracel]\n", ":3:13: "),
        (f"version: 1\n{ASK}\ndatabases: [memory, memory]\n", "two databases called 'memory'"),
        (f"version: 1\n{ASK}\ndatabases: [{{adapter: memory, options: {{evry: 1}}}}]\n", "'evry'"),
        (f"version: 1\n{ASK}\ndatabases: [{{adapter: sqlite, versions: [16.10]}}]\n", "a version in quotes"),
        (f"version: 1\n{ASK}\nlevel: [serializable]\n", "unknown field 'level'"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "matrix.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as told:
        read_matrix(path, load_plugins())
    assert str(told.value).startswith(f"{path}:")
    assert says in str(told.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_matrix(tmp_path / "none.yaml", load_plugins())
