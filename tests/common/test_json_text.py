"""Whatever is written as JSON is JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_fixtures import Ran
from txfuzz import analyze_history
from txfuzz.campaign.directory.run_directory import write_json
from txfuzz.common.json_text import json_text
from txfuzz.errors import HistoryError
from txfuzz.history.reader import read_history, read_history_bytes

CASE = Path(__file__).parents[2] / "tests" / "cases" / "json-infinity.json"


def strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("indent", [None, 1])
def test_numbers_that_json_lacks_are_strings(indent: int | None) -> None:
    inf = float("inf")
    value = {"a": [1.5, inf, {"b": (-inf, float("nan"))}], "c": "é", inf: None}
    told = strict(json_text(value, indent=indent))
    assert told == {"a": [1.5, "Infinity", {"b": ["-Infinity", "NaN"]}], "c": "é", "Infinity": None}
    assert strict(json_text({"a": 1, "é": None}, indent=indent)) == {"a": 1, "é": None}


def test_files_of_a_run(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"seconds": float("inf"), "values": [1, float("nan")]})
    told = strict((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told == {"seconds": "Infinity", "values": [1, "NaN"]}


@pytest.mark.parametrize(("json_name", "edn_name"), [("Infinity", "##Inf"), ("-Infinity", "##-Inf")])
def test_infinite_values_of_a_history(
    txfuzz: Callable[..., Ran], tmp_path: Path, json_name: str, edn_name: str
) -> None:
    path = tmp_path / "h.json"
    path.write_text(CASE.read_text().replace("1e400", json_name))
    ran = txfuzz("analyze", "--json", path)
    assert ran.code == 1
    told = strict(ran.out)
    skew = next(each for each in told["anomalies"] if each["type"] == "G2-item")
    assert {edge["value"] for edge in skew["edges"]} == {json_name, None}
    assert strict(json.dumps(analyze_history(path).to_json())) == told
    assert [{"edn": edn_name}] in [value for _, _, value in skew["transactions"][0]["mops"]]


def test_numbers_too_large_for_a_double_are_not_taken_for_infinite(txfuzz: Callable[..., Ran]) -> None:
    with pytest.raises(HistoryError, match=r"json:4: .*: it contains the number 1e400, which is too large"):
        read_history(CASE)
    ran = txfuzz("analyze", "--json", CASE)
    assert (ran.code, strict(ran.out)["verdict"]) == (2, "unknown")
    for number in (b"1e400", b"-1e400"):
        line = b"{:type :ok, :process 0, :value [[:append 1 2] [:r 1 [%b]]]}" % number
        with pytest.raises(HistoryError, match=r"h:1: .*: it contains a number that is out of range"):
            read_history_bytes(line, "h")
    line = b"{:type :ok, :process 0, :value [[:append 1 ##Inf] [:append 1 1e400M]]}"
    assert sorted(map(str, read_history_bytes(line).element_value)) == ["1E+400", "inf"]
