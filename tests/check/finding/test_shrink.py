"""What a failing program can do without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from double_booking import BOOK, PROGRAM, double_booking
from txfuzz.check.finding.shrink import single_rows, smaller_programs
from txfuzz.check.program import Program
from txfuzz.check.transaction import SqlTransaction
from txfuzz.transactions.model import Param, Step, Transaction


def test_rows_of_an_insert_are_taken_apart_where_that_is_certain() -> None:
    assert single_rows(["INSERT INTO t (a, b) VALUES (1, 'x, (y)'), (2, 'it''s;');"]) == (
        "INSERT INTO t (a, b) VALUES (1, 'x, (y)')",
        "INSERT INTO t (a, b) VALUES (2, 'it''s;')",
    )
    whole = (
        "INSERT INTO t VALUES (1), (2) ON CONFLICT DO NOTHING",
        "INSERT INTO t SELECT 1",
        "CREATE TABLE t (a int)",
        "INSERT INTO t VALUES (f(1))",
    )
    assert single_rows(whole) == whole


def test_a_step_goes_unless_others_need_its_names() -> None:
    # The look gives `holder` to the take; without the take nobody needs `who`, nor `holder`
    (found,) = smaller_programs(PROGRAM)
    smaller = found.program
    (one, arguments), _ = smaller.calls
    assert isinstance(one, SqlTransaction)
    assert [step.sql for step in one.transaction.steps] == [BOOK.steps[0].sql]
    assert one.transaction.steps[0].returns == ()
    assert (one.params, arguments) == ((), {})
    assert smaller.labels == ("book 1", "book 2")
    assert found.step == ("book", 1)
    ann, bob = smaller.labels
    assert found.schedule(double_booking()) == (ann, bob, bob, ann)  # each look, and each COMMIT


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT n FROM t WHERE a = 1 FOR UPDATE",
        "select n from t for no key update skip locked",
        "SELECT n FROM t LOCK IN SHARE MODE",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT GET_LOCK('a', 1)",
        "LOCK TABLE t",
    ],
)
def test_a_lock_is_kept(sql: str) -> None:
    steps = (Step(None, sql=sql), Step(None, sql="SELECT 1"))
    call = (SqlTransaction(Transaction("one", steps)), {})
    assert [each.step for each in smaller_programs(Program("two", (call, call)))] == [("one", 1)]


def test_transactions_and_retries_go_first() -> None:
    step = Step(None, sql="SELECT :a", args=(("a", Param("a")),))
    again = SqlTransaction(Transaction("again", (step,), params=(("a", (1,)),), retry=3))
    three = Program("three", ((again, {"a": 1}),) * 3)
    sizes = [len(each.program.calls) for each in smaller_programs(three)]
    assert sizes == [2, 2, 2, 3]
    assert [each.calls for each in smaller_programs(three)[:2]] == [(1, 2), (0, 2)]
    pair = replace(three, calls=three.calls[:2])
    (without,) = smaller_programs(pair)
    assert all(
        each.transaction.retry == 0 for each, _ in without.program.calls if isinstance(each, SqlTransaction)
    )
