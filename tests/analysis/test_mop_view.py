"""Micro-operations as values: their text, and there and back through JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from txfuzz.analysis.describe import transaction_view
from txfuzz.analysis.result import AnalysisResult, Anomaly, Verdict
from txfuzz.analysis.result_data import restored_result
from txfuzz.analysis.views.mop_view import MopView
from txfuzz.history.reader import read_history_bytes
from txfuzz.history.values import Character, Keyword, Map, Symbol, Tagged

VALUES = [
    None, True, 0, -7, 10**400, 1.5, float("inf"), "", "a\n\"é", "1", Keyword("a"),
    Symbol("b"), Character(" "), Decimal("1.10"), Fraction(1, 3), frozenset({1, Keyword("x")}),
    Map({Keyword("k"): (1, 2)}),
    Tagged("object", ("x", 1)), (), (1, Keyword("a"), (None,)),
]  # fmt: skip


def there_and_back(mop: MopView) -> MopView:
    return MopView.from_json(json.loads(json.dumps(mop.to_json(), allow_nan=False)))


@pytest.mark.parametrize("value", VALUES, ids=[str(at) for at in range(len(VALUES))])
def test_what_a_history_can_hold_comes_back_as_it_was(value: Any) -> None:
    mop = MopView("append", value, value)
    again = there_and_back(mop)
    assert again == mop
    assert (type(again.key), again.text) == (type(value), mop.text)


def test_it_is_written_as_in_elles_json() -> None:
    assert MopView("append", 1, 2).to_json() == ["append", 1, 2]
    assert MopView("r", 1, (1, 2)).to_json() == ["r", 1, [1, 2]]
    assert MopView("r", 1).to_json() == ["r", 1, None]
    assert MopView("w", Keyword("x"), 2).to_json() == ["w", {"edn": ":x"}, 2]


def test_text_is_edn() -> None:
    texts = [MopView("r", 3, (1, 2)).text, MopView("append", "a", Keyword("b")).text, MopView("r", 1).text]
    assert texts == ["[:r 3 [1 2]]", '[:append "a" :b]', "[:r 1 nil]"]


def test_what_is_no_edn_comes_back_as_its_text() -> None:
    assert there_and_back(MopView("w", 1, object)).value == str(object)


@pytest.mark.parametrize("data", ["[:r 1 nil]", 5, ["r", 1], [1, 2, 3], ["r", {"a": 1}, 2], ["r", 1, 2, 3]])
def test_what_is_no_micro_operation_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a micro-operation|object without"):
        MopView.from_json(data)


def test_the_middle_of_a_long_list_is_counted() -> None:
    seen = " ".join(map(str, range(1000)))
    history = read_history_bytes(b"{:type :ok :process 0 :value [[:r 1 [%b]]]}" % seen.encode())
    view = transaction_view(history, 0)
    (mop,) = view.mops
    assert (len(mop.value), mop.left_out, mop.value[0], mop.value[-1]) == (24, 976, 0, 999)
    assert " 11 … 976 more … 988 " in view.text
    assert there_and_back(mop) == mop


def test_an_analysis_of_an_earlier_version_is_refused_in_a_sentence() -> None:
    history = read_history_bytes(b"{:type :ok :process 0 :value [[:r 1 []]]}")
    anomaly = Anomaly("G1a", (transaction_view(history, 0),), "", "")
    result = AnalysisResult("h.edn", Verdict.INVALID, "serializable", anomalies=(anomaly,))
    data = result.to_json()
    assert restored_result(json.loads(json.dumps(data))) == result
    data["anomalies"][0]["transactions"][0]["mops"] = "[:r 1 []]"
    with pytest.raises(ValueError, match=r"transactions\[0\]\.mops is '\[:r 1 \[\]\]', expected a list"):
        restored_result(data)
