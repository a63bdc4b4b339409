"""Histories that a program makes: judged in memory, written, and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compare_histories import ABOUT_THE_FILE, differences
from txfuzz import Verdict, analyze_history
from txfuzz.errors import HistoryError
from txfuzz.history.in_memory import as_history
from txfuzz.history.operations import Operation, operations
from txfuzz.history.reader import read_history
from txfuzz.history.writer import write_history

MAPPINGS: list[dict[str, Any]] = [
    {"type": "invoke", "process": "worker-1", "f": "txn", "value": [["r", "x", None], ["append", "y", 1]]},
    {"type": "invoke", "process": 1, "f": "txn", "value": [["r", "y"], ["append", "x", 1]], "time": 7},
    {"type": "info", "process": "nemesis", "f": "kill", "value": {"n1": "killed"}},
    {"type": "ok", "process": "worker-1", "f": "txn", "value": [["r", "x", []], ["append", "y", 1]]},
    {"type": "ok", "process": 1, "f": "txn", "value": [("r", "y", ()), ("append", "x", 1)], "time": 9},
    {"type": "invoke", "process": 2, "value": [["append", "x", "a"]]},
    {"type": "fail", "process": 2, "value": [["append", "x", "a"]], "error": ["40001", "commit"]},
]
OPERATIONS = [
    Operation("invoke", 0, mops=[("r", "x", None), ("append", "y", 1)], txn="skew", steps=[0, 2]),
    Operation("invoke", 1, mops=[("r", "y", None), ("append", "x", 1)]),
    Operation("ok", 0, mops=[("r", "x", ()), ("append", "y", 1)], time=3),
    Operation("ok", 1, mops=[("r", "y", ()), ("append", "x", 1)]),
    Operation("invoke", 3, mops=None),
]
FORMS = ["h.edn", "h.json", "h.jsonl", "h.edn.gz"]


@pytest.mark.parametrize("given", [MAPPINGS, OPERATIONS], ids=["mappings", "operations"])
@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_is_read_again(given: list[Any], name: str, tmp_path: Path) -> None:
    made = as_history(given)
    write_history(tmp_path / name, iter(given))
    again = read_history(tmp_path / name)
    assert differences(again, made, ("source", "process_names")) == []
    assert again.passed_over == made.passed_over
    result = analyze_history(again)
    assert (result.verdict, result.anomaly_types) == (Verdict.INVALID, ("G2-item",))
    assert analyze_history(made).anomalies == result.anomalies


def test_all_that_was_said_is_in_the_file(tmp_path: Path) -> None:
    write_history(tmp_path / "h.edn", MAPPINGS)
    lines = (tmp_path / "h.edn").read_text().splitlines()
    assert lines[2] == '{:index 2, :type :info, :process :nemesis, :f :kill, :value {"n1" "killed"}}'
    assert lines[6] == (
        '{:index 6, :type :fail, :process 2, :value [[:append "x" "a"]], :error ["40001" "commit"]}'
    )
    write_history(tmp_path / "h.json", MAPPINGS)
    told = json.loads((tmp_path / "h.json").read_text())
    assert told == json.loads(json.dumps([{"index": at, **each} for at, each in enumerate(MAPPINGS)]))


def test_operations_of_a_history_are_the_history(tmp_path: Path) -> None:
    history = as_history(OPERATIONS)
    write_history(tmp_path / "one.edn", history)
    write_history(tmp_path / "other.edn", operations(history))
    one, other = (read_history(tmp_path / name) for name in ("one.edn", "other.edn"))
    assert differences(one, other) == []
    assert differences(one, history, ABOUT_THE_FILE) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "operations: expected operations, found none"),
        ([7], "operations:1: expected an operation, found 7"),
        ([MAPPINGS[0], {"type": "done", "process": 0}], "operations:2: expected :type to be one of"),
        ([{"type": "ok", "process": 1.5}], "operations:1: expected an integer or a name as :process"),
        ([MAPPINGS[0], MAPPINGS[0]], "operations:2: process worker-1 invokes a transaction while"),
        ([{"type": "ok", "process": 0, "value": [["cas", 1, 2]]}], r"operations:1: .* found \['cas|cas"),
    ],
)
def test_what_is_no_history_is_not_written(given: list[Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "h.edn").write_text("was there")
    with pytest.raises(HistoryError, match=said):
        write_history(tmp_path / "h.edn", given)
    assert (tmp_path / "h.edn").read_text() == "was there"


def test_what_json_has_no_form_for(tmp_path: Path) -> None:
    given = [{"type": "ok", "process": 0, "value": [["append", 1, frozenset({1})]]}]
    write_history(tmp_path / "h.edn", given)
    assert list(read_history(tmp_path / "h.edn").element_value) == [frozenset({1})]
    with pytest.raises(HistoryError, match="JSON cannot represent"):
        write_history(tmp_path / "h.json", given)
    assert not (tmp_path / "h.json").exists()
