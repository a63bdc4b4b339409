"""Adjustments: what they change, what is refused, and who is skipped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, ClassVar

import pytest
from syrupy.assertion import SnapshotAssertion

from txfuzz import Adjustment, FeedbackResult, Verdict, Workload
from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import apply, current, propose_all
from txfuzz.feedback.key_choices import fewest_keys
from txfuzz.transactions.model import Choice, NewValue, Ref, Step, Transaction
from txfuzz.workload.model import Scheduling, Weight

RANGE = range(1, 101)


def workload(*transactions: Transaction) -> Workload:
    return Workload(
        "broad",
        transactions or (PAIR, FIXED),
        tuple(Weight(each.name, 1.0) for each in transactions or (PAIR, FIXED)),
        scheduling=Scheduling(clients=8),
    )


PAIR = Transaction(
    "pair", (Step("r", Choice(RANGE, "a")), Step("append", Choice(RANGE, "b", ("a",))), Step("r", Ref("a")))
)
FIXED = Transaction("fixed", (Step("append", Choice((7,), "k")), Step("r", Choice((1, 2), "o", ("k",)))))
RAW = Transaction(
    "raw",
    (
        Step(
            "append",
            Choice(RANGE, "k"),
            sql="UPDATE {table} SET val = val || :v WHERE key = :k",
            args=(("k", Choice(RANGE, "k")), ("v", NewValue())),
            key_arg="k",
            value_arg="v",
        ),
    ),
)
NOTHING = FeedbackResult(0, Verdict.VALID)


def change(target: str, before: Any, after: Any) -> Adjustment:
    return Adjustment(target, before, after, "because", "test")


@dataclass(frozen=True)
class Proposes:
    name: ClassVar[str] = "proposes"
    about: ClassVar[str] = ""
    what: Any = field(default=())

    def propose(self, feedback: FeedbackResult, workload: Workload, random: Random) -> Any:
        if isinstance(self.what, Exception):
            raise self.what
        return self.what(workload, random) if callable(self.what) else self.what


@dataclass(frozen=True)
class AlsoProposes(Proposes):
    name: ClassVar[str] = "also-proposes"


def test_each_choice_is_narrowed_to_those_of_its_own_keys() -> None:
    before = workload()
    after = apply(before, [change("keys", list(RANGE), [5, 9, 9, 2])])
    pair, fixed = after.transactions
    assert [step.key for step in pair.steps] == [
        Choice((5, 9, 2), "a"),
        Choice((5, 9, 2), "b", ("a",)),
        Ref("a"),
    ]
    assert [step.key for step in fixed.steps] == [Choice((7,), "k"), Choice((2,), "o", ("k",))]
    assert current(after, "keys") == [2, 5, 9]
    assert replace(after, transactions=before.transactions) == before, "nothing else changes"


ROLES = Transaction("xfer", (Step("r", Choice(range(1, 51))), Step("append", Choice(range(51, 101)))))
LOOK = Transaction("look", (Step("r", Choice(range(51, 101)), None),))


def keys_of(workload: Workload) -> dict[tuple[str, int], set[int]]:
    return {
        (each.name, number): set(step.key.keys)
        for each in workload.transactions
        for number, step in enumerate(each.steps)
        if isinstance(step.key, Choice)
    }


def test_a_choice_with_none_of_the_keys_stays_as_it_is_and_that_is_said(snapshot: SnapshotAssertion) -> None:
    roles = workload(ROLES, LOOK)
    narrow = Proposes((change("keys", list(RANGE), [53, 84, 101]),))
    after, [made], warnings = propose_all([narrow], NOTHING, roles, Random(1))
    assert keys_of(after) == {
        ("xfer", 0): set(range(1, 51)), ("xfer", 1): {53, 84}, ("look", 0): {53, 84},
    }  # fmt: skip
    assert made.after == [*range(1, 51), 53, 84], "what became of it, not what was proposed"
    assert warnings == snapshot


def test_keys_come_back_as_far_as_the_campaign_began_with_them() -> None:
    began = workload(ROLES, LOOK)
    narrow = apply(began, [change("keys", list(RANGE), [1, 2, 53, 84])])
    wider = [change("keys", [1, 2, 53, 84], [1, 2, 3, 53, 84, 85])]
    assert keys_of(apply(narrow, wider, began)) == {
        ("xfer", 0): {1, 2, 3}, ("xfer", 1): {53, 84, 85}, ("look", 0): {53, 84, 85},
    }  # fmt: skip
    assert keys_of(apply(narrow, wider)) == keys_of(narrow), "there is nothing wider to go back to"
    told = replace(NOTHING, original=began)
    assert propose_all([Proposes(tuple(wider))], told, narrow, Random(1))[0] == apply(narrow, wider, began)
    with pytest.raises(
        UsageError, match=r"no transaction of the workload chooses from any of the keys \[777"
    ):
        apply(narrow, [change("keys", [1, 2, 53, 84], [777, 778])], began)


def test_a_transaction_that_was_never_asked_gets_no_weight() -> None:
    began = replace(workload(), mix=(Weight("pair", 1.0), Weight("fixed", 0.0)))
    given = [change("mix", {"pair": 1.0, "fixed": 0.0}, {"pair": 0.5, "fixed": 0.5})]
    with pytest.raises(UsageError, match="'fixed' has no weight in the workload"):
        apply(began, given)
    once = replace(began, mix=(Weight("pair", 1.0), Weight("fixed", 1.0)))
    assert apply(began, given, once).mix == (Weight("pair", 0.5), Weight("fixed", 0.5))


def test_keys_of_raw_sql_change_in_its_arguments_too() -> None:
    [step] = apply(workload(RAW), [change("keys", list(RANGE), [1, 2])]).transactions[0].steps
    assert (step.key, step.args) == (Choice((1, 2), "k"), (("k", Choice((1, 2), "k")), ("v", NewValue())))


@pytest.mark.parametrize(
    ("target", "after"),
    [
        ("keys", [1]),
        ("keys", [3, 3]),
        ("keys", ["a", "b"]),
        ("keys", 3),
        ("mix", {"pair": 1.0, "pear": 1.0}),
        ("mix", {"pair": -1.0}),
        ("mix", {"pair": float("nan")}),
        ("mix", {"pair": 0.0, "fixed": 0}),
        ("mix", [1, 2]),
        ("scheduling.clients", 0),
        ("scheduling.clients", 10_001),
        ("scheduling.clients", 2.5),
        ("scheduling.barrier_every", -1),
        ("init_schema", 1),
    ],
)
def test_what_would_make_the_workload_invalid_is_refused(
    target: str, after: Any, snapshot: SnapshotAssertion
) -> None:
    broad = workload()
    with pytest.raises(UsageError) as error:
        apply(broad, [change(target, current(broad, target), after)])
    assert str(error.value) == snapshot


@pytest.mark.parametrize("wrong", [("key", [], [1, 2]), ("scheduling.clients", 9, 10)])
def test_unknown_targets_and_untrue_befores_are_refused(
    wrong: tuple[str, Any, Any], snapshot: SnapshotAssertion
) -> None:
    with pytest.raises(UsageError) as error:
        apply(workload(), [change(*wrong)])
    assert str(error.value) == snapshot


def test_distinct_choices_need_their_keys() -> None:
    three = Transaction(
        "three",
        (
            Step("r", Choice(RANGE, "a")),
            Step("r", Choice(RANGE, "b", ("a",))),
            Step("append", Choice(RANGE, None, ("a", "b"))),
        ),
    )
    assert fewest_keys(workload(three)) == 3
    assert fewest_keys(workload(Transaction("none", ()))) == 2
    with pytest.raises(UsageError, match="at least 3 keys"):
        apply(workload(three), [change("keys", list(RANGE), [1, 2])])
    apply(workload(three), [change("keys", list(RANGE), [1, 2, 3])])
    # a first choice that must leave a fixed key and another fixed key to those that follow
    held = Transaction(
        "held",
        (
            Step("r", Choice(RANGE, "a")),
            Step("append", Choice((1,), "b", ("a",))),
            Step("append", Choice((2,), None, ("a", "b"))),
        ),
    )
    with pytest.raises(UsageError, match="the choices of transaction 'held' cannot differ"):
        apply(workload(held), [change("keys", list(RANGE), [1, 2])])
    apply(workload(held), [change("keys", list(RANGE), [1, 2, 3])])


def test_the_other_targets() -> None:
    changed = apply(
        workload(),
        [
            change("mix", {"pair": 1, "fixed": 1}, {"pair": 0.25, "fixed": 0.75}),
            change("scheduling.clients", 8, 10),
            change("scheduling.barrier_every", 0, 25),
            change("init_schema", True, False),
        ],
    )
    assert changed.mix == (Weight("pair", 0.25), Weight("fixed", 0.75))
    assert (changed.scheduling.clients, changed.scheduling.barrier_every) == (10, 25)
    assert (changed.scheduling.transactions, changed.init_schema) == (2000, False)


def more_clients(workload: Workload, random: Random) -> tuple[Adjustment, ...]:
    clients = workload.scheduling.clients
    return (change("scheduling.clients", clients, clients + 1),)


def test_each_heuristic_sees_what_the_earlier_ones_changed() -> None:
    heuristics = [Proposes(more_clients), AlsoProposes(more_clients)]
    after, made, warnings = propose_all(heuristics, NOTHING, workload(), Random(1))
    assert after.scheduling.clients == 10
    assert [(each.before, each.after, each.heuristic) for each in made] == [
        (8, 9, "proposes"),
        (9, 10, "also-proposes"),
    ]
    assert warnings == ()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (KeyError("oops"), "heuristic 'proposes' failed (KeyError: 'oops')"),
        (None, "heuristic 'proposes' returned None, expected a tuple of adjustments"),
        (("mix",), "heuristic 'proposes' returned ('mix',), expected a tuple of adjustments"),
        ((change("scheduling.clients", 8, 0),), "scheduling.clients must be a whole number from 1"),
        ((change("scheduling.clients", 1, 2),), "it says that scheduling.clients is 1, but it is 8"),
        ((change("keys", list(RANGE), [1, 2]), change("pace", 1, 2)), "unknown target 'pace'"),
    ],
)
def test_a_broken_heuristic_is_named_and_changes_nothing(what: Any, message: str) -> None:
    after, made, warnings = propose_all(
        [Proposes(what), AlsoProposes(more_clients)], NOTHING, workload(), Random(1)
    )
    assert after == replace(workload(), scheduling=Scheduling(clients=9))
    assert [each.heuristic for each in made] == ["also-proposes"]
    [warning] = warnings
    assert message in warning
    assert "heuristic 'proposes'" in warning
    assert warning.endswith("skipped in this iteration")


def test_changes_of_nothing_are_not_told() -> None:
    same = (change("scheduling.clients", 8, 8), change("keys", tuple(RANGE), tuple(RANGE)))
    after, made, warnings = propose_all([Proposes(same)], NOTHING, workload(), Random(1))
    assert (made, warnings) == ((), ())
    assert current(after, "keys") == current(workload(), "keys")


def draw_clients(workload: Workload, random: Random) -> tuple[Adjustment, ...]:
    return (change("scheduling.clients", workload.scheduling.clients, random.randrange(10**4) + 1),)


def test_streams_of_random_numbers_do_not_disturb_each_other() -> None:
    def drawn(*heuristics: Proposes, seed: int = 1) -> list[int]:
        return [each.after for each in propose_all(heuristics, NOTHING, workload(), Random(seed))[1]]

    [alone] = drawn(Proposes(draw_clients))
    other, beside = drawn(AlsoProposes(draw_clients), Proposes(draw_clients))
    assert beside == alone
    assert other != alone
    assert drawn(Proposes(draw_clients), seed=2) != [alone]
    first, second = drawn(Proposes(draw_clients), Proposes(draw_clients))
    assert (first, first != second) == (alone, True)
