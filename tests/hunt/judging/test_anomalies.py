"""What the answers of a schedule prove, and what they only seem to."""

from __future__ import annotations

import pytest

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import ABSENT, DELETE, INSERT, MAYBE, PLAIN, PRESENT, SELECT, UNDONE, UPDATE, program
from txfuzz.check.run import FollowedSchedule
from txfuzz.hunt.form import Change, Effect, Form
from txfuzz.hunt.judging.anomalies import anomalies
from txfuzz.hunt.judging.wrong import Wrong
from txfuzz.hunt.layout import Layout
from txfuzz.hunt.program import SmallProgram, value_of

BOTH = (PRESENT, PRESENT)
LOOSE = Layout("loose", "no constraint", PLAIN.setup, has=frozenset())


def kinds(small: SmallProgram, made: FollowedSchedule) -> list[Wrong]:
    return [each.kind for each in anomalies(small, made)]


UPDATES_BOTH = ((UPDATE, 0), (UPDATE, 1))  # as T1: values 1 and 2


def test_rows_that_two_leave_crosswise_are_a_dirty_write() -> None:
    small = program(BOTH, UPDATES_BOTH, UPDATES_BOTH)
    moves = [("T1", 1), ("T2", 1), ("T2", 1), ("T2", COMMIT), ("T1", 1), ("T1", COMMIT)]
    assert kinds(small, attempt(*moves, final={"a": 4, "b": 2})) == [Wrong.DIRTY_WRITE]
    assert kinds(small, attempt(*moves, final={"a": 4, "b": 8})) == []
    assert kinds(small, attempt(*moves, final={"a": 5, "b": 2})) == []  # a sum tells nothing


def test_what_an_aborted_transaction_wrote_is_a_dirty_read() -> None:
    small = program(BOTH, ((UPDATE, 0),), ((SELECT, 0),))
    moves = [("T1", 1), ("T2", [1]), ("T2", COMMIT), ("T1", COMMIT)]
    [found] = anomalies(small, attempt(*moves, aborted="T1"))
    assert (found.kind, found.story) == (
        Wrong.DIRTY_READ,
        "T2 saw row 1 of table a as T1 wrote it, which was aborted.",
    )
    assert kinds(small, attempt(*moves)) == [Wrong.DIRTY_READ]  # before its COMMIT
    later = [("T1", 1), ("T1", COMMIT), ("T2", [1]), ("T2", COMMIT)]
    assert kinds(small, attempt(*later)) == []
    assert kinds(small, attempt(*moves, aborted="T2")) == []  # an aborted reader is promised nothing


def test_what_was_taken_back_or_overwritten_is_nothing_to_be_read() -> None:
    undone = program(BOTH, ((UNDONE, 0), (UPDATE, 1)), ((SELECT, 0),))
    moves = [("T1", 0), ("T1", 1), ("T1", 0), ("T1", 1), ("T1", COMMIT), ("T2", [1]), ("T2", COMMIT)]
    assert kinds(undone, attempt(*moves)) == [Wrong.DIRTY_READ]
    twice = program(BOTH, ((UPDATE, 0), (UPDATE, 0)), ((SELECT, 0),))
    seen = [("T1", 1), ("T1", 1), ("T1", COMMIT), ("T2", [1]), ("T2", COMMIT)]
    assert kinds(twice, attempt(*seen)) == [Wrong.INTERMEDIATE_READ]


def test_two_that_see_each_other_go_round() -> None:
    small = program(BOTH, ((UPDATE, 0), (SELECT, 1)), ((UPDATE, 1), (SELECT, 0)))
    moves = [("T1", 1), ("T2", 1), ("T1", [2 * 2]), ("T2", [1]), ("T1", COMMIT), ("T2", COMMIT)]
    assert Wrong.CIRCULAR_INFORMATION in kinds(small, attempt(*moves))


LOST = [("T1", [0]), ("T2", [0]), ("T1", 1), ("T1", COMMIT), ("T2", 1), ("T2", COMMIT)]


def test_an_update_of_what_was_read_before_is_lost() -> None:
    small = program(BOTH, ((SELECT, 0), (UPDATE, 0)), ((SELECT, 0), (UPDATE, 0)))
    assert kinds(small, attempt(*LOST, final={"a": value_of(3)})) == [Wrong.LOST_UPDATE]
    assert kinds(small, attempt(*LOST)) == [Wrong.LOST_UPDATE]  # whichever came last
    without = [*LOST[:4], ("T2", 0), ("T2", COMMIT)]
    assert kinds(small, attempt(*without)) == []  # nothing was changed
    assert kinds(program(BOTH, ((SELECT, 0), (UPDATE, 0)), ((SELECT, 0), (UPDATE, 0)), layout=LOOSE),
                 attempt(*LOST)) == []  # there may be two rows  # fmt: skip


def test_a_row_that_is_inserted_again_is_another_row() -> None:
    small = program(BOTH, ((DELETE, 0),), ((SELECT, 0), (INSERT, 0)))
    moves = [("T2", [0]), ("T1", 1), ("T1", COMMIT), ("T2", 1), ("T2", COMMIT)]
    assert kinds(small, attempt(*moves, final={"a": 4})) == []


SKEW = [("T2", [0]), ("T1", 1), ("T1", 1), ("T1", COMMIT), ("T2", [2]), ("T2", COMMIT)]


def test_rows_from_before_and_from_after_are_read_skew() -> None:
    small = program(BOTH, UPDATES_BOTH, ((SELECT, 0), (SELECT, 1)))
    [found] = anomalies(small, attempt(*SKEW))
    assert found.kind is Wrong.READ_SKEW
    assert found.story == ("T2 saw row 1 of table a as it was before T1, but row 1 of table b as T1 left it.")
    new = [*SKEW[1:4], ("T2", [1]), *SKEW[4:]]
    assert kinds(small, attempt(*new)) == []


def test_a_row_that_was_not_there_is_a_matter_of_predicates() -> None:
    small = program((ABSENT, PRESENT), ((INSERT, 0), (UPDATE, 1)), ((SELECT, 0), (SELECT, 1)))
    assert kinds(small, attempt(("T2", list[int]()), *SKEW[1:])) == [Wrong.PHANTOM_SKEW]
    gone = program((ABSENT, PRESENT), ((INSERT, 0), (UPDATE, 1)), ((SELECT, 0), (SELECT, 1)), ((DELETE, 0),))
    after = [("T3", 0), ("T3", COMMIT)]
    assert kinds(gone, attempt(("T2", list[int]()), *SKEW[1:], *after)) == []  # it may have gone again


def test_a_statement_that_may_have_written_nothing_is_no_writer() -> None:
    small = program(BOTH, ((MAYBE, 0), (UPDATE, 1)), ((SELECT, 0), (SELECT, 1)))
    assert kinds(small, attempt(*SKEW)) == []


def test_two_that_miss_each_other_are_write_skew() -> None:
    small = program(BOTH, ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0)))
    moves = [("T1", [0]), ("T2", [0]), ("T1", 1), ("T2", 1), ("T1", COMMIT), ("T2", COMMIT)]
    assert kinds(small, attempt(*moves)) == [Wrong.WRITE_SKEW]


@pytest.mark.parametrize(("kind", "writes"), [(Change.UPDATE, True), (Change.NOTHING, False)])
def test_only_a_form_that_writes_does(kind: Change, writes: bool) -> None:
    form = Form("form", "a form", UPDATE.statements, Effect(present=kind))
    small = program(BOTH, ((SELECT, 0), (form, 0)), ((SELECT, 0), (form, 0)))
    assert (kinds(small, attempt(*LOST)) == [Wrong.LOST_UPDATE]) is writes
