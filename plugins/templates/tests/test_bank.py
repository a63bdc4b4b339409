"""The analyzer bank-total on histories whose truth is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from brute_force import Txn
from small_histories import history_of, list_histories
from template_histories import Tape, a, r, w
from txfuzz import Part, Verdict, analyze_history
from txfuzz_templates.analyzers.bank import BankTotal


def judged(tape: Tape, expect: str = "serializable", analyzer: BankTotal | None = None) -> Part:
    return (analyzer or BankTotal()).analyze(tape.history(), expect)


def transfer(tape: Tape, from_: tuple[int, int], to: tuple[int, int], type: str = "ok") -> None:
    tape.txn("bank-transfer", a(*from_), a(*to), type=type)


def test_audits_that_see_all_or_nothing_are_fine() -> None:
    tape = Tape()
    tape.txn("bank-audit", r(1), r(2), r(3))
    transfer(tape, (1, 1), (2, 1))
    tape.txn("bank-audit", r(1, 1), r(2, 1), r(3))
    transfer(tape, (2, 2), (3, 1))
    tape.txn("bank-audit", r(1, 1), r(2, 1), r(3))  # old, but it adds up
    tape.txn("bank-audit", r(1, 1), r(2, 1, 2), r(3, 1))
    part = judged(tape)
    assert part.verdict is Verdict.VALID
    assert part.data == {"transfers": 2, "audits": 4, "off": 0, "contradicts": False}


def test_half_a_transfer_is_seen(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    transfer(tape, (1, 7), (2, 1))
    transfer(tape, (3, 5), (2, 2))
    tape.txn("bank-audit", r(1, 7), r(2), r(3))
    part = judged(tape)
    assert part.verdict is Verdict.INVALID
    assert part.reason == "1 audit of 1 did not add up"
    (anomaly,) = part.anomalies
    assert anomaly.type == "bank-total"
    assert anomaly.record == {"total": -7, "keys": [1, 2, 3], "transfers": 1}
    assert [view.template for view in anomaly.transactions] == ["bank-audit", "bank-transfer"]
    assert anomaly.explanation == snapshot


def test_errors_that_cancel_out_are_errors(snapshot: SnapshotAssertion) -> None:
    tape = Tape()
    transfer(tape, (1, 1), (2, 1))
    transfer(tape, (2, 1_000), (1, 1_000))
    tape.txn("bank-transfer", a(3, 1), a(1, 3))
    tape.txn("bank-audit", r(1, 1), r(2), r(3, 1))
    tape.txn("bank-audit", r(1, 1, 3), r(2), r(3))
    part = judged(tape)
    assert [anomaly.record["total"] for anomaly in part.anomalies] == [-2, 0]
    assert part.anomalies[1].explanation == snapshot


def test_accounts_that_were_not_read_are_not_missed() -> None:
    """Keys have generations: the other half may be under a key that the audit no longer reads."""
    tape = Tape()
    transfer(tape, (1, 1), (2, 1))
    transfer(tape, (12, 1), (13, 1))
    tape.txn("bank-audit", r(1, 1), r(12))
    tape.txn("bank-audit", r(1, 1))
    tape.txn("bank-audit", r(2, 1), r(13, 1))
    part = judged(tape)
    assert part.verdict is Verdict.VALID
    assert part.data["audits"] == 2


def test_an_account_that_is_read_twice_counts_as_seen_once() -> None:
    tape = Tape()
    transfer(tape, (1, 1), (2, 1))
    tape.txn("bank-audit", r(2), r(1, 1), r(2, 1))
    tape.txn("bank-audit", r(2, 1), r(1, 1), r(2))
    assert judged(tape).verdict is Verdict.VALID
    tape.txn("bank-audit", r(2), r(1, 1), r(2))
    assert judged(tape).data["off"] == 1


def test_a_transfer_does_not_audit_itself() -> None:
    tape = Tape()
    tape.txn("bank-transfer", a(1, 1), r(1, 1), r(2), a(2, 1))
    tape.txn("bank-audit", r(1, 1), r(2, 1))
    assert judged(tape).verdict is Verdict.VALID


@pytest.mark.parametrize("type", ["info", "fail"])
def test_transfers_of_any_outcome_are_seen_whole(type: str) -> None:
    whole, half = Tape(), Tape()
    for tape in (whole, half):
        transfer(tape, (1, 1), (2, 1), type)
    whole.txn("bank-audit", r(1, 1), r(2, 1))
    half.txn("bank-audit", r(1, 1), r(2))
    assert judged(whole).verdict is Verdict.VALID
    assert judged(half).verdict is Verdict.INVALID
    word = {"info": "may have committed", "fail": "failed"}[type]
    assert f"T2, which {word}, took 1" in judged(half).anomalies[0].explanation


def test_reads_of_unknown_outcome_tell_nothing() -> None:
    tape = Tape()
    transfer(tape, (1, 1), (2, 1))
    tape.txn("bank-audit", r(1, 1), r(2), type="info")
    part = judged(tape)
    assert part.verdict is Verdict.UNKNOWN
    assert part.reason == "no transaction that read two accounts is known to have committed"


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ("read-uncommitted", Verdict.VALID),
        ("read-committed", Verdict.VALID),
        ("monotonic-atomic-view", Verdict.VALID),
        ("read-atomic", Verdict.INVALID),
        ("consistent-view", Verdict.INVALID),
        ("snapshot-isolation", Verdict.INVALID),
        ("strict-serializable", Verdict.INVALID),
    ],
)
def test_what_the_model_allows_is_counted_only(expect: str, verdict: Verdict) -> None:
    tape = Tape()
    transfer(tape, (1, 1), (2, 1))
    tape.txn("bank-audit", r(1), r(2, 1))
    part = judged(tape, expect)
    assert part.verdict is verdict
    assert part.data["off"] == 1
    assert judged(tape, expect, BankTotal(against="always")).verdict is Verdict.INVALID


def test_names_are_options_and_other_histories_are_no_business_of_it() -> None:
    tape = Tape()
    tape.txn("move", a(1, 1), a(2, 1))
    tape.txn("bank-audit", r(1), r(2, 1))
    assert judged(tape) == Part(data={"transfers": 0})
    assert judged(tape, analyzer=BankTotal(transfers=("move",))).verdict is Verdict.INVALID


def test_what_is_no_transfer_is_none() -> None:
    tape = Tape()
    tape.txn("bank-transfer", a(1, 1))
    tape.txn("bank-transfer", a(1, 2), a(1, 3))
    tape.txn("bank-transfer", a(1, 4), a(2, 1), a(3, 1))
    tape.txn("bank-audit", r(1, 1), r(2))
    assert judged(tape).data["transfers"] == 0


def test_what_cannot_be_judged_is_not_called_valid() -> None:
    twice = Tape()
    transfer(twice, (1, 1), (2, 1))
    transfer(twice, (1, 1), (3, 1))
    assert judged(twice).verdict is Verdict.UNKNOWN
    assert "duplicate writes" in judged(twice).reason
    registers = Tape()
    registers.txn("bank-transfer", w(1, 1), w(2, 1))
    assert judged(registers).reason == "a bank is judged on lists, not on registers"


def test_long_audits_show_the_accounts_in_question() -> None:
    tape = Tape()
    transfer(tape, (1, 1), (2, 1))
    tape.txn("final-read", *(r(key) for key in range(3, 20)), r(1, 1), r(2))
    (anomaly,) = judged(tape).anomalies
    assert anomaly.transactions[0].text == "[:r 1 [1]] [:r 2 []] …"


def test_its_part_stands_in_the_result() -> None:
    tape = Tape()
    transfer(tape, (1, 1), (2, 1))
    tape.txn("bank-audit", r(1), r(2, 1))
    result = analyze_history(tape.history(), "serializable", analyzers=[BankTotal()])
    assert result.anomaly_types == ("bank-total",)
    assert result.to_json()["parts"]["bank-total"] == {
        "verdict": "invalid",
        "reason": "1 audit of 1 did not add up",
        "transfers": 1,
        "audits": 1,
        "off": 1,
        "contradicts": True,
    }


def off_by_definition(txns: list[Txn]) -> int:
    """Audits that saw one half of a transfer whose accounts they both read."""
    transfers = [(txn, txn.writes()) for txn in txns if len({key for key, _ in txn.writes()}) == 2]
    transfers = [(txn, halves) for txn, halves in transfers if len(halves) == 2]
    off = 0
    for audit in txns:
        looked = {key for key, _ in audit.reads()} if audit.type == "ok" else set()
        saw = {(key, element) for key, value in audit.reads() for element in value or ()}
        off += any(
            txn is not audit and {key for key, _ in halves} <= looked and len(saw & set(halves)) == 1
            for txn, halves in transfers
        )
    return off


@given(list_histories())
def test_it_judges_as_the_definition_does(txns: list[Txn]) -> None:
    part = BankTotal(transfers=("*",)).analyze(history_of(txns), "serializable")
    if "off" in part.data:
        assert part.data["off"] == off_by_definition(txns)
        assert (part.verdict is Verdict.INVALID) == bool(part.data["off"])
