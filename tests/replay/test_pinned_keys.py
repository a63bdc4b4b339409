"""Choices narrowed to one key each."""

from __future__ import annotations

from collections import Counter

import pytest

from txfuzz.replay.schedule import pinned_keys
from txfuzz.replay.schedule.pinned_keys import KeyRequirement, choices_of, pin_keys
from txfuzz.transactions.model import Choice, Step, Transaction

LONG = Transaction("long", tuple(Step("append" if at % 2 else "r", Choice((1, 2, 3))) for at in range(40)))
RECORDED = dict.fromkeys(range(40), (1,))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many assignments were looked at."""
    found: Counter[str] = Counter()
    pinned = pinned_keys.pinned

    def one(transaction: Transaction, keys: tuple[int, ...]) -> Transaction:
        found["pinned"] += 1
        return pinned(transaction, keys)

    monkeypatch.setattr(pinned_keys, "pinned", one)
    return found


def test_recorded_keys_that_do_are_taken_at_once(counted: Counter[str]) -> None:
    found = pin_keys(LONG, RECORDED, [KeyRequirement(1, True, 7)])
    assert found is not None
    assert {choice.keys for choice in choices_of(found.transaction)} == {(1,)}
    assert found.steps == (7,)
    assert counted["pinned"] == 1


def test_a_long_transaction_does_not_take_minutes(counted: Counter[str]) -> None:
    found = pin_keys(LONG, RECORDED, [KeyRequirement(2, True, 39), KeyRequirement(3, False, 0)])
    assert found is not None
    assert found.steps == (39, 38), "the first choice changes last, but another one does as well"
    assert 1_000 < counted["pinned"] <= 2_001
