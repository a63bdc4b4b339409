"""Every number has its program: the same each time, canonical, and worth running."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from random import Random

import pytest

from tests.hunt.samples import FORMS, HOLE, PLAIN, PRESENT, SELECT, SHARED, UPDATE
from tests.hunt.samples import program as small
from txfuzz.hunt.conflicts import worthwhile
from txfuzz.hunt.generate import RandomSource, SystematicSource
from txfuzz.hunt.guidance.strategies import STRATEGIES, source_named
from txfuzz.hunt.program import SmallProgram, as_check, canonical, in_sql, renamed
from txfuzz.hunt.scope import Scope, deeds
from txfuzz.transactions.model import Mode

ON_CONDITION = replace(
    UPDATE, name="update-on-condition", statements=(f"{UPDATE.statements[0]} AND v >= 0 AND v IS NOT NULL",)
)
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
    third = source_named(strategy, SCOPE, 4)
    different = [third.program(number) for number in numbers]
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


def test_the_first_programs_are_plain_and_each_is_there_once() -> None:
    source = RandomSource(Scope((*FORMS, ON_CONDITION), (SHARED, PLAIN)), 1)
    found = [each for each in map(source.program, range(30)) if each is not None]
    assert len({each.sign() for each in found}) == len(found) > 20
    assert {each.layout for each in found} == {PLAIN}
    assert not any(form.name in ("count", ON_CONDITION.name) for each in found for form in each.forms)


def test_below_serializable_the_first_programs_leave_rows_where_they_are() -> None:
    source = RandomSource(SCOPE, 1, serial=False)
    found = [each for each in map(source.program, range(10)) if each is not None]
    assert {form.name for each in found for form in each.forms} == {"select", "update"}
    used = {(key, each.states[key]) for each in found for use in each.uses for key in use.keys}
    assert {state for _, state in used} == {PRESENT}


def test_forms_are_drawn_by_their_weights() -> None:
    [deed] = deeds((UPDATE, replace(ON_CONDITION, weight=0.01)), 1)
    random = Random(1)
    drawn = [deed.drawn(random).name for _ in range(200)]
    assert drawn.count(UPDATE.name) > 180
    assert deed.weight == 1.0


def test_a_transaction_that_is_read_only_does_not_write() -> None:
    looks = replace(SELECT, name="select-read-only", mode=Mode(read_only=True))
    program = small((PRESENT, PRESENT), ((looks, 0), (UPDATE, 1)), ((SELECT, 1), (UPDATE, 0)))
    assert not worthwhile(program)
    program = small((PRESENT, PRESENT), ((looks, 0), (SELECT, 1)), ((UPDATE, 0), (UPDATE, 1)))
    assert worthwhile(program)
    modes = [each.mode for each in in_sql(program)]
    assert modes == [Mode(read_only=True), Mode()]
