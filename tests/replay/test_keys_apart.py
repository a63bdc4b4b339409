"""Attempts on the same keys, as one history."""

from __future__ import annotations

from txfuzz.replay.stepper.keys_apart import KeysApart
from txfuzz.replay.stepper.recorder import AttemptStart, Recorded, RecordedOperation


def attempt(number: int, *keys: int) -> tuple[Recorded, ...]:
    mops = tuple(("r", key, None) for key in keys)
    steps, logical = tuple(range(len(keys))), tuple(keys)
    return (
        AttemptStart(0, 0, number),
        RecordedOperation(1, "invoke", 0, 1, mops, steps, logical, "look"),
        RecordedOperation(2, "ok", 0, 2, mops, steps, logical),
    )


def keys_of(operations: tuple[Recorded, ...]) -> list[list[int | None]]:
    own = [each for each in operations if isinstance(each, RecordedOperation)]
    return [[key for _, key, _ in each.mops] for each in own]


def test_keys_that_come_again_are_others() -> None:
    keys = KeysApart()
    assert keys.apart(attempt(0, 1, 3)) == attempt(0, 1, 3)
    second = keys.apart(attempt(1, 3, 1, 3))
    assert keys_of(second) == [[5, 4, 5]] * 2
    assert [each.logical for each in second if isinstance(each, RecordedOperation)] == [(3, 1, 3)] * 2
    # What was given to the second is taken, too, and what is new may lie beyond it
    third = keys.apart(attempt(2, 4, 6, 9))
    assert keys_of(third) == [[10, 6, 9]] * 2


def test_keys_that_no_other_attempt_has_stay() -> None:
    keys = KeysApart()
    for number in range(5):
        assert keys.apart(attempt(number, 10 * number + 1)) == attempt(number, 10 * number + 1)
