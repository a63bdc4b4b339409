"""What weaker rules would make of a schedule, before any database runs it."""

from __future__ import annotations

import pytest

from tests.hunt.samples import (
    ABSENT,
    DELETE,
    HOLE,
    IF_THERE,
    INSERT,
    MAYBE,
    PLAIN,
    PRESENT,
    SELECT,
    UNDONE,
    UPDATE,
    program,
)
from txfuzz.hunt.program import SmallProgram, Use
from txfuzz.hunt.schedules.prediction import Prediction, told_by_snapshots, told_by_statements

BOTH = (PRESENT, PRESENT)
SKEW = program(BOTH, ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0)))
LOST = program((PRESENT,), ((SELECT, 0), (UPDATE, 0)), ((SELECT, 0), (UPDATE, 0)))
# T1 sees T2's write; T2 has not seen what T3 wrote, which T1 does not see either
READ_ONLY = program(BOTH, ((SELECT, 0), (SELECT, 1)), ((SELECT, 0), (SELECT, 1), (UPDATE, 0)), ((UPDATE, 1),))


def two_keys(form_keys: tuple[int, int], other: tuple[int, int]) -> SmallProgram:
    return SmallProgram(PLAIN, BOTH, (((Use(IF_THERE, form_keys),),), ((Use(IF_THERE, other),),)))


@pytest.mark.parametrize(
    ("asked", "tells"),
    [
        (HOLE, True),
        (SKEW, True),
        (LOST, False),  # the second to write is refused
        (READ_ONLY, True),
        (program(BOTH, ((SELECT, 0), (UPDATE, 1)), ((SELECT, 0), (UPDATE, 1))), False),
        # Whether the row is updated or not, there it is
        (program((PRESENT, ABSENT), ((MAYBE, 0), (INSERT, 1)), ((UPDATE, 0), (DELETE, 1))), False),
        # An update that is taken back has shown whether there was a row
        (program((PRESENT, ABSENT), ((UNDONE, 0), (INSERT, 1)), ((DELETE, 0), (SELECT, 1))), True),
        # An update by a condition on another row shows whether that was there
        (two_keys((0, 1), (1, 0)), False),
    ],
)
def test_snapshots_tell_where_two_have_not_seen_each_other(asked: SmallProgram, tells: bool) -> None:
    assert told_by_snapshots(asked) is tells


def test_a_serial_schedule_tells_nothing() -> None:
    prediction = Prediction(SKEW)
    assert not prediction.tells((0, 0, 0, 1, 1, 1))
    assert prediction.snapshots_tell((0, 1, 0, 1, 0, 1))


def test_statements_tell_a_lost_update_unless_somebody_waits() -> None:
    assert told_by_statements(LOST)
    prediction = Prediction(LOST)
    assert prediction.statements_tell((0, 1, 1, 1, 0, 0))
    assert not prediction.statements_tell((0, 1, 1, 0, 1, 0))  # T1 writes while T2 has not committed
    assert not told_by_statements(program((PRESENT,), ((UPDATE, 0),), ((UPDATE, 0),)))


def test_who_is_refused_tells_nothing() -> None:
    twice = program((ABSENT, PRESENT), ((INSERT, 0), (SELECT, 1), (INSERT, 0)), ((SELECT, 0), (UPDATE, 1)))
    assert not told_by_snapshots(twice)
    assert not told_by_statements(twice)


def test_transactions_of_a_session_come_in_their_order() -> None:
    select, update = Use(SELECT, (0,)), Use(UPDATE, (0,))
    sequence = SmallProgram(PLAIN, (PRESENT,), (((update,), (select,)), ((select, update),)))
    assert not told_by_snapshots(sequence)
