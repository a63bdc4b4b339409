"""Guided hunts keep what was new, try its neighbours, and can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pytest

from tests.hunt.attempts import COMMIT, attempt
from tests.hunt.samples import (
    ABSENT,
    DELETE,
    FORMS,
    HOLE,
    INSERT,
    PLAIN,
    PRESENT,
    SELECT,
    SHARED,
    UPDATE,
    program,
)
from txfuzz.hunt.generate import PLAIN as PLAIN_ONES
from txfuzz.hunt.guidance.coverage import covered
from txfuzz.hunt.guidance.guided import GuidedSource
from txfuzz.hunt.guidance.mutation import mutated
from txfuzz.hunt.guidance.novelty import Novelty
from txfuzz.hunt.guidance.strategies import source_named
from txfuzz.hunt.program import SmallProgram, canonical, program_of
from txfuzz.hunt.scope import Scope, deeds
from txfuzz.testing.hunting.effort import effort

SCOPE = Scope(FORMS, (PLAIN, SHARED))
LATER = range(PLAIN_ONES, PLAIN_ONES + 200)
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


def taught(seed: int = 5) -> GuidedSource:
    source = GuidedSource(SCOPE, seed)
    source.learn(HOLE, ABORTED)
    source.learn(HOLE, PASSED)
    return source


def test_it_tries_neighbours_of_what_was_new() -> None:
    def near(program: SmallProgram | None) -> bool:
        signs = {use.sign for use in program.uses} if program is not None else set()
        return len(signs & {use.sign for use in canonical(HOLE).uses}) >= 3

    def number(of: Callable[[int], GuidedSource]) -> int:
        sources = [of(seed) for seed in range(6, 10)]
        return sum(near(source.program(each)) for source in sources for each in LATER)

    assert number(taught) > 1.2 * number(lambda seed: GuidedSource(SCOPE, seed))


def test_what_it_has_learnt_is_taken_up_again() -> None:
    source, again = taught(), GuidedSource(SCOPE, 5)
    for number in range(PLAIN_ONES, PLAIN_ONES + 30):
        source.program(number)
    again.resume(json.loads(json.dumps(source.state())))
    assert again.state() == source.state()
    numbers = range(PLAIN_ONES + 30, PLAIN_ONES + 100)
    assert [source.program(each) for each in numbers] == [again.program(each) for each in numbers]


def test_what_others_have_learnt_is_added() -> None:
    source, other = taught(), GuidedSource(SCOPE, 6)
    other.merge(json.loads(json.dumps(source.state())))
    assert other.state() == source.state()
    other.learn(HOLE, PASSED)
    source.merge(other.state())
    assert len(source.state()["corpus"]) == 1
    assert source.state()["run"] == other.state()["run"]
    source.merge(other.state())  # told again, it is the same
    assert source.state() == other.state()


def test_parts_that_have_been_run_are_less_novel() -> None:
    novelty = Novelty()
    other = program((PRESENT, ABSENT), ((SELECT, 0), (INSERT, 1)), ((DELETE, 0), (UPDATE, 1)))
    fresh = novelty.of(HOLE)
    novelty.run(HOLE)
    assert novelty.of(HOLE) == fresh / 2
    assert novelty.of(HOLE) < novelty.of(other) < fresh  # the other one has the same pair on the second row


def test_a_guided_hunt_is_more_even_than_a_random_one() -> None:
    """By how many pairs of forms have met on a row, after as many programs."""

    def pairs(strategy: str, seed: int) -> int:
        source, met = source_named(strategy, SCOPE, seed), Novelty()
        effort(source, seed, each=1, most=60, begin=PLAIN_ONES, on_program=met.run)
        return sum(kind == "forms" for kind, *_ in met.state())

    assert sum(pairs("guided", seed) for seed in range(4)) > sum(pairs("random", seed) for seed in range(4))


def test_a_program_is_read_back_from_its_sign() -> None:
    sign = json.loads(json.dumps(HOLE.sign()))
    assert program_of(sign, FORMS, (PLAIN, SHARED)) == HOLE
