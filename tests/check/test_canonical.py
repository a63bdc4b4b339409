"""Two outcomes are equal exactly where nobody could tell them apart: against trying every renaming."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from txfuzz.check.serial.canonical import Masks, TooManyAlike, canonical, plain_cell
from txfuzz.check.serial.outcome import CallOutcome, Ending, ProgramOutcome, StatementOutcome
from txfuzz.database.scenario import Rows

MASKS = Masks(
    ignored=frozenset({"orders.made"}),
    generated={"orders.id": "orders.id", "items.order_id": "orders.id", "items.id": "items.id"},
    known={"orders.id": frozenset({1}), "items.id": frozenset()},
)


def outcome(orders: list[tuple], items: list[tuple], returned: list[tuple]) -> ProgramOutcome:
    statement = StatementOutcome(0, Rows(("id", "n"), tuple(returned), origins=("orders.id", None)))
    return ProgramOutcome(
        {"buy": CallOutcome(Ending.COMMITTED, (statement,))},
        {
            "orders": Rows(("id", "made", "who"), tuple(orders)),
            "items": Rows(("id", "order_id"), tuple(items)),
        },
    )


def random_outcome(seed: int) -> ProgramOutcome:
    chance = random.Random(seed)
    ids = [1, 11, 12, 13][: chance.randint(1, 4)]
    orders = [(each, chance.random(), chance.choice("ab")) for each in ids]
    items = [(each, chance.choice(ids)) for each in range(21, 21 + chance.randint(0, 3))]
    returned = [(chance.choice(ids), chance.randint(0, 1)) for _ in range(chance.randint(0, 2))]
    return outcome(orders, items, returned)


def renamed(given: ProgramOutcome, orders: dict[int, int], items: dict[int, int]) -> ProgramOutcome:
    (statement,) = given.transactions["buy"].statements
    return outcome(
        [(orders.get(a, a), b, c) for a, b, c in given.tables["orders"].rows],
        [(items.get(a, a), orders.get(b, b)) for a, b in given.tables["items"].rows],
        [(orders.get(a, a), b) for a, b in statement.rows.rows],
    )


def plain(given: ProgramOutcome) -> tuple:
    (statement,) = given.transactions["buy"].statements
    return (
        sorted((a, c) for a, _, c in given.tables["orders"].rows),
        sorted(given.tables["items"].rows),
        sorted(statement.rows.rows),
    )


def equal_by_some_renaming(one: ProgramOutcome, other: ProgramOutcome) -> bool:
    def new(given: ProgramOutcome, table: str) -> list[int]:
        return sorted({row[0] for row in given.tables[table].rows} - {1})

    for orders in permutations(new(other, "orders")):
        for items in permutations(new(other, "items")):
            by = (
                dict(zip(new(one, "orders"), orders, strict=False)),
                dict(zip(new(one, "items"), items, strict=False)),
            )
            sizes = (len(new(one, "orders")), len(new(one, "items")))
            if sizes == (len(orders), len(items)) and plain(renamed(one, *by)) == plain(other):
                return True
    return False


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(0, 1 << 30))
def test_equal_exactly_where_some_renaming_makes_them_equal(one: int, other: int) -> None:
    first, second = random_outcome(one), random_outcome(other)
    assert (canonical(first, MASKS) == canonical(second, MASKS)) == equal_by_some_renaming(first, second)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1 << 30))
def test_other_identifiers_other_order_and_another_clock_change_nothing(seed: int) -> None:
    first, chance = random_outcome(seed), random.Random(seed + 1)
    targets = [chance.sample(range(100, 200), 4), chance.sample(range(200, 300), 4)]
    second = renamed(
        first,
        dict(zip((11, 12, 13), targets[0], strict=False)),
        dict(zip((21, 22, 23), targets[1], strict=False)),
    )
    shuffled = {
        name: Rows(rows.columns, tuple(chance.sample(rows.rows, len(rows.rows))))
        for name, rows in second.tables.items()
    }
    assert canonical(ProgramOutcome(second.transactions, shuffled), MASKS) == canonical(first, MASKS)


def test_identifiers_that_were_there_before_keep_their_values() -> None:
    assert canonical(outcome([(1, 0, "a")], [], []), MASKS) != canonical(
        outcome([(11, 0, "a")], [], []), MASKS
    )


def test_rows_that_differ_only_in_company_are_told_apart() -> None:
    """Two orders alike, two items: both of one order, or one of each."""
    orders = [(11, 0, "a"), (12, 0, "a")]
    both = outcome(orders, [(21, 11), (22, 11)], [])
    one_each = outcome(orders, [(21, 11), (22, 12)], [])
    assert canonical(both, MASKS) != canonical(one_each, MASKS)


def test_an_order_counts_where_the_statement_gives_one() -> None:
    def ordered(*rows: tuple[int, ...], order: bool) -> ProgramOutcome:
        statement = StatementOutcome(0, Rows(("n",), rows, ordered=order))
        return ProgramOutcome({"t": CallOutcome(Ending.COMMITTED, (statement,))})

    assert canonical(ordered((1,), (2,), order=True), MASKS) != canonical(
        ordered((2,), (1,), order=True), MASKS
    )
    assert canonical(ordered((1,), (2,), order=False), MASKS) == canonical(
        ordered((2,), (1,), order=False), MASKS
    )


def test_what_an_aborted_transaction_saw_binds_nobody() -> None:
    def aborted(count: int) -> ProgramOutcome:
        return ProgramOutcome(
            {"t": CallOutcome(Ending.ABORTED, (StatementOutcome(0, changed=count),), "40001")}
        )

    assert canonical(aborted(0), MASKS) == canonical(aborted(1), MASKS)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, Decimal("1.00")), (1.5, Decimal("1.5")), ((1, 2), [1, 2]), (b"a", memoryview(b"a"))],
)
def test_values_are_equal_by_value(one: object, other: object) -> None:
    assert plain_cell(one) == plain_cell(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), (True, 1), (None, "None"), ([1, 2], [2, 1]), (["a,b"], ["a", "b"]), (b"a", "a")],
)
def test_values_differ_by_type_and_by_value(one: object, other: object) -> None:
    assert plain_cell(one) != plain_cell(other)


def test_too_many_that_are_alike_are_said_and_not_guessed_at() -> None:
    orders = [(each, 0, "a") for each in range(11, 31)]
    with pytest.raises(TooManyAlike):
        canonical(outcome(orders, [], []), MASKS)
