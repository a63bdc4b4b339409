"""The analyzer set-elements on histories whose truth is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from brute_force import Txn
from small_histories import history_of, list_histories, register_histories
from template_histories import Tape, a, r, rr, w
from txfuzz import Part, Verdict
from txfuzz_templates.analyzers.sets import SetElements

ADD, READ = "set-add", "set-read"
COUNTS = ("lost", "stale", "unexpected", "duplicate")


def judged(tape: Tape, expect: str = "serializable", analyzer: SetElements | None = None) -> Part:
    return (analyzer or SetElements()).analyze(tape.history(), expect)


def counts(part: Part) -> dict[str, int]:
    return {name: part.data[name] for name in COUNTS if part.data[name]}


def test_what_was_added_stays() -> None:
    tape = Tape()
    early = tape.begin(READ, r(1))
    tape.txn(ADD, a(1, 1))
    tape.end(early)
    tape.txn(READ, r(1, 1))
    tape.txn(ADD, a(1, 2))
    tape.txn(READ, r(1, 1, 2))
    part = judged(tape, "strict-serializable")
    assert part.verdict is Verdict.VALID
    assert part.data == {
        "elements": 2,
        "acknowledged": 2,
        "never_read": 0,
        "lost": 0,
        "stale": 0,
        "unexpected": 0,
        "duplicate": 0,
        "contradicts": False,
    }


def test_an_acknowledged_element_is_lost(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    tape.txn(ADD, a(7, 1))
    tape.txn(ADD, a(7, 2))
    tape.txn(READ, r(7, 2))
    tape.txn("final-read", r(7, 2))
    part = judged(tape)
    assert part.verdict is Verdict.INVALID
    assert part.reason == "1 element lost"
    (anomaly,) = part.anomalies
    assert anomaly.type == "set-lost"
    assert anomaly.record == {"key": 7, "element": 1}
    assert [view.template for view in anomaly.transactions] == [ADD, READ]
    assert anomaly.explanation == snapshot


def test_an_element_that_was_seen_is_known_whatever_its_outcome(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1), type="info")
    tape.txn(READ, r(1))
    assert judged(tape).verdict is Verdict.UNKNOWN
    tape.txn(READ, r(1, 1))
    assert judged(tape).verdict is Verdict.UNKNOWN  # nobody looked afterwards
    tape.txn(READ, r(1))
    part = judged(tape)
    assert counts(part) == {"lost": 1}
    assert part.anomalies[0].explanation == snapshot


def test_a_later_read_that_has_it_makes_it_stale(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1))
    tape.txn(READ, r(1))
    tape.txn(READ, r(1, 1))
    assert judged(tape, "serializable").verdict is Verdict.VALID
    part = judged(tape, "strict-serializable")
    assert counts(part) == {"stale": 1}
    assert part.reason == "1 element missing from a later read"
    assert part.anomalies[0].explanation == snapshot


def test_reads_at_the_same_time_as_the_last_one_keep_it_from_being_lost() -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1))
    having = tape.begin(READ, r(1, 1))
    lacking = tape.begin(READ, r(1))
    tape.end(lacking)
    tape.end(having)
    assert counts(judged(tape)) == {"stale": 1}


def test_elements_from_nowhere(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1))
    tape.txn(ADD, a(1, 2), type="fail")
    tape.txn(READ, r(1, 1, 2, -1))
    part = judged(tape, "read-committed")
    assert counts(part) == {"unexpected": 2}
    assert [anomaly.explanation for anomaly in part.anomalies] == snapshot
    assert judged(tape, "read-uncommitted").verdict is Verdict.VALID


def test_elements_that_are_there_twice(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1))
    tape.txn(READ, r(1, 1))
    tape.txn(READ, r(1, 1, 1))
    part = judged(tape, "read-uncommitted")
    assert counts(part) == {"duplicate": 1}
    assert part.anomalies[0].explanation == snapshot


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ("read-committed", Verdict.VALID),
        ("cursor-stability", Verdict.INVALID),
        ("repeatable-read", Verdict.INVALID),
        ("snapshot-isolation", Verdict.INVALID),
    ],
)
def test_losses_that_the_model_allows_are_counted_only(expect: str, verdict: Verdict) -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1))
    tape.txn(READ, r(1))
    part = judged(tape, expect)
    assert part.verdict is verdict
    assert counts(part) == {"lost": 1}
    assert judged(tape, expect, SetElements(against="always")).verdict is Verdict.INVALID


def test_rows_that_are_inserted_once() -> None:
    tape = Tape()
    tape.txn(ADD, rr(1, None), rr(2, None), w(1, 1))
    tape.txn(READ, rr(1, 1), rr(2, None))
    tape.txn(ADD, rr(2, None), w(2, 1))
    assert judged(tape, "strict-serializable").verdict is Verdict.VALID
    tape.txn(READ, rr(1, None), rr(2, 1))
    assert counts(judged(tape)) == {"lost": 1}


def test_registers_that_are_overwritten_say_nothing() -> None:
    tape = Tape()
    tape.txn(ADD, w(1, 1))
    tape.txn(ADD, w(1, 2))
    tape.txn(READ, rr(1, 2))
    part = judged(tape)
    assert part.verdict is Verdict.UNKNOWN
    assert part.data["elements"] == 0


@pytest.mark.parametrize("type", ["info", "fail"])
def test_reads_that_are_not_known_to_have_committed_tell_nothing(type: str) -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1))
    tape.txn(READ, r(1), type=type)
    part = judged(tape)
    assert part.verdict is Verdict.UNKNOWN
    assert part.reason == "no element was read after it was known to be there"
    assert part.data["never_read"] == 1


def test_names_are_options() -> None:
    tape = Tape()
    tape.txn("add", a(1, 1))
    tape.txn("read", r(1))
    assert judged(tape) == Part(data={"elements": 0})
    for names in (("add",), ("*",)):
        assert counts(judged(tape, analyzer=SetElements(adds=names))) == {"lost": 1}


def test_what_cannot_be_judged_is_not_called_valid() -> None:
    tape = Tape()
    tape.txn(ADD, a(1, 1))
    tape.txn(ADD, a(1, 1))
    tape.txn(READ, r(1, 1))
    assert judged(tape).verdict is Verdict.UNKNOWN


def test_few_of_many_are_explained() -> None:
    tape = Tape()
    for value in range(20):
        tape.txn(ADD, a(1, value))
    tape.txn(READ, r(1))
    part = judged(tape, analyzer=SetElements(shown=3))
    assert part.data["lost"] == 20
    assert len(part.anomalies) == 3


def by_definition(txns: list[Txn], registers: bool) -> dict[str, Any]:
    """The fate of every element, by going through all reads."""
    writes = [(key, value, txn) for txn in txns for key, value in txn.writes()]
    keys = {key for key, _, _ in writes}
    if registers:
        keys = {key for key in keys if sum(k == key and txn.type != "fail" for k, _, txn in writes) <= 1}
    reads = [
        (key, [value] if registers and value is not None else list(value or ()), txn)
        for txn in txns
        if txn.type == "ok"
        for key, value in txn.reads()
        if key in keys
    ]
    elements = {(key, value) for key, value, _ in writes if key in keys}
    elements |= {(key, value) for key, seen, _ in reads for value in seen}
    found = {"lost": 0, "stale": 0, "unexpected": 0, "duplicate": 0}
    for key, value in elements:
        writers = [txn for k, v, txn in writes if (k, v) == (key, value)]
        on_key = [(seen, txn) for k, seen, txn in reads if k == key]
        having = [txn for seen, txn in on_key if value in seen]
        ends = [txn.complete_at for txn in [*(each for each in writers if each.type == "ok"), *having]]
        found["unexpected"] += bool(having) and not any(txn.type != "fail" for txn in writers)
        found["duplicate"] += any(seen.count(value) > 1 for seen, _ in on_key)
        if not ends:
            continue
        known = min(ends)
        if any(txn.invoke_at > known and value not in seen for seen, txn in on_key):
            last = max(txn.invoke_at for _, txn in on_key)
            seen_since = any((txn.complete_at or 0) >= last for txn in having)
            found["stale" if seen_since else "lost"] += 1
    return found


@given(st.one_of(list_histories(), register_histories()))
def test_it_judges_as_the_definition_does(txns: list[Txn]) -> None:
    history = history_of(txns)
    registers = any(f == "w" for txn in txns for f, _, _ in txn.mops)
    part = SetElements(adds=("*",)).analyze(history, "strict-serializable")
    if part.data.get("elements") is not None and "lost" in part.data:
        assert {name: part.data[name] for name in COUNTS} == by_definition(txns, registers)
        wrong = any(part.data[name] for name in COUNTS)
        assert (part.verdict is Verdict.INVALID) == wrong


def test_it_does_not_matter_how_many_are_looked_at_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape()
    for value in range(1, 8):
        tape.txn(ADD, a(1, value), a(2, value))
        tape.txn(READ, r(1, *range(1, value + 1)), r(2, *range(2, value + 1)))
        tape.txn(READ, r(2))
    whole = judged(tape)
    assert whole.data["lost"] == 7
    for size in (1, 2, 5):
        monkeypatch.setattr("txfuzz_templates.analyzers.committed_reads._PIECE", size)
        assert judged(tape) == whole
