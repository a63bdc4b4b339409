"""Which combinations of arguments are run, and which of them come first."""

from __future__ import annotations

from random import Random

import pytest

from txfuzz.check.program import MOST_COMBINATIONS, combinations_of, programs
from txfuzz.check.transaction import SqlTransaction
from txfuzz.transactions.model import Step, Transaction


def transaction(name: str, **params: object) -> SqlTransaction:
    return SqlTransaction(Transaction(name, (Step(None, sql="SELECT 1"),), params=tuple(params.items())))  # type: ignore[arg-type]


def first(*transactions: SqlTransaction, seed: int) -> tuple[dict[str, object], ...]:
    names = [each.name for each in transactions]
    [(_, (program, *_))] = programs(transactions, names, Random(seed))
    return tuple(dict(arguments) for _, arguments in program.calls)


@pytest.mark.parametrize("seed", range(5))
def test_those_that_share_most_come_first(seed: int) -> None:
    book = transaction("book", who=("ann", "bob"), seat=(1, 2))
    [(_, found)] = programs([book], (), Random(seed))
    (_, one), (_, other) = found[0].calls
    assert len(one.items() & other.items()) == 1  # neither the same call nor two that share nothing


@pytest.mark.parametrize("seed", range(5))
def test_one_of_each_kind_has_its_turn(seed: int) -> None:
    """Of 36 combinations: the same call twice, opposite directions, the same direction with other amounts."""
    transfer = transaction("transfer", src=(1, 2), dst=(2, 1), amount=(80, 30))
    [(name, found)] = programs([transfer], (), Random(seed))
    assert [(name, 36)] == list(combinations_of([transfer], ()))
    assert len(found) == MOST_COMBINATIONS
    pairs = [tuple(dict(arguments) for _, arguments in each.calls) for each in found]
    assert any(one == other for one, other in pairs)
    assert any((one["src"], one["dst"]) == (other["dst"], other["src"]) != (1, 1) for one, other in pairs)
    assert any(one["src"] == other["src"] and one["amount"] != other["amount"] for one, other in pairs)
    [(_, all_of_them)] = programs([transfer], (), Random(seed), 100)
    assert len(all_of_them) == 36


def test_combinations_are_counted_without_their_order() -> None:
    book = transaction("book", who=("ann", "bob"), seat=(1, 2))
    look = transaction("look", seat=(1, 2))
    counted = dict(combinations_of([book, look], ()))
    assert counted == {"book × book": 10, "book × look": 8, "look × look": 3}
    for name, found in programs([book, look], (), Random(1), 100):
        assert len(found) == counted[name]


@pytest.mark.parametrize("seed", range(5))
def test_values_under_other_names_are_shared_too(seed: int) -> None:
    move = transaction("move", source=("a", "b", "c"), target=("a", "b", "c"))
    close = transaction("close", account=("a", "b", "c"))
    moved, closed = first(move, close, seed=seed)
    assert closed["account"] in moved.values()


def test_no_more_than_can_be_run() -> None:
    many = transaction("many", **{f"p{number}": tuple(range(10)) for number in range(10)})
    [(_, found)] = programs([many], (), Random(1))
    assert len(found) == MOST_COMBINATIONS


def test_labels_say_null_as_the_scenario_does() -> None:
    offer = SqlTransaction(Transaction("offer", (), params=(("to", (None, "ann")),)))
    [(_, found)] = programs((offer,), ("offer", "offer"), Random(1))
    assert {label for each in found for label in each.labels} >= {"offer (null)", "offer (ann)"}


def test_labels_name_the_arguments_where_there_are_several_and_room() -> None:
    transfer = transaction("transfer", account=(2,), amount=(60,))
    [(_, [program])] = programs([transfer], (), Random(1))
    one, two = program.labels
    assert (one, two) == ("transfer (account=2, amount=60) 1", "transfer (account=2, amount=60) 2")
    longer = transaction("transfer", account=(2,), amount=(60,), reference=("first of may",))
    [(_, [program])] = programs([longer], (), Random(1))
    assert program.labels[0] == "transfer (2, 60, first of may) 1"
    [(_, [program])] = programs([transaction("cancel", seat=(7,))], (), Random(1))
    assert program.labels[0] == "cancel (7) 1"
