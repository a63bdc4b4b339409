"""Hunts in memory: no alarm without a hole, and every kind of hole can be found."""

from __future__ import annotations

from random import Random

import pytest

from tests.hunt.samples import (
    ABSENT,
    FORMS,
    HOLE,
    IF_THERE,
    PLAIN,
    PRESENT,
    SELECT,
    SHARED,
    UNDONE,
    UPDATE,
    program,
)
from txfuzz.check.serial.judge import SerialAnswer
from txfuzz.check.serial.outcome import Ending
from txfuzz.hunt.guidance.strategies import STRATEGIES, source_named
from txfuzz.hunt.program import SmallProgram
from txfuzz.hunt.schedules.interleavings import Interleavings
from txfuzz.hunt.scope import Scope
from txfuzz.testing.hunting.effort import effort
from txfuzz.testing.hunting.holes import Check, Hole, planted
from txfuzz.testing.hunting.rows import CONFLICT, DEADLOCK
from txfuzz.testing.hunting.runner import MemoryRunner

SCOPE = Scope((*FORMS, UNDONE, IF_THERE), (PLAIN, SHARED))
EDGE = Check.ANTIDEPENDENCY
SKEW = program((PRESENT, PRESENT), ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0)))
BOTH_SEEN = program((PRESENT, PRESENT), ((SELECT, 0), (SELECT, 1)), ((UPDATE, 0), (UPDATE, 1)))
LOST = program((PRESENT,), ((SELECT, 0), (UPDATE, 0)), ((SELECT, 0), (UPDATE, 0)))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_serializable_database_raises_no_alarm(strategy: str) -> None:
    came = effort(source_named(strategy, SCOPE, 1), 1, each=3, most=300)
    assert came.found is None
    assert came.schedules == 300
    assert 0 < came.committed < 300


def test_three_sessions_raise_no_alarm() -> None:
    scope = Scope(FORMS, (PLAIN,), sessions=3)
    assert effort(source_named("random", scope, 1), 1, each=3, most=300).found is None


@pytest.mark.parametrize("hole", planted(SCOPE, 3), ids=lambda hole: hole.name.replace(" ", "-"))
def test_every_kind_of_hole_is_found(hole: Hole) -> None:
    scope = Scope(SCOPE.forms, SCOPE.layouts, sessions=hole.transactions)
    assert effort(source_named("random", scope, 1), 1, each=2, most=2_000, hole=hole).found is not None


def outcomes(asked: SmallProgram, hole: Hole | None = None) -> list[bool]:
    """Of each interleaving, whether no order explains it."""
    runner = MemoryRunner(asked, hole, Random(1))
    found = [runner.follow(each) for each in Interleavings(asked).all(Random(1), 100)]
    assert all(each.judgement.answer is not SerialAnswer.UNKNOWN for each in found)
    return [each.judgement.answer is SerialAnswer.UNEXPLAINED for each in found]


def test_holes_are_behind_what_they_say() -> None:
    assert not any(outcomes(SKEW))
    assert all(outcomes(SKEW, Hole("", EDGE)))
    assert any(outcomes(HOLE, Hole("", EDGE, frozenset({"insert-or-nothing"}), removed=True)))
    assert not any(outcomes(SKEW, Hole("", EDGE, layouts=frozenset({"shared"}))))
    assert not any(outcomes(SKEW, Hole("", EDGE, transactions=3)))
    assert not any(outcomes(SKEW, Hole("", EDGE, found=ABSENT)))
    assert not any(outcomes(SKEW, Hole("", EDGE, unchanged=False)))
    assert not any(outcomes(SKEW, Hole("", EDGE, probability=0)))
    assert not any(outcomes(SKEW, Hole("", EDGE, others=frozenset({"delete"}))))
    assert any(outcomes(LOST, Hole("", Check.WRITE_CONFLICT)))
    assert not any(outcomes(BOTH_SEEN))
    assert any(outcomes(BOTH_SEEN, Hole("", Check.SNAPSHOT)))


def test_writers_wait_and_are_refused() -> None:
    attempt = MemoryRunner(LOST).follow((0, 1, 0, 1, 0, 1))
    assert [step.waited for step in attempt.trace.steps] == [False, False, False, True, False]
    assert attempt.outcome.transactions["T1"].ending is Ending.COMMITTED
    assert attempt.outcome.transactions["T2"].code == CONFLICT


def test_who_waits_in_a_circle_is_refused() -> None:
    circle = program((PRESENT, PRESENT), ((UPDATE, 0), (UPDATE, 1)), ((UPDATE, 1), (UPDATE, 0)))
    ended = MemoryRunner(circle).follow((0, 1, 0, 1, 0, 1)).outcome.transactions
    assert (ended["T1"].code, ended["T2"].code) == ("", DEADLOCK) or ended["T1"].code == CONFLICT
