"""Stories of failing schedules: in words that name the user's transactions and values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from double_booking import ANN, BOB, column, double_booking
from txfuzz.check.contract import FunctionRows
from txfuzz.check.finding.failures import failures
from txfuzz.check.run import FollowedSchedule
from txfuzz.check.serial.difference import Difference, StatementPlace, TablePlace
from txfuzz.check.serial.judge import SerialAnswer, SerialJudgement
from txfuzz.check.story import cell_text, explanation, seen_text, story
from txfuzz.database.scenario import Rows


def judged(*compared: tuple[tuple[str, ...], tuple[Difference, ...]]) -> FollowedSchedule:
    """The double booking, had it differed from the orders so."""
    (order, found), *others = compared
    judgement = SerialJudgement(SerialAnswer.UNEXPLAINED, order, found, tuple(others))
    return replace(double_booking(), judgement=judgement)


def test_two_that_missed_each_other() -> None:
    attempt = double_booking()
    assert failures(attempt) == ("neither book saw the other",)
    assert explanation(attempt) == (
        "book (ann) saw booked_by NULL in line 1, and so did book (bob) in line 2; whichever went first, "
        "the other would have seen booked_by 'ann' or booked_by 'bob'.",
    )


def test_of_two_statements_that_differ_each_order_is_told() -> None:
    early, late = StatementPlace(ANN, 0), StatementPlace(BOB, 1)
    attempt = judged(
        ((BOB, ANN), (Difference(early, column("booked_by", None), column("booked_by", "bob")),)),
        ((ANN, BOB), (Difference(late, 1, 0),)),
    )
    assert explanation(attempt) == (
        "book (ann) saw booked_by NULL in line 1, and book (bob) updated 1 row in line 3; "
        "had book (bob) gone first, book (ann) would have seen booked_by 'bob'; "
        "had book (ann) gone first, book (bob) would have updated no row.",
    )


def test_a_statement_that_would_not_have_run_is_told_by_order() -> None:
    early, late = StatementPlace(ANN, 0), StatementPlace(BOB, 1)
    attempt = judged(
        ((BOB, ANN), (Difference(early, column("booked_by", None), column("booked_by", "bob")),)),
        ((ANN, BOB), (Difference(late, 1, None),)),
    )
    assert explanation(attempt)[0] == "Neither of the 2 serial orders gives this outcome:"


def test_each_line_has_its_values_and_what_came() -> None:
    lines = story(double_booking(waits=4))
    assert [(line.transaction, line.came) for line in lines] == [
        (ANN, "booked_by NULL"),
        (BOB, "booked_by NULL"),
        (BOB, "1 row changed"),
        (BOB, "committed"),
        (ANN, "1 row changed"),
        (ANN, "committed"),
    ]
    assert lines[2].did == "UPDATE seats SET booked_by = 'bob' WHERE seat = 1"
    assert [line.waited_for for line in lines] == [(), (), (), (), (BOB,), ()]
    assert [line.waited for line in lines] == [False, False, False, False, True, False]


def test_a_reader_of_two_states() -> None:
    early, late = StatementPlace(ANN, 0), StatementPlace(ANN, 1)
    attempt = judged(
        ((ANN, BOB), (Difference(late, column("v", 2), column("v", 1)),)),
        ((BOB, ANN), (Difference(early, column("v", 1), column("v", 2)),)),
    )
    assert failures(attempt) == ("book saw no single state",)
    assert explanation(attempt) == (
        "book (ann) saw v 1 in line 1, as before book (bob), but v 2 in line 5, as after it: "
        "at no moment both are so.",
    )


def test_rows_that_no_order_leaves() -> None:
    place, seen = TablePlace("t"), column("v", 1)
    attempt = judged(
        ((ANN, BOB), (Difference(place, seen, column("v", 2)),)),
        ((BOB, ANN), (Difference(place, seen, column("v", 2)),)),
    )
    assert failures(attempt) == ("rows of t that no order leaves",)
    assert explanation(attempt) == ("Whichever went first, table t would hold v 2, but it holds v 1.",)


def test_an_invariant_that_is_broken_in_series_is_told_apart() -> None:
    rows = {"one each": column("who", "ann")}
    attempt = double_booking(broken=rows)
    assert failures(attempt) == ("one each: broken", "neither book saw the other")
    assert failures(attempt, "invariants") == ("one each: broken",)
    assert explanation(attempt)[-1] == "Broken: one each. The query for it gives who 'ann'."
    explained = replace(attempt, judgement=SerialJudgement(SerialAnswer.EXPLAINED, (ANN, BOB)))
    assert failures(explained) == ("one each: broken, even in series",)
    assert explanation(explained) == (
        "Broken, as it is when they run one after the other: one each. The query for it gives who 'ann'.",
    )


def test_values_are_short() -> None:
    assert seen_text(Rows(("a", "b"), ((1, "x"), (2, None)))) == "(a 1, b 'x') and (a 2, b NULL)"
    assert seen_text(column("a", 1, 2, 3, 4, 5)) == "a 1, a 2, a 3 and 2 more rows"
    assert (seen_text(0), seen_text(1), seen_text(2_000)) == (
        "no row changed",
        "1 row changed",
        "2,000 rows changed",
    )
    assert len(cell_text("x" * 1_000)) == 60


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            FunctionRows(("who",), (("ann",),), function="one_each"),
            "The function one_each returned who 'ann'.",
        ),
        (
            FunctionRows((), (("x",),), function="one_each", raised="AssertionError: x"),
            "The function one_each raised AssertionError: x.",
        ),
    ],
)
def test_an_invariant_that_is_a_function_is_no_query(rows: FunctionRows, told: str) -> None:
    assert explanation(double_booking(broken={"one each": rows}))[-1] == f"Broken: one each. {told}"
