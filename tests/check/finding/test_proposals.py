"""What might mend a failing program, by the form of its SQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from double_booking import BOOK, LOOK, PROGRAM, double_booking
from txfuzz.check.contract import SqlInvariant
from txfuzz.check.finding.proposals import constraints, locking_reads, stronger_levels
from txfuzz.check.transaction import SqlTransaction
from txfuzz.transactions.model import Step, Transaction


def locked(sql: str) -> list[str]:
    """The proposals for the double booking, had it looked so."""
    look = replace(BOOK.steps[0], sql=sql)
    book = SqlTransaction(replace(BOOK, steps=(look, BOOK.steps[1])))
    attempt = replace(double_booking(), program=PROGRAM.changed({"book": book}))
    found = list(locking_reads(attempt, {"update"}))
    return [str(each.transactions["book"].transaction.steps[0].sql) for each in found]


def test_a_lock_on_the_read_that_the_explanation_names() -> None:
    (found,) = locking_reads(double_booking(), {"share", "update"})
    assert (found.about, found.sql) == ("FOR UPDATE in step 1 of book", f"{LOOK} FOR UPDATE")
    assert list(locking_reads(double_booking(), {"share"})) == []


def test_an_aggregate_locks_the_rows_below_it() -> None:
    assert locked("SELECT count(*) AS n FROM seats WHERE booked_by IS NULL;") == [
        "SELECT count(*) AS n FROM (SELECT * FROM seats WHERE booked_by IS NULL FOR UPDATE) AS locked"
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT booked_by FROM seats FOR UPDATE",
        "SELECT sum(seat) FROM seats GROUP BY booked_by",
        "SELECT count(*) FROM seats JOIN shows USING (show)",
        "UPDATE seats SET seat = 2 RETURNING booked_by",
    ],
)
def test_what_cannot_take_a_lock_is_left_alone(sql: str) -> None:
    assert locked(sql) == []


@pytest.mark.parametrize(
    ("query", "constraint"),
    [
        (
            "SELECT name, count(*) FROM users GROUP BY name HAVING count(*) > 1;",
            "CREATE UNIQUE INDEX users_name_once ON users (name)",
        ),
        (
            "select a from t where not gone group by a, b having count(b) > 1",
            "CREATE UNIQUE INDEX t_a_b_once ON t (a, b) WHERE not gone",
        ),
        ("SELECT * FROM accounts WHERE amount < 0", "ALTER TABLE accounts ADD CHECK (NOT (amount < 0))"),
        ("SELECT sum(amount) FROM accounts HAVING sum(amount) < 0", ""),
        ("SELECT a.id FROM a JOIN b ON b.id = a.id WHERE a.v < 0", ""),
        ("SELECT id FROM a WHERE id NOT IN (SELECT id FROM b)", ""),
        ("SELECT name FROM users GROUP BY name HAVING count(*) > 2", ""),
    ],
)
def test_an_invariant_as_a_constraint(query: str, constraint: str) -> None:
    found = constraints([SqlInvariant("it", query), SqlInvariant("other", query)], {"it"})
    assert [each.setup for each in found] == ([(constraint,)] if constraint else [])


def test_a_stronger_level_is_tried_again_after_its_errors() -> None:
    (found,) = stronger_levels(double_booking(), ["serializable"], ["40001"])
    assert (found.about, found.isolation) == ("SERIALIZABLE, run again after 40001", "serializable")
    book = found.transactions["book"]
    assert isinstance(book, SqlTransaction)
    assert book.transaction.retry > 0


def test_reads_that_nothing_names_are_locked_where_they_are_plain() -> None:
    blind = SqlTransaction(Transaction("book", (Step(None, sql="UPDATE t SET v = 1"),), params=BOOK.params))
    attempt = replace(double_booking(), program=PROGRAM.changed({"book": blind}))
    assert list(locking_reads(attempt, {"update"})) == []
