"""Only programs are run in which dependencies can run in a circle."""

from __future__ import annotations

from tests.hunt.samples import (
    ABSENT,
    COUNT,
    DELETE,
    HOLE,
    INSERT,
    MAYBE,
    PRESENT,
    SELECT,
    UPDATE,
    program,
)
from txfuzz.hunt.conflicts import crosswise, reachable, worthwhile

BOTH = (PRESENT, PRESENT)


def test_states_are_reached_by_what_can_run() -> None:
    assert reachable(HOLE) == (frozenset((ABSENT, PRESENT)), frozenset((ABSENT, PRESENT)))
    assert reachable(program((ABSENT,), ((UPDATE, 0),), ((SELECT, 0),))) == (frozenset((ABSENT,)),)


def test_a_circle_needs_two_conflicts() -> None:
    assert worthwhile(HOLE)
    assert worthwhile(program(BOTH, ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0))))
    assert worthwhile(program((PRESENT,), ((UPDATE, 0),), ((UPDATE, 0),)))
    assert not worthwhile(program(BOTH, ((SELECT, 0), (SELECT, 1)), ((COUNT, 1), (SELECT, 0))))
    assert not worthwhile(program((PRESENT,), ((SELECT, 0),), ((UPDATE, 0),)))


def test_what_changes_nothing_conflicts_with_nothing() -> None:
    skew = ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0))
    assert not worthwhile(program((ABSENT, ABSENT), *skew))


def test_a_statement_that_meets_nobody_makes_a_program_idle() -> None:
    skew = ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0), (UPDATE, 2))
    assert not worthwhile(program((PRESENT, PRESENT, PRESENT), *skew))


def test_three_conflict_in_a_ring() -> None:
    ring = [((SELECT, at), (UPDATE, (at + 1) % 3)) for at in range(3)]
    assert worthwhile(program((PRESENT, PRESENT, PRESENT), *ring))
    hanging = ((UPDATE, 0),), ((UPDATE, 0), (UPDATE, 1)), ((SELECT, 1),)
    assert not worthwhile(program(BOTH, *hanging))


def test_crosswise_are_those_that_no_row_puts_in_order() -> None:
    assert crosswise(HOLE)
    assert crosswise(program(BOTH, ((SELECT, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0))))
    assert not crosswise(program(BOTH, ((SELECT, 0), (UPDATE, 1)), ((SELECT, 0), (UPDATE, 1))))
    assert not crosswise(program((PRESENT,), ((MAYBE, 0),), ((DELETE, 0),)))
    assert not crosswise(program((ABSENT,), ((INSERT, 0),), ((INSERT, 0),)))
