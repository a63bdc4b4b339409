"""Of interleavings that only commuting steps tell apart, one is run."""

from __future__ import annotations

from random import Random

from tests.hunt.samples import HOLE, PRESENT, SELECT, UNDONE, UPDATE, program
from txfuzz.hunt.program import SmallProgram, Use
from txfuzz.hunt.schedules.interleavings import Interleavings

SKEW = program((PRESENT, PRESENT), ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0)))


def test_each_class_is_there_once_and_none_is_serial() -> None:
    found = Interleavings(SKEW).all(Random(1), 1_000)
    assert len(set(found)) == len(found) == 10
    interleavings = Interleavings(SKEW)
    assert all(interleavings.least(each) == each for each in found)
    assert {(0, 0, 0, 1, 1, 1), (1, 1, 1, 0, 0, 0)}.isdisjoint(found)


def test_statements_that_do_not_conflict_commute() -> None:
    interleavings = Interleavings(SKEW)
    # The reads of two keys, one after the other
    assert interleavings.least((1, 0, 0, 1, 0, 1)) == interleavings.least((0, 1, 0, 1, 0, 1))
    # A read and what overwrites it
    assert interleavings.least((0, 1, 1, 0, 0, 1)) != interleavings.least((1, 1, 0, 0, 0, 1))


def test_the_first_statement_and_a_commit_do_not_commute() -> None:
    interleavings = Interleavings(HOLE)
    assert interleavings.least((0, 0, 0, 1, 1, 1)) != interleavings.least((0, 0, 1, 0, 1, 1))


def test_transactions_of_one_session_come_one_after_the_other() -> None:
    update, select = Use(UPDATE, (0,)), Use(SELECT, (0,))
    sequence = SmallProgram(SKEW.layout, (PRESENT,), (((update,), (select,)), ((select, update),)))
    for each in Interleavings(sequence).all(Random(1), 1_000):
        assert each.index(1) > max(at for at, name in enumerate(each) if name == 0)


def test_every_statement_of_a_form_is_a_point() -> None:
    undone = program((PRESENT,), ((UNDONE, 0), (UPDATE, 0)), ((UPDATE, 0),))
    assert undone.points == (5, 2)
    assert all(len(each) == 7 for each in Interleavings(undone).all(Random(1), 50))


def test_few_of_many_are_drawn() -> None:
    found = Interleavings(SKEW).all(Random(1), 2)
    assert len(found) == 2
    assert set(found) <= set(Interleavings(SKEW).all(Random(1), 1_000))
