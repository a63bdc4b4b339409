"""A schedule is wrong by the promise of its level, or because the database has failed in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import PRESENT, SELECT, UPDATE, program
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.serial.outcome import Ending
from txfuzz.hunt.judging.judge import failed, proven, wrong
from txfuzz.hunt.judging.wrong import NO_PROMISE, SERIAL, Promise, Wrong

PROGRAM = program((PRESENT, PRESENT), ((SELECT, 0), (UPDATE, 0)), ((SELECT, 0), (UPDATE, 0)))
LOST = attempt(("T1", [0]), ("T2", [0]), ("T1", 1), ("T1", COMMIT), ("T2", 1), ("T2", COMMIT))
SNAPSHOTS = Promise(False, frozenset({Wrong.LOST_UPDATE}), "snapshot-isolation")


def test_an_anomaly_is_wrong_where_it_is_forbidden() -> None:
    found = proven(PROGRAM, LOST)
    assert [each.kind for each in found] == [Wrong.LOST_UPDATE]
    assert wrong(PROGRAM, LOST, SNAPSHOTS, (), found) is Wrong.LOST_UPDATE
    assert wrong(PROGRAM, LOST, NO_PROMISE, (), found) is None
    assert wrong(PROGRAM, LOST, SERIAL, (), found) is Wrong.NO_ORDER


def test_an_outcome_that_an_order_explains_proves_nothing() -> None:
    for answer in (SerialAnswer.EXPLAINED, SerialAnswer.UNKNOWN):
        assert proven(PROGRAM, replace(LOST, judgement=SerialJudgement(answer))) == ()


ALONE = attempt(("T1", [8]), ("T2", [0]), ("T1", 1), ("T1", COMMIT), ("T2", 1), aborted="T2")


def test_what_one_session_alone_did_is_what_it_would_have_done_alone() -> None:
    committed = Promise(False, frozenset({Wrong.DIRTY_READ}), "read-committed")
    assert wrong(PROGRAM, ALONE, committed, ()) is Wrong.SINGLE
    assert wrong(PROGRAM, ALONE, SERIAL, ()) is Wrong.SINGLE
    assert wrong(PROGRAM, ALONE, NO_PROMISE, ()) is None  # where others may see what is aborted later
    explained = replace(ALONE, judgement=SerialJudgement(SerialAnswer.EXPLAINED))
    assert wrong(PROGRAM, explained, SERIAL, ()) is None


def test_what_committed_beside_an_aborted_transaction_of_another_session_was_not_alone() -> None:
    """T1 and T2 are of one session, T3 is of another; T2 was aborted."""
    of_three = replace(PROGRAM, sessions=(PROGRAM.sessions[0] * 2, PROGRAM.sessions[1]))
    assert of_three.labels == ("T1", "T2", "T3")
    made = attempt(
        ("T3", [0]), ("T1", 1), ("T1", COMMIT), ("T3", 1), ("T2", [0]), ("T3", COMMIT), aborted="T2"
    )
    level = Promise(False, frozenset({Wrong.DIRTY_READ}), "snapshot-isolation")
    assert wrong(of_three, made, level, ()) is None
    only_first = attempt(("T1", [8]), ("T1", COMMIT), ("T3", [0]), ("T2", 1), ("T2", COMMIT), aborted="T3")
    assert wrong(of_three, only_first, level, ()) is Wrong.SINGLE


def ended(made: FollowedSchedule, **how: Any) -> FollowedSchedule:
    """With the first transaction aborted like this."""
    outcome = made.outcome
    first, *_ = outcome.transactions
    aborted = replace(outcome.transactions[first], ending=Ending.ABORTED, **how)
    return replace(made, outcome=replace(outcome, transactions={**outcome.transactions, first: aborted}))


def test_a_database_fails_by_its_own_errors_and_by_going() -> None:
    rows = attempt(("T1", 1), ("T1", COMMIT), final={"a": 1})
    assert failed(ended(rows, code="40001"), ("XX",)) is None
    assert failed(ended(rows, code="XX000"), ("XX",)) is Wrong.INTERNAL
    assert failed(ended(rows, code="XX000"), ()) is None
    assert failed(ended(rows, code="57P01", lost=True), ("XX",)) is Wrong.LOST
    gone = attempt(("T1", 1), ("T1", COMMIT))  # nobody could be asked for the rows
    assert failed(ended(gone, code="08006", lost=True), ("XX",)) is Wrong.CRASH
    stuck = replace(rows, trace=replace(rows.trace, stuck="it did not end within 5 s"))
    assert failed(stuck, ("XX",)) is Wrong.STUCK
    assert wrong(PROGRAM, stuck, SERIAL, ("XX",)) is Wrong.STUCK
