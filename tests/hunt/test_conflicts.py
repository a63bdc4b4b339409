"""Only programs are run in which dependencies can run in a circle."""

from __future__ import annotations

from tests.hunt.samples import (
    ABSENT,
    COUNT,
    DELETE,
    HOLE,
    MAYBE,
    PRESENT,
    SELECT,
    UPDATE,
    program,
)
from txfuzz.hunt.conflicts import reachable, worthwhile, writes_alone

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


def test_what_a_transaction_writes_alone_goes_by_what_it_has_done_before() -> None:
    [uses] = program((PRESENT, ABSENT), ((DELETE, 0), (UPDATE, 0), (MAYBE, 0), (UPDATE, 1))).transactions
    found = [(key, use.form.name) for key, use, _ in writes_alone(uses, (PRESENT, ABSENT))]
    assert found == [(0, "delete"), (0, "insert-or-nothing")]
