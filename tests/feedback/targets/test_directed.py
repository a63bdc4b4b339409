"""`directed` as a target of adjustments."""

from __future__ import annotations

from dataclasses import replace

import pytest

from directed_schedules import CLASH, SKEW, WORKLOAD
from txfuzz.errors import UsageError
from txfuzz.feedback.adjustments import apply, current
from txfuzz.feedback.contract import Adjustment
from txfuzz.feedback.targets.directed import directed_value
from txfuzz.feedback.targets.table import TARGETS
from txfuzz.workload.allowed_changes import AllowedChanges


def change(after: object) -> Adjustment:
    return Adjustment("directed", current(WORKLOAD, "directed"), after, "because", "test")


def test_schedules_replace_each_other() -> None:
    changed = apply(WORKLOAD, [change(directed_value([CLASH, SKEW]))])
    assert changed.directed == (CLASH, SKEW)
    assert apply(WORKLOAD, [change([])]).directed == ()


def test_a_schedule_plays_only_transactions_and_keys_of_the_workload() -> None:
    value = directed_value([SKEW])
    value[0]["transactions"][0]["txn"] = "steal"
    with pytest.raises(UsageError, match="unknown transaction 'steal'"):
        apply(WORKLOAD, [change(value)])
    value = directed_value([SKEW])
    value[0]["transactions"][0]["keys"] = [1, 9]
    with pytest.raises(UsageError, match="'book' cannot choose key 9"):
        apply(WORKLOAD, [change(value)])
    with pytest.raises(UsageError, match="at most 16 schedules"):
        apply(WORKLOAD, [change("all")])


def test_its_owner_decides() -> None:
    ours = replace(WORKLOAD, mutate=AllowedChanges(("keys", "mix")))
    with pytest.raises(UsageError, match="`mutate` lacks 'scheduling'"):
        apply(ours, [change([])])


def test_it_is_told_in_words() -> None:
    words = TARGETS["directed"].words
    assert words is not None
    assert words(directed_value([SKEW])) == "the rw edge book → book on key 2"
    assert words([]) == "nothing"
