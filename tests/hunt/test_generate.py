"""Every number has its program: the same each time, canonical, and worth running."""

from __future__ import annotations

from itertools import count

import pytest

from tests.hunt.samples import FORMS, HOLE, PLAIN, SELECT, SHARED, UPDATE
from txfuzz.hunt.conflicts import worthwhile
from txfuzz.hunt.generate import RandomSource, SystematicSource
from txfuzz.hunt.guidance.strategies import STRATEGIES, source_named
from txfuzz.hunt.program import SmallProgram, as_check, canonical, renamed
from txfuzz.hunt.scope import Scope, deeds

SCOPE = Scope(FORMS, (PLAIN, SHARED))


def everything(scope: Scope) -> list[SmallProgram]:
    source, found = SystematicSource(scope, 1), []
    for number in count():
        try:
            program = source.program(number)
        except IndexError:
            return found
        if program is not None:
            found.append(program)
    raise AssertionError("unreachable")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_programs_are_those_of_their_numbers(strategy: str) -> None:
    one, other = source_named(strategy, SCOPE, 3), source_named(strategy, SCOPE, 3)
    numbers = range(2_000 if strategy == "systematic" else 100)
    found = [one.program(number) for number in numbers]
    assert [other.program(number) for number in reversed(numbers)] == found[::-1]
    programs = [each for each in found if each is not None]
    assert programs
    assert all(worthwhile(each) for each in programs)
    different = [source_named(strategy, SCOPE, 4).program(number) for number in numbers]
    assert different != found


def test_random_programs_are_canonical() -> None:
    source = RandomSource(SCOPE, 1)
    for number in range(150):
        program = source.program(number)
        assert program is None or canonical(program) == program


def test_all_names_of_a_program_have_one_canonical_form() -> None:
    assert {canonical(each).sign() for each in renamed(HOLE)} == {canonical(HOLE).sign()}


def test_systematic_is_every_program_once_on_each_layout() -> None:
    found = everything(Scope((SELECT, UPDATE), (PLAIN, SHARED), sessions=2, statements=2, keys=2))
    signs = [each.sign() for each in found]
    assert len(set(signs)) == len(signs)
    by_layout = {name: {sign[1:] for sign in signs if sign[0] == name} for name in ("plain", "shared")}
    assert by_layout["plain"] == by_layout["shared"]
    smallest = [len(each.uses) for each in found[: len(found) // 2]]
    assert smallest == sorted(smallest)


def test_shapes_begin_small() -> None:
    shapes = Scope(FORMS, (PLAIN,), sessions=3, statements=2).shapes()
    assert shapes[0] == ((1,), (1,))
    assert ((2,), (1, 1)) in shapes
    assert ((2,), (2,), (2,)) in shapes
    assert all(sum(map(len, shape)) <= 3 for shape in shapes)


def test_what_does_the_same_is_drawn_as_one() -> None:
    found = deeds(FORMS, 2)
    assert [len(each.forms) for each in found if each.keys == (0,)] == [2, 1, 1, 1, 1]


def test_every_statement_writes_a_value_of_its_own() -> None:
    program = as_check(HOLE)
    texts = [str(step.sql) for each, _ in program.calls for step in each.transaction.steps]  # type: ignore[attr-defined]
    assert texts == [
        "INSERT INTO a (k, v) VALUES (1, 1) ON CONFLICT (k) DO NOTHING",
        "INSERT INTO b (k, v) VALUES (1, 2)",
        "DELETE FROM a WHERE k = 1",
        "UPDATE b SET v = 8 WHERE k = 1",
    ]
