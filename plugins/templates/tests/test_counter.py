"""The analyzer counter-bounds on histories whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from brute_force import Txn
from small_histories import history_of, list_histories
from template_histories import Tape, a, r, w
from txfuzz import Part, Verdict
from txfuzz_templates.analyzers.counter import CounterBounds

INC, GET = "counter-increment", "counter-read"


def judged(tape: Tape, expect: str = "strict-serializable", analyzer: CounterBounds | None = None) -> Part:
    return (analyzer or CounterBounds()).analyze(tape.history(), expect)


def test_between_what_was_acknowledged_and_what_was_asked() -> None:
    tape = Tape()
    tape.txn(INC, a(1, 1))
    slow = tape.begin(INC, a(1, 2))
    for seen in ((1,), (1, 2)):
        tape.txn(GET, r(1, *seen))
    tape.end(slow)
    tape.txn(GET, r(1, 1, 2))
    part = judged(tape)
    assert part.verdict is Verdict.VALID
    assert part.data == {
        "counters": 1,
        "reads": 3,
        "below": 0,
        "above": 0,
        "lost": 0,
        "contradicts": False,
    }


def stale() -> Tape:
    tape = Tape()
    tape.txn(INC, a(1, 1))
    tape.txn(INC, a(1, 2))
    tape.txn(GET, r(1, 1))
    tape.txn(GET, r(1, 1, 2))
    return tape


def test_a_stale_read_is_below(snapshot: SnapshotAssertion) -> None:
    part = judged(stale())
    assert part.verdict is Verdict.INVALID
    assert part.reason == "1 read of 2 outside the bounds of a counter"
    (anomaly,) = part.anomalies
    assert anomaly.type == "counter-below"
    assert anomaly.record == {"key": 1, "count": 1, "least": 2, "most": 2}
    assert anomaly.explanation == snapshot
    assert [view.template for view in anomaly.transactions] == [GET, INC]


@pytest.mark.parametrize(
    ("expect", "stale_counts", "lost_counts"),
    [
        ("read-committed", False, False),
        ("cursor-stability", False, True),
        ("snapshot-isolation", False, True),
        ("serializable", False, True),
        ("strong-session-serializable", False, True),
        ("strong-snapshot-isolation", True, True),
        ("strict-serializable", True, True),
    ],
)
def test_what_the_model_allows_is_counted_only(expect: str, stale_counts: bool, lost_counts: bool) -> None:
    lost = Tape()
    lost.txn(INC, a(1, 1))
    lost.txn(INC, a(1, 2))
    lost.txn("final-read", r(1, 2))
    for tape, counts in ((stale(), stale_counts), (lost, lost_counts)):
        part = judged(tape, expect)
        assert part.data["below"] == 1
        assert part.verdict is (Verdict.INVALID if counts else Verdict.VALID)
        assert judged(tape, expect, CounterBounds(against="always")).verdict is Verdict.INVALID
    assert judged(lost, expect).data["lost"] == 1


def test_more_than_was_asked(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    tape.txn(INC, a(1, 1))
    tape.txn(GET, r(1, 1, 2))
    tape.txn(INC, a(1, 2))
    part = judged(tape, "read-committed")
    assert part.verdict is Verdict.INVALID
    (anomaly,) = part.anomalies
    assert anomaly.type == "counter-above"
    assert anomaly.explanation == snapshot
    assert judged(tape, "read-uncommitted").verdict is Verdict.VALID


def test_failed_increments_do_not_count() -> None:
    tape = Tape()
    tape.txn(INC, a(1, 1), type="fail")
    tape.txn(INC, a(1, 2))
    tape.txn(GET, r(1, 2))
    assert judged(tape).verdict is Verdict.VALID
    tape.txn(GET, r(1, 1, 2))
    assert judged(tape).data["above"] == 1


def test_increments_of_unknown_outcome_raise_the_upper_bound_only() -> None:
    tape = Tape()
    tape.txn(INC, a(1, 1), type="info")
    tape.begin(INC, a(1, 2))  # it never ends
    for seen in ((), (1,), (1, 2)):
        tape.txn(GET, r(1, *seen))
    assert judged(tape).verdict is Verdict.VALID


def test_reads_of_unknown_outcome_tell_nothing() -> None:
    tape = Tape()
    tape.txn(INC, a(1, 1))
    tape.txn(GET, r(1), type="info")
    tape.txn(GET, r(1), type="fail")
    part = judged(tape)
    assert part.verdict is Verdict.UNKNOWN
    assert part.reason == "no read of a counter is known to have committed"


def test_a_transaction_sees_its_own_increments_in_order() -> None:
    tape = Tape()
    tape.txn(INC, r(1), a(1, 1), r(1, 1), a(1, 2), r(1, 1, 2))
    assert judged(tape).verdict is Verdict.VALID
    blind = Tape()
    blind.txn(INC, a(1, 1), r(1), a(1, 2))
    assert judged(blind).data["below"] == 1
    ahead = Tape()
    ahead.txn(INC, a(1, 1), r(1, 1, 2), a(1, 2))
    assert judged(ahead).data["above"] == 1


def test_appends_of_others_count_and_other_keys_do_not() -> None:
    tape = Tape()
    tape.txn(INC, a(1, 1))
    tape.txn("other", a(1, 2), a(2, 1))
    tape.txn("other", r(1, 1, 2), r(2))
    assert judged(tape).verdict is Verdict.VALID
    assert judged(tape).data["counters"] == 1
    assert judged(tape, analyzer=CounterBounds(increments=("*",))).data["below"] == 1
    assert judged(tape, analyzer=CounterBounds(increments=("none",))) == Part(data={"counters": 0})


def test_what_cannot_be_judged_is_not_called_valid() -> None:
    twice = Tape()
    twice.txn(INC, a(1, 1))
    twice.txn(INC, a(1, 1))
    assert "duplicate writes" in judged(twice).reason
    registers = Tape()
    registers.txn(INC, w(1, 1))
    assert judged(registers).reason == "a counter is judged on lists, not on registers"
    for tape in (twice, registers):
        assert judged(tape).verdict is Verdict.UNKNOWN


def by_definition(txns: list[Txn]) -> Mapping[str, int]:
    """Reads below and above their bounds, by going through everything."""
    found = {"below": 0, "above": 0}
    for txn in txns:
        if txn.type != "ok" or txn.complete_at is None:
            continue
        for place, (f, key, value) in enumerate(txn.mops):
            if f != "r":
                continue
            own = [at for at, mop in enumerate(txn.mops) if mop[:2] == ("append", key)]
            before, after = sum(at < place for at in own), sum(at > place for at in own)
            done = asked = 0
            for other in txns:
                appends = sum(mop[:2] == ("append", key) for mop in other.mops)
                acknowledged = other.type == "ok" and (other.complete_at or 0) < txn.invoke_at
                done += appends * acknowledged
                asked += appends * (other.type != "fail" and other.invoke_at < txn.complete_at)
            found["below"] += len(value or ()) < done + before
            found["above"] += len(value or ()) > asked - after
    return found


@given(list_histories())
def test_it_counts_as_the_definition_does(txns: list[Txn]) -> None:
    history = history_of(txns)
    part = CounterBounds(increments=("*",)).analyze(history, "strict-serializable")
    if part.data.get("counters"):
        written = {mop[1] for txn in txns for mop in txn.mops if mop[0] == "append"}
        mine = [
            Txn(txn.type, txn.process, tuple(mop for mop in txn.mops if mop[1] in written),
                txn.invoke_at, txn.complete_at)
            for txn in txns
        ]  # fmt: skip
        told = {name: part.data[name] for name in ("below", "above")}
        assert told == by_definition(mine)
