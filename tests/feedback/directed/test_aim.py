"""A workload aimed at a near-cycle: what is played, what gains weight, and what its owner does not allow."""

from __future__ import annotations

from dataclasses import replace

from directed_schedules import SKEW
from txfuzz.feedback.directed.aim import aimed
from txfuzz.feedback.key_choices import choice_sets
from txfuzz.transactions.model import Choice, Ref, Step, Transaction
from txfuzz.workload.allowed_changes import AllowedChanges
from txfuzz.workload.model import Scheduling, Weight, Workload

ALL = tuple(range(1, 21))
WIDE = Transaction(
    "book",
    (Step("r", Choice(ALL, "a")), Step("r", Choice(ALL, "b", ("a",))), Step("append", Ref("a"))),
)
IDLE = Transaction("look", (Step("r", Choice((31, 32))),))
ORIGINAL = Workload("w", (WIDE, IDLE), (Weight("book", 1), Weight("look", 9)), scheduling=Scheduling(2, 100))


def with_keys(*keys: int) -> Workload:
    """The original with narrower choices."""
    narrow = Transaction(
        "book",
        (Step("r", Choice(keys, "a")), Step("r", Choice(keys, "b", ("a",))), Step("append", Ref("a"))),
    )
    return replace(ORIGINAL, transactions=(narrow, IDLE))


def test_its_transactions_and_keys_gain_weight_and_its_schedule_is_played() -> None:
    found = aimed(with_keys(7, 8, 9), SKEW, (1, 2), with_keys(1, 2), ORIGINAL)
    assert isinstance(found, Workload)
    assert [len(keys) for keys in choice_sets(found)] == [3, 2]
    assert all({1, 2} <= set(keys) for keys in choice_sets(found) if 31 not in keys)
    assert {each.txn: each.weight for each in found.mix} == {"book": 5, "look": 9}
    assert found.directed == (SKEW,)


def test_weight_does_not_grow_without_end() -> None:
    once = aimed(ORIGINAL, SKEW, (1, 2), ORIGINAL, ORIGINAL)
    assert isinstance(once, Workload)
    assert aimed(once, SKEW, (1, 2), ORIGINAL, ORIGINAL) == once


def test_weight_is_in_proportion_to_the_others() -> None:
    shares = replace(ORIGINAL, mix=(Weight("book", 0.1), Weight("look", 0.9)))
    found = aimed(shares, SKEW, (1, 2), ORIGINAL, ORIGINAL)
    assert isinstance(found, Workload)
    assert {each.txn: round(each.weight, 3) for each in found.mix} == {"book": 0.5, "look": 0.9}


def test_more_of_what_is_common_is_not_asked_for() -> None:
    common = replace(ORIGINAL, mix=(Weight("book", 9), Weight("look", 1)))
    found = aimed(common, SKEW, (1, 2), common, common)
    assert isinstance(found, Workload)
    assert found.mix == common.mix


def test_a_transaction_without_weight_gets_none() -> None:
    none = replace(ORIGINAL, mix=(Weight("book", 0), Weight("look", 9)))
    found = aimed(none, SKEW, (1, 2), ORIGINAL, ORIGINAL)
    assert isinstance(found, Workload)
    assert {each.txn: each.weight for each in found.mix} == {"book": 0, "look": 9}


def test_keys_that_matter_to_one_transaction_alone_move_to_those_of_the_crowd() -> None:
    found = aimed(with_keys(7, 8, 9), SKEW, (2,), with_keys(1, 2), ORIGINAL)
    assert isinstance(found, Workload)
    [schedule] = found.directed
    first, second = (each.keys for each in schedule.transactions)
    assert first[1] == second[0] == 2
    assert first[0] == second[1]
    assert first[0] in (7, 8, 9)


def test_without_leave_nothing_is_played() -> None:
    only_keys = replace(ORIGINAL, mutate=AllowedChanges(("keys",)))
    assert aimed(ORIGINAL, SKEW, (1, 2), ORIGINAL, only_keys) == (
        "the workload does not let its scheduling change"
    )
    only_scheduling = replace(ORIGINAL, mutate=AllowedChanges(("scheduling",)))
    found = aimed(ORIGINAL, SKEW, (1, 2), ORIGINAL, only_scheduling)
    assert found == replace(ORIGINAL, directed=(SKEW,))


def test_it_needs_sessions() -> None:
    one = replace(ORIGINAL, scheduling=replace(ORIGINAL.scheduling, directed=1))
    assert aimed(one, SKEW, (1, 2), one, one) == "it needs 2 sessions, but scheduling.directed is 1"


def test_it_is_not_played_where_the_transaction_has_other_steps() -> None:
    other = replace(ORIGINAL, transactions=(replace(WIDE, steps=WIDE.steps[:2]), IDLE))
    assert aimed(other, SKEW, (1, 2), ORIGINAL, ORIGINAL) == "the next iteration runs other steps of 'book'"
