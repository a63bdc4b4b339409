"""What a seed asks for: the same sequence each time, unique values, generations of keys."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txfuzz.errors import UsageError
from txfuzz.transactions.model import Choice, NewValue, Ref, Step, Transaction
from txfuzz.workload.generator import BoundTransaction, TransactionGenerator
from txfuzz.workload.keys import KeySpace
from txfuzz.workload.model import KeyLife, Weight, Workload
from txfuzz.workload.seeds import stream

KEYS = tuple(range(1, 6))
WRITER = Transaction(
    "writer",
    (Step("r", Choice(KEYS, "k")), Step("append", Ref("k")), Step("append", Choice(KEYS, None, ("k",)))),
)
READER = Transaction("reader", (Step("r", Choice(KEYS)), Step("r", Choice(KEYS))))
WORKLOAD = Workload("w", (WRITER, READER), (Weight("writer", 3), Weight("reader", 1)))


def refuse(keys: range) -> None:
    raise AssertionError(f"nobody asked for {keys}")


def asked(workload: Workload, count: int, seed: int = 1, after: int = 0) -> list[BoundTransaction]:
    asking = TransactionGenerator(workload, stream(seed, "asking"), KeySpace(workload.keys, after, refuse))
    return [asking.next() for _ in range(count)]


def test_a_seed_fixes_the_whole_sequence() -> None:
    assert asked(WORKLOAD, 300) == asked(WORKLOAD, 300)
    assert asked(WORKLOAD, 300) != asked(WORKLOAD, 300, seed=2)


def test_streams_differ_by_their_purpose_and_do_not_depend_on_the_process() -> None:
    assert stream(7, "asking").random() != stream(7, "feedback").random()
    assert stream(7, "asking").getrandbits(32) == stream(7, "asking").getrandbits(32) == 3429515272


def test_the_mix_is_kept() -> None:
    names = Counter(each.name for each in asked(WORKLOAD, 4000))
    assert names["writer"] == pytest.approx(3000, abs=150)


def test_a_weight_of_nothing_is_never_asked() -> None:
    workload = Workload("w", (WRITER, READER), (Weight("writer", 0), Weight("reader", 1)))
    assert {each.name for each in asked(workload, 200)} == {"reader"}


@given(st.integers(1, 9), st.integers(0, 1000), st.integers(0, 99))
def test_values_are_unique_and_generations_take_their_share(share: int, after: int, seed: int) -> None:
    workload = Workload("w", (WRITER, READER), WORKLOAD.mix, keys=KeyLife(share))
    written: dict[int, list[int]] = defaultdict(list)
    lives: dict[int, set[int]] = defaultdict(set)
    for each in asked(workload, 200, seed, after):
        seen = {}
        for step, logical in zip(each.steps, each.logical, strict=True):
            assert step.key is not None
            assert seen.setdefault(logical, step.key) == step.key  # one generation throughout
            lives[step.key].add(logical)
            if step.f == "append":
                assert step.value is not None
                written[step.key].append(step.value)
    assert min(lives) == after + 1
    assert all(len(logical) == 1 for logical in lives.values())
    for values in written.values():
        assert values == list(range(1, len(values) + 1))
        assert len(values) <= share + 1  # a transaction that has begun with a generation ends with it


def test_rows_are_inserted_before_a_generation_is_used() -> None:
    inserted: set[int] = set()
    life = KeyLife(2, "inserted")
    asking = TransactionGenerator(
        Workload("w", (WRITER,), (Weight("writer", 1),), keys=life),
        stream(1, "asking"),
        KeySpace(life, 40, inserted.update),
    )
    for _ in range(2000):
        assert {step.key for step in asking.next().steps} <= inserted
    assert min(inserted) == 41


def test_choices_differ_as_asked() -> None:
    steps = tuple(
        Step("r", Choice((1, 2, 3), name, tuple("abc"[:place]))) for place, name in enumerate("abc")
    )
    workload = Workload("w", (Transaction("all", steps),), (Weight("all", 1),))
    orders = {each.logical for each in asked(workload, 300)}
    assert len(orders) == 6
    assert all(set(order) == {1, 2, 3} for order in orders)


def test_as_many_choices_as_keys() -> None:
    names = [f"k{number}" for number in range(10)]
    steps = tuple(Step("r", Choice(range(1, 11), name, tuple(names[:at]))) for at, name in enumerate(names))
    workload = Workload("w", (Transaction("all", steps),), (Weight("all", 1),))
    assert all(set(each.logical) == set(range(1, 11)) for each in asked(workload, 50))


def test_choices_that_cannot_differ_are_refused() -> None:
    steps = (Step("r", Choice((1,), "a")), Step("r", Choice((1,), None, ("a",))))
    workload = Workload("w", (Transaction("both", steps),), (Weight("both", 1),))
    with pytest.raises(UsageError, match="'both'"):
        asked(workload, 1)


def test_raw_statements_get_physical_keys_and_new_values() -> None:
    read = Step("r", sql="…:key", args=(("key", Choice((7,), "k")),), key_arg="key")
    write = Step("append", sql="…", args=(("at", Ref("k")), ("v", NewValue())), key_arg="at", value_arg="v")
    look = Step(None, sql="…", args=(("other", Choice((8,))),))
    workload = Workload("w", (Transaction("raw", (read, look, write)),), (Weight("raw", 1),))
    first, second = asked(workload, 2, after=100)
    assert [step.args for step in first.steps] == [{"key": 101}, {"other": 102}, {"at": 101, "v": 1}]
    assert [(step.f, step.key, step.value) for step in second.steps] == [
        ("r", 101, None),
        (None, None, None),
        ("append", 101, 2),
    ]
    assert first.numbers == (0, 2)
    assert first.logical == (7, 7)


def test_used_generations_are_known_in_order() -> None:
    keys = KeySpace(KeyLife(4), 10, refuse)
    asking = TransactionGenerator(WORKLOAD, stream(1, "asking"), keys)
    for each in islice(iter(asking.next, None), 100):
        assert each.steps
    used = list(keys.used)
    assert [key for key, _ in used] == list(range(11, 11 + len(used)))
    assert {logical for _, logical in used} == set(KEYS)
    assert used[-1][0] == keys.last
