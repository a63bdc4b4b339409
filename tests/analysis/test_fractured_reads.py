"""Half of a transaction seen: no read-atomic database does that."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from syrupy.assertion import SnapshotAssertion

from brute_force import Txn
from brute_force_lists import longest_reads
from small_histories import history_of, in_a_row, list_histories, overlapping
from txfuzz import Verdict, analyze_history
from txfuzz.analysis.anomalies.fractured_reads import looked_for
from txfuzz.analysis.checker.check import check
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.history.model import History

CASE = Path(__file__).parents[2] / "tests" / "cases" / "fractured-read.edn"
WRITES = "ok append 1 1, append 2 2"


@pytest.mark.parametrize(
    "model",
    ["read-atomic", "causal-cerone", "prefix", "parallel-snapshot-isolation", "update-atomic"],
)
def test_what_is_at_least_read_atomic_forbids_it(model: str, snapshot: SnapshotAssertion) -> None:
    result = analyze_history(CASE, model)
    assert (result.verdict, result.anomaly_types) == (Verdict.INVALID, ("fractured-read",))
    assert "read-atomic" in result.not_models
    assert "G-single-item" in result.all_types
    [anomaly] = result.anomalies
    assert anomaly.explanation == snapshot
    assert [view.index for view in anomaly.transactions] == [3, 2]


@pytest.mark.parametrize("model", ["read-committed", "monotonic-atomic-view", "monotonic-view"])
def test_weaker_models_allow_it(model: str) -> None:
    assert analyze_history(CASE, model).verdict is Verdict.VALID


@pytest.mark.parametrize("model", ["consistent-view", "snapshot-isolation", "serializable"])
def test_stronger_ones_name_the_cycle(model: str) -> None:
    assert not looked_for(model)
    assert analyze_history(CASE, model).anomaly_types == ("G-single-item",)


@pytest.mark.parametrize(
    ("history", "fractured"),
    [
        (overlapping(WRITES, "ok r 1 [1], r 2 [2]"), False),
        (overlapping(WRITES, "ok r 1 [], r 2 []"), False),
        (overlapping(WRITES, "ok r 2 [], r 1 [1]"), True),
        (overlapping("info append 1 1, append 2 2", "ok r 1 [1], r 2 []"), True),
        (overlapping(WRITES, "info r 1 [1], r 2 []"), False),
        # it saw a later transaction, which is no part of the first one
        (overlapping(WRITES, "ok append 1 3", "ok r 1 [1 3], r 2 []"), False),
        # a long fork is none, nor is a cycle through others
        (overlapping("ok append 1 1", "ok append 2 2", "ok r 1 [1], r 2 []", "ok r 1 [], r 2 [2]"), False),
        # its own append hides nothing
        (overlapping(WRITES, "ok r 1 [1], append 2 3, r 2 [3]"), True),
        (overlapping(WRITES, "ok append 2 5", "ok r 1 [1], r 2 [5]", "ok r 2 [5 2]"), True),
    ],
)
def test_lists(history: History, fractured: bool) -> None:
    assert ("fractured-read" in check(history, "read-atomic").all_types) == fractured


@pytest.mark.parametrize(
    ("texts", "options", "fractured"),
    [
        (("ok w 1 1, w 2 2", "ok r 1 1, r 2 nil"), VersionOptions(), True),
        (("ok w 1 1, w 2 2", "ok r 1 1, r 2 2"), VersionOptions(), False),
        # nobody knows whether 5 came before 2 or after it
        (("ok w 2 5", "ok w 1 1, w 2 2", "ok r 1 1, r 2 5"), VersionOptions(), False),
        (("ok w 2 5", "ok r 2 5, w 1 1, w 2 2", "ok r 1 1, r 2 5"), VersionOptions(wfr_keys=True), True),
        (("ok w 1 1, w 2 2", "ok r 1 1, w 2 3, r 2 3"), VersionOptions(), False),
    ],
)
def test_registers(texts: tuple[str, ...], options: VersionOptions, fractured: bool) -> None:
    for history in (overlapping(*texts), in_a_row(*texts, processes=len(texts))):
        assert ("fractured-read" in check(history, "read-atomic", options=options).all_types) == fractured


def is_fractured(reader: Txn, writer: Txn) -> bool:
    if reader is writer or reader.type != "ok" or writer.type == "fail":
        return False
    last = dict(writer.writes())  # of each key
    mine = writer.writes()
    reads = [(key, value or ()) for key, value in reader.reads()]
    return any(
        one != other and value and (one, value[-1]) in mine and other in last and last[other] not in seen
        for (one, value), (other, seen) in product(reads, reads)
    )


@given(txns=list_histories(most=7))
@settings(max_examples=300, deadline=None)
def test_as_by_the_definition(txns: list[Txn]) -> None:
    assume(all(len(values) == 1 for values in longest_reads(txns).values()))
    assume(any(f == "append" for txn in txns for f, _, _ in txn.mops))
    result = check(history_of(txns), "read-atomic", shown=1)
    pairs = [(a, b) for a, b in product(txns, txns) if is_fractured(a, b)]
    assert ("fractured-read" in result.all_types) == bool(pairs)
    if pairs:
        assert result.verdict is Verdict.INVALID
        assert result.left_out.get("fractured-read", 0) == len(pairs) - 1
