"""What is said of an anomaly: each edge with the values that an engineer can check by hand."""

from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from small_histories import in_a_row, overlapping
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.result import Anomaly, as_data
from txfuzz.history.model import History
from txfuzz.history.reader import read_history_bytes


def only(history: History, type: str, model: str = "strict-serializable", **options: bool) -> Anomaly:
    result = check(history, model, options=VersionOptions(**options))
    (found,) = [anomaly for anomaly in result.anomalies if anomaly.type == type]
    return found


def why(anomaly: Anomaly) -> dict[str, str]:
    return {edge.kind: edge.why for edge in anomaly.edges}


def test_read_skew_in_a_list(snapshot: SnapshotAssertion) -> None:
    anomaly = only(overlapping("ok append 1 5, append 2 6", "ok r 1 [5], r 2 nil"), "G-single-item")
    assert anomaly.explanation == snapshot
    assert [each.text for each in anomaly.transactions] == [
        "[:append 1 5] [:append 2 6]",
        "[:r 1 [5]] [:r 2 nil]",
    ]
    wr, rw = anomaly.edges
    assert (wr.kind, wr.key, wr.value, wr.next_value) == ("wr", 1, 5, None)
    assert (rw.kind, rw.key, rw.value, rw.next_value) == ("rw", 2, None, 6)
    assert "Adya" in anomaly.definition


def test_overwritten_appends(snapshot: SnapshotAssertion) -> None:
    anomaly = only(
        overlapping("ok append 1 5, append 2 5", "ok append 1 6, append 2 6", "ok r 1 [5 6], r 2 [6 5]"), "G0"
    )
    assert anomaly.explanation == snapshot


def test_appends_that_no_read_shows(snapshot: SnapshotAssertion) -> None:
    anomaly = only(
        overlapping("ok append 1 1", "ok r 1 [1], r 2 [1]", "ok append 1 2, append 2 1"), "G-single-item"
    )
    assert why(anomaly)["rw"] == snapshot


def test_registers_say_by_which_assumption_a_version_is_later(snapshot: SnapshotAssertion) -> None:
    history = overlapping("ok w 1 1", "ok r 1 1, w 1 2, w 2 2", "ok r 1 1, r 2 2")
    anomaly = only(history, "G-single-item", wfr_keys=True)
    assert why(anomaly) == snapshot
    assert "wfr-keys" in why(anomaly)["rw"]
    assert "G-single-item" not in check(history, "serializable").all_types


def test_orders(snapshot: SnapshotAssertion) -> None:
    realtime = only(in_a_row("ok append 1 1", "ok r 1 nil", processes=2), "G-single-item-realtime")
    assert why(realtime)["realtime"] == snapshot(name="realtime")
    assert realtime.definition == snapshot(name="definition")
    process = only(
        in_a_row("ok append 1 1", "ok r 1 nil"), "G-single-item-process", "strong-session-serializable"
    )
    assert why(process)["process"] == snapshot(name="process")


NO_CYCLES = {
    "an aborted append": ("G1a", "fail append 1 5", "ok r 1 [5]"),
    "an aborted write": ("G1a", "fail w 1 5", "ok r 1 5"),
    "an intermediate append": ("G1b", "ok append 1 5, append 1 6", "ok r 1 [5]"),
    "an intermediate write": ("G1b", "ok w 1 5, w 1 6", "ok r 1 5"),
    "internal": ("internal", "ok append 1 5, r 1 []", "ok r 1 [5]"),
    "future read": ("future-read", "ok r 1 [5], append 1 5", "ok r 1 nil"),
    "dirty update": (
        "dirty-update", "fail append 1 5", "info append 1 6", "ok append 1 7", "ok r 1 [5 6 7]",
    ),
    "lost update": (
        "lost-update", "ok r 1 nil, append 1 5", "ok r 1 nil, append 1 6", "ok r 1 nil, append 1 7",
    ),
    "duplicate elements": ("duplicate-elements", "ok append 1 5", "ok r 1 [5 5]"),
    "incompatible order": (
        "incompatible-order", "ok append 1 5, append 1 6", "ok r 1 [5 6]", "ok r 1 [6]",
    ),
    "an element from nowhere": ("unwritten-read", "ok append 1 5", "ok r 1 [5 9]"),
    "a value from nowhere": ("unwritten-read", "ok w 1 5", "ok r 1 9"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("type", "texts"), [(type, texts) for type, *texts in NO_CYCLES.values()], ids=NO_CYCLES
)
def test_what_is_not_a_cycle(type: str, texts: list[str], snapshot: SnapshotAssertion) -> None:
    anomaly = only(overlapping(*texts), type)
    assert f"{anomaly.definition}\n{anomaly.explanation}" == snapshot


def test_transactions_are_named_in_the_order_of_the_sentence() -> None:
    anomaly = only(overlapping("ok append 2 1", "fail append 1 5", "ok r 1 [5]"), "G1a")
    assert [each.text for each in anomaly.transactions] == ["[:r 1 [5]]", "[:append 1 5]"]
    assert [each.index for each in anomaly.transactions] == [5, 4]


def test_the_middle_of_a_long_list_is_left_out() -> None:
    appends = ", ".join(f"append 1 {value}" for value in range(100))
    seen = " ".join(map(str, range(99)))
    anomaly = only(overlapping(f"ok {appends}", f"ok r 1 [{seen}]"), "G1b")
    assert "[0 1 2 3 4 5 6 7 8 9 10 11 … 75 more … 87" in anomaly.explanation


def test_short_cycles_first_and_the_rest_counted() -> None:
    texts = []
    for first, count in ((10, 3), (20, 2), (30, 4)):  # write skews in a circle
        texts += [f"ok r {first + at} nil, append {first + (at + 1) % count} 1" for at in range(count)]
    result = check(overlapping(*texts), "serializable", shown=2)
    assert [len(anomaly.edges) for anomaly in result.anomalies] == [2, 3]
    assert [len(cycle) for cycle in result.cycles] == [2, 3]
    assert result.left_out == {"G2-item": 1}
    assert sorted(component.size for component in result.sccs) == [2, 3, 4]


def test_templates_steps_and_logical_keys_are_carried() -> None:
    text = """
{:index 0 :type :invoke :process 0 :f :txn :txn "mover" :steps [1 3] :logical [7 8]
 :value [[:append 1 5] [:append 2 6]]}
{:index 1 :type :invoke :process 1 :f :txn :txn "probe" :steps [0 2] :logical [7 8]
 :value [[:r 1 nil] [:r 2 nil]]}
{:index 2 :type :ok :process 0 :f :txn :value [[:append 1 5] [:append 2 6]]}
{:index 3 :type :ok :process 1 :f :txn :value [[:r 1 [5]] [:r 2 nil]]}
"""
    anomaly = only(read_history_bytes(text.encode(), "steps.edn"), "G-single-item")
    assert {each.template for each in anomaly.transactions} == {"mover", "probe"}
    seen = {edge.kind: (edge.logical_key, edge.source_step, edge.target_step) for edge in anomaly.edges}
    assert seen == {"wr": (7, 1, 0), "rw": (8, 2, 3)}


def test_an_anomaly_is_json() -> None:
    anomaly = only(overlapping("ok append 1 5, append 2 6", "ok r 1 [5], r 2 nil"), "G-single-item")
    data = json.loads(json.dumps(as_data(anomaly)))
    assert [edge["kind"] for edge in data["edges"]] == ["wr", "rw"]
    assert data["transactions"][0]["mops"] == [["append", 1, 5], ["append", 2, 6]]


def test_two_that_are_joined_in_two_ways_make_cycles_of_two_types() -> None:
    """The first transaction precedes the second in real time and by an anti-dependency: with the latter
    the cycle is a G2-item, and in real time it breaks snapshot isolation, too."""
    history = in_a_row("ok append 1 1, r 2 nil", "ok append 2 1, r 1 nil", processes=2)
    result = check(history, "strict-serializable")
    assert result.anomaly_types == ("G-single-item-realtime", "G2-item")
    assert result.not_models == ("repeatable-read", "strong-snapshot-isolation")
    single, skew = result.anomalies
    assert [edge.kind for edge in single.edges] == ["realtime", "rw"]
    assert [edge.kind for edge in skew.edges] == ["rw", "rw"]
