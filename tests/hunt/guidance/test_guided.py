"""Guided hunts keep what was new, try its neighbours, and can be taken up again."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import FORMS, HOLE, PLAIN, SHARED
from txfuzz.hunt.guidance.coverage import covered
from txfuzz.hunt.guidance.guided import GuidedSource
from txfuzz.hunt.guidance.mutation import mutated
from txfuzz.hunt.program import SmallProgram, canonical, program_of
from txfuzz.hunt.scope import Scope, deeds

SCOPE = Scope(FORMS, (PLAIN, SHARED))
LATER = range(150, 450)  # programs behind the plain ones, which come first
PASSED = attempt(("T2", 1), ("T1", 0), ("T1", 1), ("T2", 0), ("T1", COMMIT), ("T2", COMMIT))
ABORTED = attempt(("T2", 1), ("T1", 0), ("T1", 1), ("T1", COMMIT), aborted="T2")


def elements(program: SmallProgram) -> list[object]:
    uses = [use.sign for use in program.uses]
    return [*uses, *program.states]


@pytest.mark.parametrize("seed", range(40))
def test_a_neighbour_differs_in_one_element_or_in_an_order(seed: int) -> None:
    near = mutated(HOLE, deeds(FORMS, 2), SCOPE, Random(seed))
    assert near.layout == HOLE.layout
    before, after = elements(HOLE), elements(near)
    assert len(before) == len(after)  # the program is as large as the scope allows
    changed = sum(one != other for one, other in zip(before, after, strict=True))
    assert changed <= 1 or sorted(map(str, before)) == sorted(map(str, after))


def test_coverage_tells_orders_and_endings_apart() -> None:
    other_order = attempt(("T1", 0), ("T2", 1), ("T1", 1), ("T2", 0), ("T1", COMMIT), ("T2", COMMIT))
    assert covered(HOLE, PASSED) == covered(HOLE, PASSED)
    assert len({covered(HOLE, each) for each in (PASSED, ABORTED, other_order)}) == 3


def taught() -> GuidedSource:
    source = GuidedSource(SCOPE, 5)
    source.learn(HOLE, ABORTED)
    source.learn(HOLE, PASSED)
    return source


def test_it_tries_neighbours_of_what_was_new() -> None:
    programs = [each for number in LATER if (each := taught().program(number)) is not None]
    fresh = [each for number in LATER if (each := GuidedSource(SCOPE, 5).program(number)) is not None]

    def near(program: SmallProgram) -> bool:
        return len({use.sign for use in program.uses} & {use.sign for use in canonical(HOLE).uses}) >= 3

    assert sum(map(near, programs)) > 3 * sum(map(near, fresh))


def test_what_it_has_learnt_is_taken_up_again() -> None:
    source, again = taught(), GuidedSource(SCOPE, 5)
    for number in range(50):
        source.program(number)
    again.resume(json.loads(json.dumps(source.state())))
    assert again.state() == source.state()
    numbers = range(50, 250)
    assert [source.program(each) for each in numbers] == [again.program(each) for each in numbers]


def test_a_program_is_read_back_from_its_sign() -> None:
    sign = json.loads(json.dumps(HOLE.sign()))
    assert program_of(sign, FORMS, (PLAIN, SHARED)) == HOLE
