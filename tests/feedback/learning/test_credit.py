from __future__ import annotations

from collections import Counter
from random import Random

from txfuzz.feedback.learning.credit import Credit, Yield


def test_a_yield_is_what_was_gained_per_hundred_transactions() -> None:
    credit = Credit.of(["a", "b"]).given("a", 3.0, 200).given("a", 1.0, 200)
    assert credit.yields["a"] == Yield(4.0, 400, 2)
    assert credit.yields["a"].rate == 1.0
    assert str(credit.yields["a"]) == "1 per 100 transactions, tried 2 times"
    assert str(credit.yields["b"]) == "not tried"


def test_credit_is_a_value() -> None:
    before = Credit.of(["a"])
    before.given("a", 1.0, 100)
    assert before.yields["a"].tried == 0


def test_what_brings_more_is_chosen_more_and_the_rest_still_sometimes() -> None:
    random, credit, worth = Random(3), Credit.of(["good", "poor", "none"]), {"good": 5, "poor": 1, "none": 0}
    chosen: Counter[str] = Counter()
    for _ in range(400):
        choice = credit.choose(random, ["good", "poor", "none"])
        chosen[choice] += 1
        credit = credit.given(choice, worth[choice], 100)
    assert chosen["good"] > 300
    assert chosen["none"] >= 1


def test_only_those_at_hand_are_chosen_and_the_same_seed_chooses_the_same() -> None:
    credit = Credit.of(["a", "b", "c"]).given("a", 50.0, 100)
    assert {credit.choose(Random(seed), ["b", "c"]) for seed in range(30)} == {"b", "c"}
    assert [credit.choose(Random(seed), ["a", "b", "c"]) for seed in range(9)] == [
        credit.choose(Random(seed), ["a", "b", "c"]) for seed in range(9)
    ]
