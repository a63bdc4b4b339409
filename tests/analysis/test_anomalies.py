"""Each type of anomaly, in the smallest history that shows it and nothing worse."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from small_histories import in_a_row, overlapping
from txfuzz import analyze_history
from txfuzz.analysis.checker.anomaly_types import anomaly_type
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.result import Verdict
from txfuzz.history.model import History
from txfuzz.history.reader import read_history_bytes
from txfuzz.report.text.analysis import analysis_text

CASES = Path(__file__).parents[2] / "tests" / "cases"

G0 = ("ok append 1 1, append 2 1", "ok append 1 2, append 2 2", "ok r 1 [1 2], r 2 [2 1]")
LISTS = {
    "G0": overlapping(*G0),
    "G1a": overlapping("fail append 1 1", "ok r 1 [1]", "ok append 1 2"),
    "G1b": overlapping("ok append 1 1, append 1 2", "ok r 1 [1]"),
    "G1c": overlapping("ok append 1 1, r 2 [1]", "ok append 2 1, r 1 [1]"),
    "G-single-item": overlapping("ok append 1 1, append 2 1", "ok r 1 [1], r 2 nil"),
    "G-nonadjacent-item": overlapping(  # long fork
        "ok append 1 1", "ok append 2 1", "ok r 1 [1], r 2 nil", "ok r 1 nil, r 2 [1]"
    ),
    "G2-item": overlapping("ok r 1 nil, append 2 1", "ok r 2 nil, append 1 1"),
    "internal": overlapping("ok append 1 1, r 1 []", "ok r 1 [1]"),
    "future-read": overlapping("ok r 1 [1], append 1 1", "ok append 2 1"),
    "dirty-update": overlapping("fail append 1 1", "ok append 1 2", "ok r 1 [1 2]"),
    "lost-update": overlapping("ok r 1 [], append 1 1", "ok r 1 [], append 1 2", "ok r 1 [1 2]"),
    "duplicate-elements": overlapping("ok append 1 1", "ok r 1 [1 1]"),
    "incompatible-order": overlapping("ok append 1 1", "ok append 1 2", "ok r 1 [1]", "ok r 1 [2 1]"),
    "unwritten-read": overlapping("ok append 1 1", "ok r 1 [1 7]"),
    "G-single-item-realtime": in_a_row("ok append 1 1", "ok r 1 nil", processes=2),
    "G1c-realtime": in_a_row("ok r 1 [1]", "ok append 1 1", processes=2),
    "G0-realtime": in_a_row("ok append 1 1", "ok append 1 2", "ok r 1 [2 1]", processes=3),
}
SESSIONS = {
    "G-single-item-process": in_a_row("ok append 1 1", "ok r 1 nil"),
    "G1c-process": in_a_row("ok r 1 [1]", "ok append 1 1"),
    "G0-process": in_a_row("ok append 1 1", "ok append 1 2", "ok r 1 [2 1]"),
}
REGISTERS = {
    "G1a": overlapping("fail w 1 1", "ok r 1 1", "ok w 1 2"),
    "G1b": overlapping("ok w 1 1, w 1 2", "ok r 1 1"),
    "G1c": overlapping("ok w 1 1, r 2 1", "ok w 2 1, r 1 1"),
    "G-single-item": overlapping("ok w 1 1, w 2 1", "ok r 1 1, r 2 nil"),
    "G-nonadjacent-item": overlapping("ok w 1 1", "ok w 2 1", "ok r 1 1, r 2 nil", "ok r 1 nil, r 2 1"),
    "G2-item": overlapping("ok r 1 nil, w 2 1", "ok r 2 nil, w 1 1"),
    "internal": overlapping("ok w 1 1, r 1 2", "ok w 1 2"),
    "lost-update": overlapping("ok r 1 1, w 1 2", "ok r 1 1, w 1 3", "ok w 1 1"),
    "unwritten-read": overlapping("ok w 1 1", "ok r 1 7"),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists(name: str) -> None:
    shows(LISTS[name], name, "strict-serializable")


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions(name: str) -> None:
    shows(SESSIONS[name], name, "strong-session-serializable")
    assert check(SESSIONS[name], "serializable").verdict is Verdict.VALID


@pytest.mark.parametrize("name", REGISTERS)
def test_registers(name: str) -> None:
    shows(REGISTERS[name], name, "serializable")


def shows(history: History, name: str, model: str) -> None:
    result = check(history, model)
    assert result.verdict is Verdict.INVALID
    assert name in result.anomaly_types
    assert set(result.anomaly_types) <= prohibited(model)
    for anomaly in result.anomalies:
        entry = anomaly_type(anomaly.type)
        assert entry.meaning in anomaly.definition
        assert entry.source in anomaly.definition
        assert anomaly.explanation
        assert anomaly.transactions
        assert all(each.mops for each in anomaly.transactions)


@pytest.mark.parametrize(
    ("name", "strongest_kept"),
    [
        ("G0", None),
        ("G1c", "read-uncommitted"),
        ("G-single-item", "monotonic-view"),
        ("G-nonadjacent-item", "forward-consistent-view"),
        ("G2-item", "snapshot-isolation"),
        ("G-single-item-realtime", "strong-session-serializable"),
    ],
)
def test_the_weakest_model_that_an_anomaly_breaks(name: str, strongest_kept: str | None) -> None:
    result = check(LISTS[name], "strict-serializable")
    if strongest_kept is None:
        assert result.not_models == ("read-uncommitted",)
    else:
        assert strongest_kept not in {*result.not_models, *result.also_not}
        assert check(LISTS[name], strongest_kept).verdict is not Verdict.INVALID


def test_versions_in_a_circle() -> None:
    """T1 and T2 each read what the other one wrote before writing: neither version is the first."""
    history = overlapping("ok r 1 2, w 1 1", "ok r 1 1, w 1 2")
    result = check(history, "read-uncommitted", options=VersionOptions(wfr_keys=True))
    assert result.anomaly_types == ("cyclic-versions",)
    assert result.anomalies[0].record["sources"] == ["initial-state", "wfr-keys"]
    assert {*result.anomalies[0].record["scc"]} == {"1", "2"}
    assert "cyclic-versions" not in check(history, "serializable").all_types


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (VersionOptions(), False),
        (VersionOptions(linearizable_keys=True), True),
        (VersionOptions(sequential_keys=True), False),
    ],
)
def test_a_stale_read_of_a_register_needs_an_assumption(options: VersionOptions, found: bool) -> None:
    history = in_a_row("ok w 1 1", "ok w 1 2", "ok r 1 1, w 2 1", "ok r 2 1, r 1 2", processes=4)
    result = check(history, "serializable", options=options)
    assert ("G-single-item" in result.all_types or "cyclic-versions" in result.all_types) is found


def test_a_write_of_unknown_outcome_takes_part_once_it_was_read() -> None:
    read = overlapping("info w 1 1, r 2 1", "ok w 2 1, r 1 1")
    assert check(read, "serializable").anomaly_types == ("G1c",)
    unread = overlapping("info w 1 1, r 2 1", "ok w 2 1, r 1 nil")
    assert check(unread, "serializable").verdict is not Verdict.INVALID


def test_an_unread_append_comes_after_the_longest_read() -> None:
    """Elle's inference: nobody saw 2, so it can only come after what everybody saw."""
    history = overlapping("ok append 1 1", "ok r 1 [1], r 2 [1]", "ok append 1 2, append 2 1")
    assert check(history, "serializable").anomaly_types == ("G-single-item",)
    (anomaly,) = check(history, "serializable").anomalies
    assert "without the 2 that" in anomaly.explanation


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (
            ("ok append 1 5", "ok append 1 5"),
            "duplicate writes: the value 5 of key 1 was appended by transactions 2 and 3",
        ),
        (("fail append 1 5", "ok append 1 5"), "transactions 2 and 3"),
        (("ok append 1 5, append 1 5", "ok r 1 nil"), "transaction 2 more than once"),
        (("ok w 1 5", "ok w 1 5", "ok r 1 5"), "the value 5 of key 1 was written by transactions 3 and 4"),
    ],
)
def test_duplicate_writes_are_refused_by_name(texts: tuple[str, ...], reason: str) -> None:
    result = check(overlapping(*texts), "serializable")
    assert result.verdict is Verdict.UNKNOWN
    assert reason in result.reason
    assert result.anomaly_types == result.not_models == result.also_not == ()
    assert result.dependencies is None


def test_duplicate_writes_of_a_register_matter_once_they_are_read() -> None:
    history = overlapping("ok w 1 5", "ok w 1 5", "ok w 2 1", "ok r 2 1")
    assert check(history, "serializable").verdict is Verdict.VALID
    assumed = check(history, "serializable", options=VersionOptions(wfr_keys=True))
    assert assumed.verdict is Verdict.UNKNOWN


def test_without_dependencies_there_is_nothing_to_judge() -> None:
    result = check(overlapping("ok append 1 1", "ok append 2 1"), "serializable")
    assert result.verdict is Verdict.UNKNOWN
    assert "nothing to judge" in result.reason


def test_what_the_model_allows_rules_others_out_only_beside_what_it_forbids() -> None:
    write_skew = ("ok r 1 nil, append 2 1", "ok r 2 nil, append 1 1")
    allowed = check(overlapping(*write_skew), "snapshot-isolation")
    assert allowed.verdict is Verdict.VALID
    assert (allowed.anomaly_types, allowed.all_types) == ((), ("G2-item",))
    assert allowed.not_models == allowed.also_not == ()
    both = check(overlapping(*write_skew, "ok append 3 1, append 3 2", "ok r 3 [1]"), "snapshot-isolation")
    assert both.anomaly_types == ("G-single-item", "G1b")
    assert "G2-item" in both.all_types
    assert both.not_models == ("read-committed",)


def test_a_few_of_each_type_are_shown_and_the_rest_counted() -> None:
    reads = [f"ok r {key} [7]" for key in range(1, 6)]
    result = check(overlapping("ok append 1 1", *reads), "read-uncommitted", shown=2)
    assert result.left_out == {"unwritten-read": 3}
    assert len(result.anomalies) == 2
    assert not check(overlapping("ok append 1 1", *reads), "read-uncommitted", shown=5).left_out


ONE_VALUE = CASES / "one-value-for-all-writes.edn"


def test_reads_of_a_key_whose_writes_all_carry_one_value_accuse_nobody(snapshot: SnapshotAssertion) -> None:
    result = analyze_history(ONE_VALUE)
    assert (result.verdict, result.anomaly_types) == (Verdict.UNKNOWN, ())
    assert result.reason == snapshot


def test_the_number_of_judged_transactions_is_shown() -> None:
    assert "4 read, no transaction judged\n" in analysis_text(analyze_history(ONE_VALUE))
    whole = analyze_history(overlapping("ok append 1 1", "ok r 1 [1]"))
    assert (whole.operations, whole.judged) == (4, 2)
    assert "4 read, 2 transactions judged\n" in analysis_text(whole)


def test_a_read_from_nowhere_is_one_where_the_writes_can_be_told_apart() -> None:
    text = ONE_VALUE.read_bytes() + (
        b'{:type :invoke, :process 2, :f :txn, :value [[:w "a" "b"]], :index 4}\n'
        b'{:type :ok, :process 2, :f :txn, :value [[:w "a" "b"]], :index 5}\n'
    )
    assert analyze_history(read_history_bytes(text)).anomaly_types == ("unwritten-read",)


def test_one_value_that_nobody_read_only_causes_a_warning(snapshot: SnapshotAssertion) -> None:
    text = ONE_VALUE.read_bytes().replace(b" 41]", b" nil]").replace(b" 42]", b" nil]")
    result = analyze_history(
        read_history_bytes(text + text.replace(b'"a"', b'"b"').replace(b":index", b":i"))
    )
    assert result.verdict is Verdict.INVALID  # both read nil, then wrote
    assert result.warnings[-1] == snapshot


def test_a_list_of_which_all_appends_carry_one_value() -> None:
    history = overlapping("ok append 1 7", "ok append 1 7", "ok append 1 7")
    assert "transactions 3 and 4, and all 3 writes" in analyze_history(history).reason


@pytest.mark.parametrize(
    ("history", "model", "types"),
    [
        # T1 read what T2 appended only after T1's end, so T2 came later for the one reason and the other.
        pytest.param(
            in_a_row("ok r 1 [], r 2 [1]", "ok append 1 1, append 2 1", "ok r 1 [1]", processes=3),
            "strict-serializable",
            ("G-single-item", "G1c-realtime"),
            id="an anti-dependency and real time join the same two",
        ),
        pytest.param(
            in_a_row("ok r 1 [], r 2 [1]", "ok append 1 1, append 2 1", "ok r 1 [1]"),
            "strong-session-serializable",
            ("G-single-item", "G1c-process"),
            id="an anti-dependency and a process join the same two",
        ),
        # 1 before 2 by a read, both before 3 in real time; what 3 appended stands before what 1 did.
        pytest.param(
            in_a_row("ok append 1 1", "ok r 1 [3 1], append 2 2", "ok append 1 3", processes=3),
            "strict-serializable",
            ("G0-realtime",),
            id="the way from the first to the last leads through one that read from the first",
        ),
    ],
)
def test_orders_make_cycles_beside_whatever_joins_the_same_transactions(
    history: History, model: str, types: tuple[str, ...]
) -> None:
    result = analyze_history(history, model)
    assert result.anomaly_types == types
    for anomaly in result.anomalies:
        kinds = [edge.kind for edge in anomaly.edges]
        assert ("realtime" in kinds or "process" in kinds) == anomaly.type.endswith(("realtime", "process"))
